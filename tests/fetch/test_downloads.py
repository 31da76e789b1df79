import contextlib
import hashlib
import shutil
from collections import namedtuple
from collections.abc import Callable
from pathlib import Path

import filelock
import pytest
from conftest import Site

from similarity.errors import FetchError
from similarity.fetch.downloads import _receive_all, download
from similarity.fetch.http import CHUNK_BYTES

BODY = bytes(range(256)) * 4000
SHA256, MD5 = hashlib.sha256(BODY).hexdigest(), hashlib.md5(BODY).hexdigest()


def serve(
    site: Site, *, cut_at: list[int] | None = None, ranges: bool = True, etag: str = '"one"', body: bytes = BODY
) -> list[str]:
    """Serve a file that breaks off after so many bytes at each request in turn; returns the ranges asked for."""
    asked: list[str] = []
    cuts = iter(cut_at or [])

    def answer(handler) -> None:  # type: ignore[no-untyped-def]
        wanted = handler.headers.get("Range", "")
        asked.append(wanted)
        same = handler.headers.get("If-Range", etag) == etag
        start = int(wanted.removeprefix("bytes=").rstrip("-")) if wanted and ranges and same else 0
        handler.send_response(206 if start else 200)
        handler.send_header("Content-Length", str(len(body) - start))
        if etag:
            handler.send_header("ETag", etag)
        if start:
            handler.send_header("Content-Range", f"bytes {start}-{len(body) - 1}/{len(body)}")
        handler.end_headers()
        handler.wfile.write(body[start : start + next(cuts, len(body))])
        handler.close_connection = True

    site.pages["/file"] = answer
    return asked


@pytest.fixture(autouse=True)
def waits(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long it would have been waited before each further attempt."""
    seconds: list[float] = []
    monkeypatch.setattr(_receive_all.retry, "sleep", seconds.append)  # type: ignore[attr-defined]
    return seconds


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "models" / "file.bin"


def test_a_download_appears_whole_and_reports_its_progress(site: Site, target: Path) -> None:
    serve(site)
    seen: list[tuple[int, int]] = []
    download(site.url("/file"), target, sha256_prefix=SHA256[:8], md5=MD5, progress=lambda *now: seen.append(now))
    assert target.read_bytes() == BODY
    assert seen == sorted(seen)
    assert seen[-1] == (len(BODY), len(BODY))
    assert [path.name for path in target.parent.iterdir()] == ["file.bin"]


def test_a_download_that_is_cut_goes_on_where_it_stopped(site: Site, target: Path) -> None:
    asked = serve(site, cut_at=[4 * CHUNK_BYTES, 3 * CHUNK_BYTES])
    seen: list[tuple[int, int]] = []
    download(site.url("/file"), target, sha256_prefix=SHA256, progress=lambda *now: seen.append(now))
    assert target.read_bytes() == BODY
    assert asked == ["", f"bytes={4 * CHUNK_BYTES}-", f"bytes={7 * CHUNK_BYTES}-"]
    assert seen[-1] == (len(BODY), len(BODY))


def test_a_download_that_is_cut_again_and_again_goes_on_when_it_is_asked_for_again(
    site: Site, target: Path, waits: list[float]
) -> None:
    asked = serve(site, cut_at=[CHUNK_BYTES] * 4)
    with pytest.raises(FetchError, match="broke off; run the same command again to resume"):
        download(site.url("/file"), target, sha256_prefix=SHA256)
    assert not target.exists()
    assert waits == [0.2, 0.4, 0.8]
    download(site.url("/file"), target, sha256_prefix=SHA256)
    assert target.read_bytes() == BODY
    assert asked[-1] == f"bytes={4 * CHUNK_BYTES}-"


def test_a_server_without_ranges_is_asked_for_everything_again(site: Site, target: Path) -> None:
    serve(site, cut_at=[300_000], ranges=False)
    download(site.url("/file"), target, sha256_prefix=SHA256)
    assert target.read_bytes() == BODY


def test_what_cannot_be_told_to_be_the_same_file_is_not_continued(site: Site, target: Path) -> None:
    asked = serve(site, cut_at=[300_000], etag="")
    download(site.url("/file"), target, sha256_prefix=SHA256)
    assert target.read_bytes() == BODY
    assert asked == ["", ""]


def test_a_file_that_changed_meanwhile_is_downloaded_from_the_start(site: Site, target: Path) -> None:
    serve(site, cut_at=[100_000] * 4, body=b"old" * 200_000, etag='"old"')
    with pytest.raises(FetchError):
        download(site.url("/file"), target)
    serve(site)
    download(site.url("/file"), target, sha256_prefix=SHA256)
    assert target.read_bytes() == BODY


def test_another_file_than_the_expected_one_is_thrown_away(site: Site, target: Path) -> None:
    serve(site, body=b"something else")
    for expected in ({"sha256_prefix": SHA256[:8]}, {"md5": MD5}):
        with pytest.raises(FetchError, match="is not the expected one"):
            download(site.url("/file"), target, **expected)
    assert list(target.parent.iterdir()) == []


def test_a_part_that_was_whole_already_is_not_received_again(site: Site, target: Path) -> None:
    serve(site, cut_at=[CHUNK_BYTES] * 4)
    with pytest.raises(FetchError):
        download(site.url("/file"), target)
    target.with_name(".file.bin.part").write_bytes(BODY)

    def nothing_left(handler) -> None:  # type: ignore[no-untyped-def]
        handler.send_response(416)
        handler.send_header("Content-Range", f"bytes */{len(BODY)}")
        handler.send_header("Content-Length", "0")
        handler.end_headers()

    site.pages["/file"] = nothing_left
    download(site.url("/file"), target, sha256_prefix=SHA256)
    assert target.read_bytes() == BODY


def test_a_server_that_answers_with_another_part_is_asked_for_everything(site: Site, target: Path) -> None:
    serve(site, cut_at=[CHUNK_BYTES] * 4)
    with pytest.raises(FetchError):
        download(site.url("/file"), target)
    asked: list[str] = []

    def from_elsewhere(handler) -> None:  # type: ignore[no-untyped-def]
        asked.append(handler.headers.get("Range", ""))
        handler.send_response(206 if asked[-1] else 200)
        handler.send_header("Content-Range", f"bytes 7-{len(BODY) - 1}/{len(BODY)}")
        handler.send_header("Content-Length", str(len(BODY)))
        handler.end_headers()
        handler.wfile.write(BODY)

    site.pages["/file"] = from_elsewhere
    download(site.url("/file"), target)
    assert target.read_bytes() == BODY
    assert asked == [f"bytes={4 * CHUNK_BYTES}-", ""]


def test_a_nonsense_length_is_ignored(site: Site, target: Path) -> None:
    def odd(handler) -> None:  # type: ignore[no-untyped-def]
        handler.send_response(200)
        handler.send_header("Content-Length", "lots")
        handler.end_headers()
        handler.wfile.write(b"a few bytes")

    site.pages["/file"] = odd
    with contextlib.suppress(FetchError):
        download(site.url("/file"), target)
    assert not target.exists() or target.read_bytes() == b"a few bytes"


def test_a_place_that_cannot_be_written_is_an_error(site: Site, tmp_path: Path) -> None:
    serve(site)
    (tmp_path / "file").touch()
    with pytest.raises(FetchError, match="could not be written"):
        download(site.url("/file"), tmp_path / "file" / "models" / "file.bin")


def test_a_file_that_is_not_there_is_an_error(site: Site, target: Path) -> None:
    with pytest.raises(FetchError, match="answered 404 Not Found"):
        download(site.url("/nothing"), target)
    assert not target.exists()


def test_an_address_where_nobody_answers_is_an_error(target: Path) -> None:
    with pytest.raises(FetchError, match="could not be reached"):
        download("http://127.0.0.1:9/file", target)


def test_a_full_disk_is_noticed_before_anything_is_received(
    site: Site, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    serve(site)
    usage = namedtuple("usage", "total used free")(10**9, 10**9 - 5000, 5000)
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage)
    with pytest.raises(FetchError, match="There is not enough room"):
        download(site.url("/file"), target)
    assert not target.exists()


def test_a_disk_that_fills_up_meanwhile_is_an_error_and_what_came_is_kept(
    site: Site, target: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = serve(site)
    real: Callable[..., object] = Path.open

    def open_on_a_full_disk(path: Path, mode: str = "r", *rest: object, **options: object) -> object:
        file = real(path, mode, *rest, **options)
        if mode == "ab":
            write, room = file.write, [5]  # type: ignore[attr-defined]

            def write_while_there_is_room(data: bytes) -> int:
                room[0] -= 1
                if room[0] < 0:
                    raise OSError(28, "No space left on device")
                return int(write(data))

            class Full:
                def __enter__(self) -> "Full":
                    return self

                def __exit__(self, *_: object) -> None:
                    file.close()  # type: ignore[attr-defined]

            full = Full()
            full.write = write_while_there_is_room  # type: ignore[attr-defined]
            return full
        return file

    with monkeypatch.context() as patch:
        patch.setattr(Path, "open", open_on_a_full_disk)
        with pytest.raises(FetchError, match=r"could not be written \(No space left on device\)"):
            download(site.url("/file"), target)
    download(site.url("/file"), target, sha256_prefix=SHA256)
    assert asked[-1] == f"bytes={5 * CHUNK_BYTES}-"


def test_two_downloads_of_one_file_do_not_mix(site: Site, target: Path) -> None:
    serve(site)
    target.parent.mkdir()
    with (
        filelock.FileLock(target.with_name(".file.bin.lock")),
        pytest.raises(FetchError, match="is being downloaded by another process"),
    ):
        download(site.url("/file"), target)

"""Uploads in pieces: they go on where they stopped, stay within limits and their own folder, and leave nothing."""

import shutil
import time
from collections import namedtuple
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from conftest import draw

from similarity.errors import QuotaError, SourceError
from similarity.service import incoming
from similarity.service.incoming import Incoming, OutOfStepError, Upload

BROWSER = "somebody"


@pytest.fixture
def uploads(empty_home: Path) -> Incoming:
    assert empty_home
    return Incoming()


@pytest.fixture
def upload(uploads: Incoming) -> Upload:
    """An upload that has just begun."""
    found = uploads.find(uploads.open(BROWSER), BROWSER)
    assert found
    return found


def test_pieces_are_put_together_and_a_piece_out_of_step_tells_where_to_go_on(
    uploads: Incoming, upload: Upload
) -> None:
    assert uploads.write(upload, "a/1.jpg", 0, b"abc") == 3
    for at in (0, 2, 4):
        with pytest.raises(OutOfStepError) as raised:
            uploads.write(upload, "a/1.jpg", at, b"xyz")
        assert raised.value.size == 3
    assert uploads.write(upload, "a/1.jpg", 3, b"de") == 5
    assert (upload.folder / "a" / "1.jpg").read_bytes() == b"abcde"
    assert upload.total == 5


@pytest.mark.parametrize("path", [
    "../1.jpg", "/etc/1.jpg", "a//1.jpg", "a/./1.jpg", "", "1.exe", "a\\1.jpg", "a\n.jpg", "x" * 300 + ".jpg",
    "/".join(["d"] * 30) + "/1.jpg",
])  # fmt: skip
def test_a_path_that_leads_elsewhere_or_is_no_picture_is_refused(uploads: Incoming, upload: Upload, path: str) -> None:
    with pytest.raises(SourceError, match=r"cannot be used|is neither a picture"):
        uploads.write(upload, path, 0, b"abc")
    assert not upload.folder.exists()


def test_a_full_disk_and_an_upload_too_large_are_said_in_a_sentence(
    uploads: Incoming, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as small:
        small.setattr(incoming, "MOST_BYTES", 2)
        with pytest.raises(SourceError, match="too large to be uploaded"):
            uploads.write(upload, "1.jpg", 0, b"abc")
        small.setattr(incoming, "MOST_FILES", 0)
        with pytest.raises(SourceError, match="give the path of a folder"):
            uploads.write(upload, "1.jpg", 0, b"a")
    usage = namedtuple("usage", "total used free")
    monkeypatch.setattr(shutil, "disk_usage", lambda _: usage(10, 9, 1))
    with pytest.raises(SourceError, match="disk of this app is nearly full"):
        uploads.write(upload, "1.jpg", 0, b"abc")


def test_uploads_are_of_one_browser_and_only_so_many(uploads: Incoming) -> None:
    names = []
    for _ in range(incoming.MOST_OF_BROWSER):
        names.append(uploads.open(BROWSER))
        found = uploads.find(names[-1], BROWSER)
        assert found
        uploads.write(found, "1.jpg", 0, b"a")
    assert uploads.find(names[0], "another") is None
    with pytest.raises(QuotaError, match="Too many uploads"):
        uploads.open(BROWSER)
    uploads.open("another")
    assert uploads.find(uploads.open("another"), "another")


def test_two_pages_of_one_browser_have_an_upload_each_and_a_page_that_was_left_makes_room(
    uploads: Incoming, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = [uploads.open(BROWSER) for _ in range(incoming.MOST_OF_BROWSER)]
    assert all(uploads.find(name, BROWSER) for name in names)
    further = uploads.open(BROWSER)
    assert [uploads.find(name, BROWSER) is None for name in (*names, further)] == [True, False, False, False]
    monkeypatch.setattr(incoming, "MOST_IN_ALL", 3)
    assert uploads.find(uploads.open("another"), "another"), "pages that are open keep nobody out"


def test_a_piece_that_arrives_after_its_upload_was_deleted_leaves_nothing(uploads: Incoming, upload: Upload) -> None:
    uploads.write(upload, "1.jpg", 0, b"abc")
    uploads.drop(upload.folder.name)
    with pytest.raises(SourceError, match="begin another one"):
        uploads.write(upload, "1.jpg", 3, b"abc")
    assert not upload.folder.exists()


def test_what_stopped_or_was_left_by_a_killed_process_is_deleted(
    uploads: Incoming, upload: Upload, monkeypatch: pytest.MonkeyPatch
) -> None:
    uploads.write(upload, "1.jpg", 0, b"abc")
    left = upload.folder.with_name("left")
    left.mkdir()
    uploads.expire()
    assert upload.folder.exists()
    assert left.exists()
    monkeypatch.setattr(time, "time", lambda: 1e11)
    monkeypatch.setattr(incoming, "IDLE", -1.0)
    uploads.expire()
    assert list(left.parent.iterdir()) == []


def test_an_upload_is_taken_once_it_is_complete_and_can_begin_anew(
    uploads: Incoming, upload: Upload, empty_home: Path, tmp_path: Path
) -> None:
    name = upload.folder.name
    draw("dots", 1).save(tmp_path / "1.jpg")
    uploads.write(upload, "wrong.jpg", 0, b"abc")
    with pytest.raises(SourceError, match="has not arrived"):
        uploads.take(name, BROWSER, "shoes")
    uploads.empty(upload)
    for path in ("top/red/1.jpg", "top/2.jpg"):
        uploads.write(upload, path, 0, (tmp_path / "1.jpg").read_bytes())
    uploads.complete(upload)
    with pytest.raises(SourceError, match="complete"):
        uploads.write(upload, "3.jpg", 0, b"abc")
    kept = uploads.take(name, BROWSER, "shoes")
    assert kept == empty_home / "uploads" / "shoes" / "top"
    assert sorted(path.relative_to(kept).as_posix() for path in kept.rglob("*.jpg")) == ["2.jpg", "red/1.jpg"]
    assert uploads.find(name, BROWSER) is None
    assert list((empty_home / "uploads" / ".incoming").iterdir()) == []


def test_a_zip_among_pictures_is_refused_and_nothing_is_kept(
    uploads: Incoming, upload: Upload, empty_home: Path
) -> None:
    uploads.write(upload, "1.jpg", 0, b"abc")
    uploads.write(upload, "2.zip", 0, b"abc")
    uploads.complete(upload)
    with pytest.raises(SourceError, match="Upload one zip or one CSV"):
        uploads.take(upload.folder.name, BROWSER, "shoes")
    assert not (empty_home / "uploads" / "shoes").exists()


def test_of_two_same_pieces_at_once_one_is_taken(uploads: Incoming, upload: Upload) -> None:
    def write(number: int) -> int | str:
        try:
            return uploads.write(upload, "1.jpg", 0, bytes([number]) * 100_000)
        except OutOfStepError as error:
            return f"out of step at {error.size}"

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(write, range(8)))
    assert sorted(map(str, outcomes)) == ["100000", *["out of step at 100000"] * 7]
    written = (upload.folder / "1.jpg").read_bytes()
    assert written == bytes([outcomes.index(100_000)]) * 100_000
    assert upload.total == 100_000


def test_a_link_in_the_place_of_a_file_is_not_followed(uploads: Incoming, upload: Upload, tmp_path: Path) -> None:
    secret = tmp_path / "secret.jpg"
    secret.write_bytes(b"mine")
    upload.folder.mkdir(parents=True)
    (upload.folder / "1.jpg").symlink_to(secret)
    with pytest.raises(SourceError, match="could not be stored"):
        uploads.write(upload, "1.jpg", 0, b"yours")
    assert secret.read_bytes() == b"mine"
    assert upload.total == 0


@pytest.mark.parametrize("first", ["a.jpg", "a.jpg/b.jpg"])
def test_a_name_that_is_a_file_and_a_folder_is_refused_in_a_sentence(
    uploads: Incoming, upload: Upload, first: str
) -> None:
    uploads.write(upload, first, 0, b"abc")
    with pytest.raises(SourceError, match="could not be stored"):
        uploads.write(upload, "a.jpg" if "/" in first else "a.jpg/b.jpg", 0, b"abc")

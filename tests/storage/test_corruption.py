"""Whatever happens to a file of a gallery, it is found, it is said, and it changes no answer."""

import json
import os
import subprocess
import sys
import time
from pathlib import Path

import pytest
import standin
from tiers import Share

from similarity.errors import GalleryDamagedError, GalleryError
from similarity.gallery import Gallery, restore
from similarity.indexing import operations
from similarity.indexing.options import IndexOptions
from similarity.sources import open_source
from similarity.storage import checksums
from similarity.storage.current import live_number
from similarity.storage.generations import read_generation


@pytest.fixture
def twice_written(own_pictures: Path, tmp_path: Path, standin_network: None) -> Gallery:  # noqa: ARG001
    """A gallery with a generation before the live one, which has a picture less."""
    operations.index(open_source(own_pictures), tmp_path / "gallery", IndexOptions(standin.CHOICE))
    return Gallery.open(tmp_path / "gallery", load=standin.load).remove(ids=["dots/dots-0.jpg"])


def test_every_cut_and_every_flipped_bit_is_found_and_changes_no_answer(
    twice_written: Gallery, child_environment: dict[str, str], share: Share
) -> None:
    script, flips = Path(__file__).parents[1] / "corrupt.py", share.count(2000, parts=20)
    done = subprocess.run(
        [sys.executable, str(script), str(twice_written.directory), str(share.seed), str(flips)],
        env=child_environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    tally = json.loads(done.stdout)
    assert tally["flip"] >= flips
    assert tally["cut"] >= 30
    assert tally["found by verify"] == tally["flip"] + tally["cut"]
    assert tally["found by opening"] == tally["flip"] + tally["cut"]
    assert tally.get("answers changed", 0) == 0
    assert tally["sound again"]


def opened_long_ago(gallery: Gallery) -> Path:
    """The folder of the live generation, opened when its files were no longer new: their hashes are remembered."""
    folder = gallery.directory / "generations" / "000002"
    for path in folder.iterdir():
        os.utime(path, (time.time() - 100, time.time() - 100))
    Gallery.open(gallery.directory)
    return folder


def test_damage_that_keeps_the_time_of_a_file_is_found_by_verify(twice_written: Gallery) -> None:
    """As a disk does it that loses a bit; opening trusts what it has hashed before."""
    folder = opened_long_ago(twice_written)
    path = folder / "embeddings.npy"
    status, data = path.stat(), bytearray(path.read_bytes())
    data[-1] ^= 1
    path.write_bytes(data)
    os.utime(path, ns=(status.st_atime_ns, status.st_mtime_ns))
    with pytest.raises(GalleryDamagedError, match=r"embeddings\.npy is damaged or missing"):
        read_generation(twice_written.directory, thorough=True)


def test_what_has_been_hashed_is_not_hashed_again_unless_it_changed(
    twice_written: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = opened_long_ago(twice_written)
    hashed: list[str] = []
    real = checksums.fingerprint

    def counted(path: Path) -> dict[str, object]:
        hashed.append(path.name)
        return real(path)

    monkeypatch.setattr(checksums, "fingerprint", counted)
    Gallery.open(twice_written.directory)
    assert hashed == []
    (folder / "items.parquet").touch()
    Gallery.open(twice_written.directory)
    assert hashed == ["items.parquet"]
    read_generation(twice_written.directory, thorough=True)
    assert sorted(hashed[1:]) == ["embeddings.npy", "index.faiss", "items.parquet"]


def test_what_was_hashed_when_it_was_written_is_not_hashed_when_it_is_opened(
    own_pictures: Path,
    tmp_path: Path,
    standin_network: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(checksums, "SETTLED_AFTER", -1)  # as if writing had taken long
    operations.index(open_source(own_pictures), tmp_path / "gallery", IndexOptions(standin.CHOICE))
    with monkeypatch.context() as patch:
        patch.setattr(checksums, "fingerprint", lambda path: pytest.fail(f"{path} was hashed"))
        Gallery.open(tmp_path / "gallery")
    (tmp_path / "gallery" / "generations" / "000001" / "items.parquet").write_bytes(b"PAR1")
    with pytest.raises(GalleryDamagedError, match="items"):
        Gallery.open(tmp_path / "gallery")


def test_a_damaged_gallery_says_which_file_and_offers_the_state_before(twice_written: Gallery) -> None:
    (twice_written.directory / "generations" / "000002" / "index.faiss").write_bytes(b"")
    with pytest.raises(
        GalleryDamagedError,
        match=r"000002/index\.faiss is damaged or missing: generation 1 is sound; to go back to it, run "
        r"`python -m similarity restore --gallery ",
    ):
        Gallery.open(twice_written.directory)
    restored = restore(twice_written.directory, load=standin.load)
    assert len(restored) == 15
    assert live_number(twice_written.directory) == 1
    assert len(Gallery.open(twice_written.directory, load=standin.load).remove(labels=["dots"])) == 10


def test_damage_that_came_after_a_gallery_was_opened_is_found_by_a_change(twice_written: Gallery) -> None:
    (twice_written.directory / "generations" / "000002" / "index.faiss").write_bytes(b"")
    for change in (twice_written.remove, twice_written.preview.remove):
        with pytest.raises(GalleryDamagedError, match=r"index\.faiss is damaged or missing: generation 1 is sound"):
            change(labels=["rings"])


@pytest.mark.many
@pytest.mark.parametrize("content", [b"", b"000009 abc", b"\xff\xfe", b"000001", b"../../x y", None])
def test_a_damaged_current_is_an_error_and_restore_mends_it(twice_written: Gallery, content: bytes | None) -> None:
    current = twice_written.directory / "CURRENT"
    if content is None:
        current.unlink()
    else:
        current.write_bytes(content)
    with pytest.raises(GalleryError, match="There is no gallery in" if content is None else "is sound; to go back"):
        Gallery.open(twice_written.directory)
    assert len(restore(twice_written.directory)) == 14


def test_where_no_state_is_sound_the_error_says_to_index_again(twice_written: Gallery) -> None:
    for number in ("000001", "000002"):
        (twice_written.directory / "generations" / number / "items.parquet").write_bytes(b"PAR1")
    with pytest.raises(GalleryDamagedError, match=r"items\.parquet is damaged or missing: index the gallery again"):
        Gallery.open(twice_written.directory)
    with pytest.raises(GalleryError, match="has no undamaged earlier state"):
        restore(twice_written.directory)


def test_indexing_again_mends_a_damaged_gallery(twice_written: Gallery, own_pictures: Path) -> None:
    (twice_written.directory / "generations" / "000002" / "embeddings.npy").write_bytes(b"")
    report, _ = operations.index(open_source(own_pictures), twice_written.directory, IndexOptions(standin.CHOICE))
    assert report.embedded == 15
    assert len(Gallery.open(twice_written.directory)) == 15


def test_undoing_a_change_is_restoring_the_state_before(twice_written: Gallery) -> None:
    assert len(twice_written) == 14
    assert len(restore(twice_written.directory)) == 15
    assert len(restore(twice_written.directory)) == 14


def test_there_is_nothing_to_restore_where_there_is_no_gallery(tmp_path: Path) -> None:
    with pytest.raises(GalleryError, match="There is no gallery in"):
        restore(tmp_path / "nowhere")
    assert not (tmp_path / "nowhere").exists()

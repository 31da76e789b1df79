"""Stored local features: off by a setting, and kept in step with thumbnails by whatever changes a gallery."""

import shutil
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import MODEL
from scenes import draw_scene

from similarity import Gallery
from similarity.gallery import verify
from similarity.indexing.importing import import_gallery
from similarity.query.copies import Copy
from similarity.storage import keypoint_files
from similarity.storage.keypoint_files import read_or_find_keypoints, read_pixels


@pytest.fixture
def gallery(empty_home: Path, tmp_path: Path) -> Gallery:
    folder = tmp_path / "scenes"
    folder.mkdir()
    for seed in range(4):
        draw_scene(seed).save(folder / f"{seed}.png")
    return Gallery.build(folder, empty_home / "galleries" / "scenes", model=MODEL)


def look(gallery: Gallery) -> dict[str, Copy | None]:
    """What a second look finds of a scene that is turned, by the id of a picture."""
    query = gallery.encode(draw_scene(2).rotate(90, expand=True))
    hits = gallery.search(query, len(gallery))
    return {hit.item.id: copy for hit, copy in zip(hits, gallery.find_copies(query, hits), strict=True)}


def stored(directory: Path) -> dict[str, bytes]:
    return {path.stem: path.read_bytes() for path in (directory / "thumbnails").rglob("*.sift")}


def path_of(gallery: Gallery, name: str) -> Path:
    sha256 = gallery.find(name).sha256
    return gallery.directory / "thumbnails" / sha256[:2] / f"{sha256}.sift"


def test_a_setting_has_nothing_written_and_the_same_found(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMILARITY_LOCAL_FEATURES", "Off")
    before = look(gallery)
    assert before["2.png"] is not None
    assert stored(gallery.directory) == {}
    monkeypatch.delenv("SIMILARITY_LOCAL_FEATURES")
    assert look(gallery) == before
    assert len(stored(gallery.directory)) == 4


@pytest.mark.usefixtures("one_earlier_state")
def test_features_leave_with_the_last_picture_that_has_the_content(tmp_path: Path) -> None:
    folder = tmp_path / "scenes"
    folder.mkdir()
    for seed in range(4):
        draw_scene(seed).save(folder / f"{seed}.png")
    shutil.copy(folder / "1.png", folder / "1-again.png")
    # No earlier state stays open, which would keep what it needs.
    gallery = Gallery.build(folder, tmp_path / "gallery", model=MODEL)
    look(gallery)
    one, other = gallery.find("1.png").sha256, gallery.find("3.png").sha256
    (folder / "1.png").unlink()
    gallery = gallery.sync(folder)
    assert one in stored(gallery.directory), "its copy is there"
    (folder / "1-again.png").unlink()
    gallery = gallery.sync(folder)
    gallery = gallery.remove(ids=["3.png"])
    assert one not in stored(gallery.directory)
    assert other in stored(gallery.directory), "the state before can be restored"
    gallery = gallery.remove(ids=["0.png"])
    assert other not in stored(gallery.directory)
    assert {path.stem for path in gallery.directory.rglob("*.jpg")} == set(stored(gallery.directory))


def test_a_gallery_rebuilt_into_another_folder_takes_sound_features_along(gallery: Gallery, tmp_path: Path) -> None:
    before = look(gallery)
    files = stored(gallery.directory)
    damaged = gallery.find("1.png").sha256
    path_of(gallery, "1.png").write_bytes(b"SIFT")
    other = gallery.rebuild(into=tmp_path / "other")
    assert stored(other.directory) == {name: data for name, data in files.items() if name != damaged}
    assert look(other) == before
    assert stored(other.directory) == files


def test_features_of_another_picture_are_not_believed(gallery: Gallery) -> None:
    before, files = look(gallery), stored(gallery.directory)
    path_of(gallery, "2.png").write_bytes(path_of(gallery, "3.png").read_bytes())
    assert look(gallery) == before
    assert stored(gallery.directory) == files


def test_verifying_drops_unsound_features_which_are_no_fault_of_the_gallery(gallery: Gallery) -> None:
    before, files = look(gallery), stored(gallery.directory)
    path_of(gallery, "2.png").write_bytes(path_of(gallery, "3.png").read_bytes())
    path_of(gallery, "1.png").write_bytes(b"SIFT")
    verify(gallery.directory)
    assert set(stored(gallery.directory)) == {gallery.find(name).sha256 for name in ("0.png", "3.png")}
    assert look(gallery) == before
    assert stored(gallery.directory) == files


def test_an_imported_gallery_finds_the_same_and_believes_no_features_of_a_stranger(
    gallery: Gallery, tmp_path: Path
) -> None:
    before = look(gallery)
    verify(gallery.directory)
    shutil.move(gallery.directory, tmp_path / "strange")
    taken = Gallery.open(import_gallery(tmp_path / "strange").directory)
    assert stored(taken.directory) == {}
    after = look(taken)
    assert {name for name, copy in after.items() if copy} == {name for name, copy in before.items() if copy}
    assert len(stored(taken.directory)) == 4


def test_a_picture_at_an_address_whose_thumbnail_is_gone_is_not_fetched(
    gallery: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(keypoint_files, "read_or_make_thumbnail", lambda *_: pytest.fail("it was fetched"))
    item = replace(gallery.items[0], path="https://a.test/b.png", sha256="0" * 64, copies=())
    assert len(read_or_find_keypoints(gallery.directory, item)) == 0
    assert read_pixels(gallery.directory, item).max() < 255

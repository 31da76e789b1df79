"""Undoing one change of a gallery, and no other."""

import shutil
from pathlib import Path

import pytest
from conftest import draw

from similarity import Gallery
from similarity.errors import GalleryBusyError, GalleryError
from similarity.gallery import restore
from similarity.storage.locks import writing
from similarity.storage.undo import undo_change


@pytest.fixture
def mine(shapes: Gallery, tmp_path: Path) -> Gallery:
    """A gallery to change."""
    return Gallery.open(shutil.copytree(shapes.directory, tmp_path / "mine"))


def test_a_change_is_undone(mine: Gallery) -> None:
    changed = mine.remove(ids=["dots/dots-0.jpg"])
    undo_change(mine.directory, before=mine.state, after=changed.state)
    again = Gallery.open(mine.directory)
    assert again.state == mine.state
    assert len(again) == 15


def test_the_state_before_comes_back_even_if_a_later_one_was_undone_before(mine: Gallery) -> None:
    first = mine.remove(ids=["dots/dots-0.jpg"])  # stays on the disk, since it is open here
    undo_change(mine.directory, before=mine.state, after=first.state)
    second = mine.remove(ids=["dots/dots-1.jpg"])
    undo_change(mine.directory, before=mine.state, after=second.state)
    assert Gallery.open(mine.directory).state == mine.state
    assert len(first) == 14
    assert second.manifest.generation > first.manifest.generation


def test_a_change_that_another_one_followed_is_not_undone(mine: Gallery, tmp_path: Path) -> None:
    changed = mine.remove(ids=["dots/dots-0.jpg"])
    (tmp_path / "new").mkdir()
    draw("rings", 55).save(tmp_path / "new" / "new.jpg")
    later = changed.add(tmp_path / "new")
    with pytest.raises(GalleryError, match="has changed since"):
        undo_change(mine.directory, before=mine.state, after=changed.state)
    assert Gallery.open(mine.directory).state == later.state


def test_a_state_that_is_damaged_does_not_come_back(mine: Gallery) -> None:
    changed = mine.remove(ids=["dots/dots-0.jpg"])
    (mine.directory / "generations" / "000001" / "items.parquet").write_bytes(b"damaged")
    with pytest.raises(GalleryError, match="is not there any more, or is damaged"):
        undo_change(mine.directory, before=mine.state, after=changed.state)
    assert Gallery.open(mine.directory).state == changed.state


def test_a_state_that_is_gone_does_not_come_back(mine: Gallery) -> None:
    before, directory = mine.state, mine.directory
    del mine
    Gallery.open(directory).remove(ids=["dots/dots-0.jpg"])
    restore(directory)
    shutil.rmtree(directory / "generations" / "000002")
    with pytest.raises(GalleryError, match="is not there any more"):
        undo_change(directory, before="000002" + before[6:], after=before)


def test_a_gallery_that_is_being_written_is_left_alone(mine: Gallery) -> None:
    changed = mine.remove(ids=["dots/dots-0.jpg"])
    with writing(mine.directory, "sync"), pytest.raises(GalleryBusyError):
        undo_change(mine.directory, before=mine.state, after=changed.state)

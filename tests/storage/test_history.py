"""Earlier states of a gallery: which are kept, and going back to any of them."""

import shutil
from pathlib import Path

import pytest

from similarity import Gallery
from similarity.errors import GalleryBusyError, GalleryDamagedError, GalleryError
from similarity.gallery import restore
from similarity.storage import history
from similarity.storage.cleanup import forget_other_states
from similarity.storage.history import list_states


@pytest.fixture
def changed(shapes: Gallery, tmp_path: Path) -> Path:
    """The folder of a gallery after three changes: it had 15, 14, 13, and has 12 pictures."""
    directory = shutil.copytree(shapes.directory, tmp_path / "mine")
    for number in range(3):
        remove(directory, number)
    return directory


def remove(directory: Path, number: int) -> None:
    """Take one picture out; nothing stays open."""
    Gallery.open(directory).remove(ids=[f"dots/dots-{number}.jpg"])


def counts(directory: Path) -> dict[int, int]:
    """The number of pictures of each state, by its number."""
    return {state.number: state.count for state in list_states(directory)}


def test_several_steps_can_be_undone_one_after_the_other_and_redone(changed: Path) -> None:
    assert counts(changed) == {4: 12, 3: 13, 2: 14, 1: 15}
    assert [len(restore(changed)) for _ in range(3)] == [13, 14, 15]
    assert [(state.number, state.is_undone, state.is_earlier) for state in list_states(changed)] == [
        (4, True, False), (3, True, False), (2, True, False), (1, False, False),
    ]  # fmt: skip
    assert len(restore(changed, to=3)) == 13


def test_a_change_after_going_back_drops_what_was_undone(changed: Path) -> None:
    restore(changed, to=2)
    remove(changed, 4)
    assert counts(changed) == {5: 13, 2: 14, 1: 15}
    assert len(restore(changed)) == 14


def test_only_so_many_states_are_kept_as_are_set(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(history.SETTING, "2")
    remove(changed, 3)
    assert counts(changed) == {5: 11, 4: 12, 3: 13}
    monkeypatch.setenv(history.SETTING, "nonsense")
    remove(changed, 4)
    assert counts(changed) == {6: 10, 5: 11, 4: 12, 3: 13}


def test_of_large_states_only_the_last_is_kept(changed: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(history, "MOST_BYTES", 1)
    remove(changed, 3)
    assert counts(changed) == {5: 11, 4: 12}


def test_a_state_that_is_not_there_or_damaged_or_live_is_refused_and_the_gallery_stays(changed: Path) -> None:
    with pytest.raises(GalleryError, match="has no state 9; there are: 1, 2, 3, 4"):
        restore(changed, to=9)
    with pytest.raises(GalleryError, match="is at state 4 already"):
        restore(changed, to=4)
    (changed / "generations" / "000002" / "items.parquet").write_bytes(b"damaged")
    with pytest.raises(GalleryDamagedError, match="damaged or missing"):
        restore(changed, to=2)
    assert len(Gallery.open(changed)) == 12
    assert sorted(counts(changed)) == [1, 3, 4]


def test_earlier_states_can_be_deleted_for_their_room_with_thumbnails_that_only_they_have(changed: Path) -> None:
    forget_other_states(changed)
    assert counts(changed) == {4: 12}
    assert len(list(changed.glob("thumbnails/*/*.jpg"))) == 12
    (changed / "generations" / "000004" / "items.parquet").write_bytes(b"damaged")
    with pytest.raises(GalleryDamagedError):
        forget_other_states(changed)


def test_a_state_that_somebody_reads_cannot_be_deleted_and_that_is_said(changed: Path) -> None:
    reader = Gallery.open(changed)
    remove(changed, 3)
    with pytest.raises(GalleryBusyError, match="1 earlier state could not be deleted, being in use"):
        forget_other_states(changed)
    assert counts(changed) == {5: 11, 4: 12}
    assert len(reader) == 12
    del reader
    forget_other_states(changed)
    assert counts(changed) == {5: 11}

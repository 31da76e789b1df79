"""Changing labels as a job, and undoing one of these changes and no other."""

import shutil
from pathlib import Path

import pytest

from similarity import Gallery
from similarity.indexing.unlabelling import Unlabelled
from similarity.service.jobs import Jobs
from similarity.service.relabelling import Relabelling, TakingBack
from similarity.sources.base import files_of

pytestmark = pytest.mark.usefixtures("standin_network")
ONE, COPY, OTHER = "dots/dots-0.jpg", "rings/copy.jpg", "rings/rings-1.jpg"


@pytest.fixture
def mine(own_pictures: Path, tmp_path: Path) -> Gallery:
    """A gallery in which one picture has an exact copy under another label."""
    shutil.copy(own_pictures / ONE, own_pictures / COPY)
    return Gallery.build(own_pictures, tmp_path / "mine", model="efficientnet-lite2")


def run(work: Relabelling | TakingBack) -> None:
    job = Jobs().start(work.directory, "relabel", work)
    assert job.wait(30)
    assert job.status.state == "done"


def label(gallery: Gallery, names: list[str], given: str | None) -> Relabelling:
    """Give pictures a label, or confirm theirs, in the gallery as it is now."""
    now = Gallery.open(gallery.directory)
    work = Relabelling.of(now, [now.find(name) for name in names], given)
    run(work)
    return work


def undo(work: Relabelling) -> tuple[int, int, int]:
    """Undo a job; returns how many pictures were undone, were changed since, and are gone."""
    back = TakingBack(work)
    run(back)
    assert isinstance(back.done, Unlabelled)
    return back.done.undone, back.done.changed, back.done.gone


def labels(gallery: Gallery) -> dict[str, str | None]:
    return {file.id: file.label for file in files_of(Gallery.open(gallery.directory).items)}


def test_a_later_label_of_somebody_else_stays_when_an_earlier_change_is_undone(mine: Gallery) -> None:
    work = label(mine, [ONE, OTHER], "blots")
    label(mine, [OTHER], "hoops")
    assert undo(work) == (1, 1, 0)
    assert labels(mine) == labels_of_before(mine) | {OTHER: "hoops"}
    assert undo(work) == (0, 2, 0)
    assert labels(mine)[OTHER] == "hoops"


def test_a_picture_that_left_meanwhile_does_not_keep_others_from_being_undone(mine: Gallery) -> None:
    work = label(mine, [ONE, OTHER], "blots")
    Gallery.open(mine.directory).remove(ids=[OTHER])
    assert undo(work) == (1, 0, 1)
    assert labels(mine) == {name: one for name, one in labels_of_before(mine).items() if name != OTHER}


def test_copies_have_each_its_own_label_again(mine: Gallery) -> None:
    label(mine, [ONE], None)
    confirmed = Gallery.open(mine.directory).given_labels
    assert undo(label(mine, [ONE], "blots")) == (1, 0, 0)
    assert labels(mine) == labels_of_before(mine)
    assert Gallery.open(mine.directory).given_labels == confirmed


def test_undoing_follows_a_picture_to_a_gallery_made_anew_in_the_same_place(mine: Gallery, own_pictures: Path) -> None:
    work = label(mine, [ONE], "blots")
    Gallery.build(own_pictures / "rings", mine.directory, model="efficientnet-lite2")
    assert labels(mine)[COPY.removeprefix("rings/")] == "blots"
    assert undo(work) == (1, 0, 0)
    assert not Gallery.open(mine.directory).given_labels


def labels_of_before(gallery: Gallery) -> dict[str, str | None]:
    """Of each file, before any was changed."""
    return {file.id: file.label for file in files_of(gallery.items)}

"""Taking files out of a gallery as a job, and putting them back."""

import shutil
import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest

from similarity import Gallery
from similarity.indexing import removing
from similarity.service.jobs import Job, Jobs
from similarity.service.taking_out import PuttingBack, TakingOut
from similarity.sources.base import files_of
from similarity.storage.locks import writing

pytestmark = pytest.mark.usefixtures("standin_network")


@pytest.fixture
def mine(own_pictures: Path, tmp_path: Path) -> Gallery:
    """A gallery in which one picture has an exact copy."""
    shutil.copy(own_pictures / "dots" / "dots-0.jpg", own_pictures / "rings" / "copy.jpg")
    return Gallery.build(own_pictures, tmp_path / "mine", model="efficientnet-lite2")


def run(work: TakingOut | PuttingBack, directory: Path) -> Job:
    job = Jobs().start(directory, "remove" if isinstance(work, TakingOut) else "restore", work)
    assert job.wait(30)
    return job


def ids(gallery: Gallery) -> set[str]:
    return {file.id for file in files_of(Gallery.open(gallery.directory).items)}


def test_files_are_taken_out_and_put_back_and_stay_on_the_disk(mine: Gallery, own_pictures: Path) -> None:
    work = TakingOut.of(mine, ["dots/dots-1.jpg", "dots/dots-2.jpg"], ["dots/dots-3.jpg"])
    assert run(work, mine.directory).status.state == "done"
    assert ids(mine) == ids_of(own_pictures) - {"dots/dots-1.jpg", "dots/dots-2.jpg"}
    assert (own_pictures / "dots" / "dots-1.jpg").exists()
    assert run(PuttingBack(work), mine.directory).status.state == "done"
    assert Gallery.open(mine.directory).state == mine.state


@pytest.mark.parametrize(
    ("taken", "left"), [("rings/copy.jpg", "dots/dots-0.jpg"), ("dots/dots-0.jpg", "rings/copy.jpg")]
)
def test_of_exact_copies_one_is_taken_out_and_the_picture_stays(mine: Gallery, taken: str, left: str) -> None:
    assert len(mine) == 15
    run(TakingOut.of(mine, [taken], [left]), mine.directory)
    now = Gallery.open(mine.directory)
    assert len(now) == 15
    assert now.find(left).id == left
    assert not now.find(left).copies
    assert taken not in ids(mine)


def test_nothing_is_taken_out_of_a_gallery_that_has_changed(mine: Gallery) -> None:
    work = TakingOut.of(mine, ["dots/dots-1.jpg"], [])
    changed = mine.remove(ids=["dots/dots-2.jpg"])
    status = run(work, mine.directory).status
    assert status.state == "failed"
    assert "nothing was removed" in status.error
    assert Gallery.open(mine.directory).state == changed.state


def test_nothing_is_taken_out_if_another_change_comes_in_before_the_lock(
    mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    work, others = TakingOut.of(mine, ["dots/dots-1.jpg"], []), []

    @contextmanager
    def second_in_line(*args: Any, **options: Any) -> Iterator[None]:
        monkeypatch.setattr(removing, "writing", writing)
        others.append(mine.remove(ids=["dots/dots-2.jpg"]))
        with writing(*args, **options):
            yield

    monkeypatch.setattr(removing, "writing", second_in_line)
    status = run(work, mine.directory).status
    assert status.state == "failed"
    assert "nothing was removed" in status.error
    assert Gallery.open(mine.directory).state == others[0].state


def test_a_change_right_after_taking_out_is_not_undone_for_it(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    work, others = TakingOut.of(mine, ["dots/dots-1.jpg"], []), []

    @contextmanager
    def with_a_next_one(*args: Any, **options: Any) -> Iterator[None]:
        monkeypatch.setattr(removing, "writing", writing)
        with writing(*args, **options):
            yield
        others.append(Gallery.open(mine.directory).remove(ids=["dots/dots-2.jpg"]))

    monkeypatch.setattr(removing, "writing", with_a_next_one)
    assert run(work, mine.directory).status.state == "done"
    assert run(PuttingBack(work), mine.directory).status.state == "failed"
    assert Gallery.open(mine.directory).state == others[0].state


def test_a_later_change_is_not_undone(mine: Gallery) -> None:
    work = TakingOut.of(mine, ["dots/dots-1.jpg"], [])
    run(work, mine.directory)
    later = Gallery.open(mine.directory).remove(ids=["dots/dots-2.jpg"])
    status = run(PuttingBack(work), mine.directory).status
    assert status.state == "failed"
    assert "has changed since" in status.error
    assert Gallery.open(mine.directory).state == later.state


def test_another_spelling_of_a_kept_file_stays_since_removing_it_would_take_both(mine: Gallery) -> None:
    one, other = (unicodedata.normalize(form, "é.jpg") for form in ("NFC", "NFD"))
    assert TakingOut.of(mine, [other, "dots/dots-1.jpg"], [one]).ids == ("dots/dots-1.jpg",)


def ids_of(folder: Path) -> set[str]:
    return {path.relative_to(folder).as_posix() for path in folder.rglob("*.jpg")}

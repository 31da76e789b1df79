"""A disk that is full, cannot be written or does not confirm: it is said, and the old gallery still answers."""

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
import standin

from similarity.errors import GalleryError
from similarity.gallery import Gallery
from similarity.indexing import operations, removing
from similarity.indexing.options import IndexOptions
from similarity.sources import open_source

SIZE = 4_000_000


pytestmark = pytest.mark.usefixtures("standin_network")


@pytest.fixture
def gallery(own_pictures: Path, tmp_path: Path) -> Gallery:
    """Of ten of the pictures; the other five are in `more`."""
    (tmp_path / "more").mkdir()
    shutil.move(own_pictures / "rings", tmp_path / "more")
    return make(own_pictures, tmp_path / "gallery")


def make(pictures: Path, directory: Path) -> Gallery:
    operations.index(open_source(pictures), directory, IndexOptions(standin.CHOICE))
    return Gallery.open(directory, load=standin.load)


def add(directory: Path, source: Path) -> None:
    operations.update("add", open_source(source), directory, standin.load)


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 4 MB in memory."""
    place = tmp_path / "disk"
    place.mkdir()
    mounted = subprocess.run(
        ["mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(place)], capture_output=True, check=False
    )
    if mounted.returncode:
        pytest.skip("this user cannot mount a file system")
    yield place
    subprocess.run(["umount", "--lazy", str(place)], check=True)


def test_on_a_full_disk_the_old_gallery_answers_and_the_next_run_goes_on_when_there_is_room(
    own_pictures: Path, tmp_path: Path, small_disk: Path
) -> None:
    (tmp_path / "more").mkdir()
    shutil.move(own_pictures / "rings", tmp_path / "more")
    make(own_pictures, small_disk / "gallery")
    expected = standin.answers(small_disk / "gallery")
    free = shutil.disk_usage(small_disk).free
    said = set()
    for room in (0, 8_192, 40_960, 81_920, 122_880, 163_840, 204_800, 245_760):
        (small_disk / "filler").write_bytes(bytes(free - room))
        try:
            add(small_disk / "gallery", tmp_path / "more")
        except GalleryError as error:
            said.add(str(error))
            assert standin.answers(small_disk / "gallery") == expected
        else:
            break
        finally:
            (small_disk / "filler").unlink()
    assert len(said) >= 1
    assert all("could not be written (" in one or "cannot be written (" in one for one in said), said
    add(small_disk / "gallery", tmp_path / "more")
    assert len(Gallery.open(small_disk / "gallery")) == 15


def test_a_first_build_on_a_full_disk_is_an_error(own_pictures: Path, small_disk: Path) -> None:
    (small_disk / "filler").write_bytes(bytes(shutil.disk_usage(small_disk).free - 16_384))
    with pytest.raises(GalleryError, match="written"):
        make(own_pictures, small_disk / "gallery")
    (small_disk / "filler").unlink()
    assert len(make(own_pictures, small_disk / "gallery")) == 15


def test_a_gallery_that_cannot_be_written_can_be_searched(own_pictures: Path, small_disk: Path) -> None:
    directory = small_disk / "gallery"
    make(own_pictures, directory)
    expected = standin.answers(directory)
    subprocess.run(["mount", "-o", "remount,ro", str(small_disk)], check=True)
    try:
        (own_pictures / "dots" / "dots-0.jpg").unlink()
        for run in (lambda: add(directory, own_pictures), lambda: removing.remove(directory, labels=["dots"])):
            with pytest.raises(GalleryError, match=r"cannot be written \(Read-only file system\)"):
                run()
        assert standin.answers(directory) == expected
    finally:
        subprocess.run(["mount", "-o", "remount,rw", str(small_disk)], check=True)


class FailsAt:
    """A function that works, but for one call."""

    def __init__(self, function, number: int) -> None:  # type: ignore[no-untyped-def]
        self._function = function
        self._number = number
        self.calls = 0

    def __call__(self, *arguments, **options):  # type: ignore[no-untyped-def]
        self.calls += 1
        if self.calls == self._number:
            raise OSError(5, "Input/output error")
        return self._function(*arguments, **options)

    def __get__(self, instance: object, _: type) -> object:
        """Bound, where it stands for a method."""
        return self if instance is None else lambda *arguments: self(instance, *arguments)


@pytest.mark.parametrize(("owner", "name"), [(os, "fsync"), (Path, "replace")])
def test_a_disk_that_does_not_confirm_is_an_error_and_the_old_gallery_answers(
    gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, owner: object, name: str
) -> None:
    expected = standin.answers(gallery.directory)
    before = sorted(path.name for path in (gallery.directory / "generations").iterdir())
    number, said = 1, list[str]()
    while True:
        failing = FailsAt(getattr(owner, name), number)
        with monkeypatch.context() as patch:
            patch.setattr(owner, name, failing)
            try:
                add(gallery.directory, tmp_path / "more")
            except GalleryError as error:
                said.append(str(error))
            else:
                break
        assert standin.answers(gallery.directory) == expected
        assert sorted(path.name for path in (gallery.directory / "generations").iterdir()) == before
        number += 1
    assert failing.calls < number, "every call of it has failed once"
    assert len(said) >= (8 if name == "fsync" else 1)
    assert all("could not be written (Input/output error)" in one for one in said)
    assert len(Gallery.open(gallery.directory)) == 15


def test_a_disk_that_confirms_nothing_any_more_leaves_the_old_gallery(
    gallery: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """From any moment of the run on, every confirmation fails, those on the way back too."""
    expected, real = standin.answers(gallery.directory), os.fsync
    for first in range(1, 12):
        calls = iter(range(1, 1000))

        def failing(descriptor: int, first: int = first, calls: Iterator[int] = calls) -> None:
            if next(calls) >= first:
                raise OSError(5, "Input/output error")
            real(descriptor)

        with monkeypatch.context() as patch:
            patch.setattr(os, "fsync", failing)
            try:
                add(gallery.directory, tmp_path / "more")
            except GalleryError:
                assert standin.answers(gallery.directory) == expected
                assert not (gallery.directory / "CURRENT.new").exists() or first < 11
            else:
                return
    pytest.fail("the run never got through")

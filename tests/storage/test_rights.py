import os
from pathlib import Path

import pytest
from commands import Run
from rights import without

from similarity import Gallery
from similarity.errors import GalleryDamagedError, GalleryUnreadableError
from similarity.sample import is_ready
from similarity.storage import current
from similarity.storage.inventory import look_at, take_inventory

# What of a gallery may be another user's: each is reached by another way.
PARTS = ["", "CURRENT", "generations", "generations/000001", "manifest.json", "items.parquet", "embeddings.npy"]


def of_gallery(gallery: Gallery, part: str) -> Path:
    generation = gallery.directory / "generations" / "000001"
    return generation / part if (generation / part).is_file() else gallery.directory / part


@pytest.fixture
def own(own_pictures: Path, empty_home: Path) -> Gallery:
    return Gallery.build(own_pictures, empty_home / "galleries" / "own")


@pytest.mark.many
@pytest.mark.parametrize("part", PARTS)
def test_what_this_user_may_not_read_is_not_called_damaged_or_missing(own: Gallery, run: Run, part: str) -> None:
    path = of_gallery(own, part)
    picture = own.items[0].path
    with without(path):
        for words in (["search", picture], ["verify"], ["info"], ["duplicates"], ["add", str(Path(picture).parent)]):
            done = run(*words, "--gallery", "own")
            assert done.returncode == 1
            assert "cannot be read (Permission denied): run this as the user who made it" in done.stderr
            assert "again" not in done.stderr
            assert "damaged" not in done.stderr
    assert run("verify", "--gallery", "own").returncode == 0


@pytest.mark.parametrize("part", PARTS[:5])
def test_a_list_names_what_this_user_may_not_read_rather_than_to_say_that_there_is_nothing(
    own: Gallery, run: Run, part: str
) -> None:
    with without(of_gallery(own, part)):
        done = run("list")
        (entry,) = take_inventory()
    assert "Permission denied" in done.stderr
    assert "no galleries yet" not in done.stderr
    assert (entry.name, entry.condition) == ("own", "unreadable")
    assert "Permission denied" in entry.fault


def test_a_folder_of_galleries_that_may_not_be_listed_is_not_called_empty(own: Gallery, run: Run) -> None:
    with without(own.directory.parent):
        for words in (["list"], ["search", own.items[0].path, "-g", "other"], ["restore", "-g", "other"]):
            done = run(*words)
            assert done.returncode == 1
            assert "cannot be read (Permission denied)" in done.stderr
    with without(own.directory.parent, 0o311):  # one may be opened by its name
        assert Gallery.open(own.directory).name == "own"


def test_a_sample_gallery_that_may_not_be_read_is_not_indexed_again(empty_home: Path, run: Run) -> None:
    sample = empty_home / "galleries" / "sample"
    (sample / "generations").mkdir(parents=True)
    (sample / "CURRENT").write_text("000001 0\n")
    with without(sample):
        with pytest.raises(GalleryUnreadableError):
            is_ready()
        done = run("info")
    assert "Permission denied" in done.stderr
    assert "indexed" not in done.stderr


def test_too_many_open_files_are_not_damage_either(own: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    def no_more(path: Path, _: int) -> bytes:
        raise OSError(24, os.strerror(24), str(path))

    monkeypatch.setattr(current, "read_own", no_more)
    with pytest.raises(GalleryUnreadableError, match=r"CURRENT cannot be read \(Too many open files\): try again"):
        Gallery.open(own.directory)


def test_what_is_damaged_is_still_called_so(own: Gallery) -> None:
    (of_gallery(own, "items.parquet")).unlink()
    with pytest.raises(GalleryDamagedError, match=r"items\.parquet is damaged or missing"):
        Gallery.open(own.directory)
    (own.directory / "CURRENT").unlink()
    entry = look_at(own.directory)
    assert entry
    assert entry.condition == "unfinished"


def test_pictures_in_a_folder_that_may_not_be_read_are_results_and_not_called_gone(own: Gallery, run: Run) -> None:
    picture = next(item for item in own.items if item.label == "dots")
    query = next(item.path for item in own.items if item.label == "rings")
    with without(Path(picture.path).parent):
        assert not picture.is_gone
        done = run("search", query, "-g", "own", "-k", len(own))
    assert done.returncode == 0, done.stderr
    assert picture.path in done.stdout
    assert "gone" not in done.stdout
    Path(picture.path).unlink()
    assert picture.is_gone

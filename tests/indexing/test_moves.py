"""Sources that were moved or renamed: a sync with the new place moves their pictures instead of doubling them."""

import shutil
from pathlib import Path

import pytest
from conftest import MODEL, Site, draw

from similarity import Gallery, Item
from similarity.embedding.embedder import Embedder
from similarity.gallery import restore
from similarity.indexing import operations
from similarity.sources import open_source
from similarity.sources.base import files_of, is_place_gone
from similarity.sources.originals import read_original
from similarity.storage.manifest import Report


@pytest.fixture
def home_folder(tmp_path: Path) -> Path:
    """Pictures in a folder that can be moved as a whole."""
    return tmp_path / "holiday"


@pytest.fixture
def folder(own_pictures: Path, home_folder: Path) -> Path:
    shutil.move(own_pictures, home_folder)
    return home_folder


@pytest.fixture
def light(light_embedder: Embedder, tmp_path: Path):  # type: ignore[no-untyped-def]
    """Builds a gallery of a source, and opens it with the light network."""

    def build(source: Path) -> Gallery:
        built = Gallery.build(source, tmp_path / "gallery", model=MODEL)
        return Gallery.open(built.directory, load=lambda _: light_embedder)

    return build


def counts(report: Report | None) -> dict[str, int]:
    assert report
    return {name: count for name, count in report.counts.items() if count}


def files(gallery: Gallery) -> list[Item]:
    return list(files_of(gallery.items))


def test_a_moved_folder_is_recognised_and_nothing_is_embedded(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    gallery = light(folder)
    before = {file.id: file.sha256 for file in files(gallery)}
    new = folder.rename(tmp_path / "archive")
    assert counts(gallery.preview.sync(new)) == {"moved": 15}
    synced = gallery.sync(new)
    assert counts(synced.report) == {"moved": 15}
    assert {file.id: file.sha256 for file in files(synced)} == before
    assert all(Path(file.path).is_relative_to(new) and file.source == str(new) for file in files(synced))
    assert synced.manifest.source == str(new)
    hits = synced.search(new / "dots" / "dots-0.jpg", 15)
    assert all(Path(hit.item.path).is_file() for hit in hits)
    report = operations.update("sync", open_source(new), synced.directory, lambda _: pytest.fail("loaded"))
    assert counts(report) == {"unchanged": 15}


def test_a_folder_that_was_changed_after_it_was_moved(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    (folder / "notes.jpg").write_text("buy milk")
    gallery = light(folder)
    new = folder.rename(tmp_path / "archive")
    (new / "rings" / "rings-0.jpg").rename(new / "dots" / "renamed.jpg")
    (new / "dots" / "dots-1.jpg").unlink()
    draw("dots", 71).save(new / "dots" / "new.jpg")
    (new / "notes.jpg").unlink()
    synced = gallery.sync(new)
    assert counts(synced.report) == {"moved": 14, "added": 1, "embedded": 1}
    gone = [file for file in files(synced) if file.is_gone]
    assert [(file.id, file.source) for file in gone] == [("dots/dots-1.jpg", str(folder))], "it may be on another disk"
    assert {"dots/renamed.jpg", "dots/new.jpg"} <= {file.id for file in files(synced)}
    forgotten = synced.remove(paths=[str(folder)])
    assert len(files(forgotten)) == 15


def test_a_moved_zip_is_recognised(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    archive = Path(shutil.make_archive(str(tmp_path / "old"), "zip", folder))
    gallery = light(archive)
    new = archive.rename(tmp_path / "new.zip")
    synced = gallery.sync(new)
    assert counts(synced.report) == {"moved": 15}
    assert len(files(synced)) == 15
    assert not any(file.is_gone for file in files(synced))


def test_a_csv_that_was_moved_with_its_pictures_is_recognised(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    table = folder / "table.csv"
    table.write_text("id,path,label\n1,dots/dots-0.jpg,a\n2,rings/rings-0.jpg,b\n")
    gallery = light(table)
    folder.rename(tmp_path / "archive")
    synced = gallery.sync(tmp_path / "archive" / "table.csv")
    assert counts(synced.report) == {"moved": 2}
    assert [(file.id, file.label, file.is_gone) for file in files(synced)] == [("1", "a", False), ("2", "b", False)]


def test_a_csv_that_was_renamed_keeps_its_rows_and_is_the_source_from_then_on(
    light,  # type: ignore[no-untyped-def]
    folder: Path,
    site: Site,
) -> None:
    site.pages["/r.jpg"] = (200, {}, (folder / "rings" / "rings-0.jpg").read_bytes())
    table = folder / "table.csv"
    table.write_text(f"path,label\ndots/dots-0.jpg,a\n{site.url('/r.jpg')},b\n")
    gallery = light(table)
    new = table.rename(folder / "renamed.csv")
    synced = gallery.sync(new)
    assert counts(synced.report) == {"unchanged": 2}
    assert synced.items.sources() == [str(new)]
    assert site.asked == ["/r.jpg"]
    new.write_text("path,label\ndots/dots-0.jpg,c\n")
    assert counts(synced.sync(new).report) == {"removed": 1, "relabelled": 1, "unchanged": 1}


def test_a_copy_of_a_folder_that_is_still_there_is_added(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    gallery = light(folder)
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    synced = gallery.sync(copy)
    assert counts(synced.report) == {"added": 15}
    assert (len(synced), len(files(synced))) == (15, 30)


def test_adding_a_moved_folder_keeps_the_entries_of_the_old_place(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    gallery = light(folder)
    added = gallery.add(folder.rename(tmp_path / "archive"))
    assert counts(added.report) == {"added": 15}
    assert len(files(added)) == 30


def test_each_of_several_copies_moves_once(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    for number in range(2):
        shutil.copy(folder / "dots" / "dots-0.jpg", folder / "rings" / f"copy-{number}.jpg")
    gallery = light(folder)
    new = folder.rename(tmp_path / "archive")
    (new / "rings" / "copy-1.jpg").unlink()
    synced = gallery.sync(new)
    assert counts(synced.report) == {"moved": 16}
    assert [file.id for file in files(synced) if file.is_gone] == ["rings/copy-1.jpg"]
    assert sorted(file.id for file in files(synced) if file.label == "rings" and not file.is_gone) == [
        "rings/copy-0.jpg",
        *(f"rings/rings-{number}.jpg" for number in range(5)),
    ]


def test_a_sub_folder_that_became_a_source_of_its_own(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    gallery = light(folder)
    new = (folder / "rings").rename(tmp_path / "circles")
    synced = gallery.sync(new)
    assert counts(synced.report) == {"moved": 5}
    assert counts(synced.sync(folder).report) == {"unchanged": 10}


@pytest.fixture
def doubled(light, folder: Path, tmp_path: Path) -> tuple[Gallery, Path, Path]:  # type: ignore[no-untyped-def]
    """A gallery with each picture in two folders, of which the first is gone; with the place that it went to."""
    gallery = light(folder)
    copy = Path(shutil.copytree(folder, tmp_path / "copy"))
    both = gallery.add(copy)
    return both, copy, folder.rename(tmp_path / "away")


def test_among_copies_one_that_is_there_is_shown(doubled: tuple[Gallery, Path, Path]) -> None:
    both, copy, away = doubled
    hits = both.search(away / "dots" / "dots-0.jpg", 15)
    assert all(Path(hit.item.path).is_relative_to(copy) for hit in hits)
    assert [len(hit.item.copies) for hit in hits] == [1] * 15
    first = hits[0].item
    assert both.find(first.id) == first
    assert both.find("dots/dots-0.jpg") == first, "by the id of the file that is gone"
    assert first.copies[0].is_gone
    assert {hit.item.id for hit in both.near_identical(first.id, 14)}.isdisjoint({first.id, "dots/dots-0.jpg"})
    assert first.sha256 not in {
        hit.item.sha256 for hit in both.search(copy / "dots" / "dots-0.jpg", 15, exclude_query=True)
    }
    away.rename(Path(both.manifest.source))
    assert both.search(copy / "dots" / "dots-0.jpg", 1)[0].item.id == "dots/dots-0.jpg", "it is back"


def test_the_picture_of_a_copy_is_read_where_the_first_file_is_gone(doubled: tuple[Gallery, Path, Path]) -> None:
    both, copy, _ = doubled
    gone = both.items[0]
    assert gone.is_gone
    assert read_original(gone).data == (copy / gone.id).read_bytes()


def test_indexing_anew_counts_the_pictures_that_leave(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    light(folder)
    (tmp_path / "other").mkdir()
    shutil.copy(folder / "dots" / "dots-0.jpg", tmp_path / "other" / "same.jpg")
    draw("dots", 71).save(tmp_path / "other" / "new.jpg")
    draw("dots", 72).save(folder / "rings" / "rings-0.jpg")  # the same path, which still has a picture
    assert counts(light(tmp_path / "other").manifest.last_run) == {"added": 2, "removed": 14, "embedded": 1}
    assert len(restore(tmp_path / "gallery")) == 15
    assert counts(light(folder).manifest.last_run) == {"added": 15, "embedded": 1}


@pytest.mark.parametrize("kind", ["folder", "zip", "csv"])
def test_a_disk_with_gallery_and_pictures_works_wherever_it_is(
    folder: Path, tmp_path: Path, light_embedder: Embedder, kind: str
) -> None:
    disk = tmp_path / "media" / "disk"
    disk.mkdir(parents=True)
    source = folder.rename(disk / "photos")
    if kind == "zip":
        source = Path(shutil.make_archive(str(disk / "photos"), "zip", source))
    elif kind == "csv":
        source = disk / "photos" / "table.csv"
        source.write_text("path\ndots/dots-0.jpg\nrings/rings-0.jpg\n")
    else:
        (source / "notes.jpg").write_text("buy milk")
    built = Gallery.build(source, disk / "galleries" / "mine", model=MODEL, exclude=["*.png"])
    count, row = len(built), (disk / "galleries" / "mine" / "CURRENT").read_text()
    del built
    new = disk.rename(tmp_path / "elsewhere")
    found = Gallery.open(new / "galleries" / "mine", load=lambda _: light_embedder)
    now = new / source.relative_to(disk)
    assert all(Path(file.path).is_relative_to(new) and not file.is_gone for file in files(found))
    assert (found.manifest.source, found.items.sources(), len(found)) == (str(now), [str(now)], count)
    assert read_original(found.items[0]).sha256 == found.items[0].sha256
    assert (found.directory / "CURRENT").read_text() == row, "opening writes nothing"
    synced = found.sync(now)
    assert counts(synced.report) == {"unchanged": count}
    assert synced.manifest.excluded == {str(now): ["*.png"]}
    unusable = [str(now / "notes.jpg")] if kind == "folder" else []
    assert [file.path for file in synced.manifest.skipped] == unusable, "each once, where it is now"


def test_a_gallery_that_was_moved_alone_keeps_the_places_of_its_pictures(light, folder: Path, tmp_path: Path) -> None:  # type: ignore[no-untyped-def]
    gallery = light(folder)
    (tmp_path / "other").mkdir()
    shutil.copytree(gallery.directory, tmp_path / "other" / "gallery")
    shutil.copytree(folder, tmp_path / "other" / folder.name)
    there = Gallery.open(tmp_path / "other" / "gallery")
    assert [file.path for file in files(there)] == [file.path for file in files(gallery)]


def test_vanished_pictures_leave_also_where_very_many_files_are_not_read(
    light, folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:  # type: ignore[no-untyped-def]
    monkeypatch.setattr("similarity.sources.unread.MAX_NAMED", 2)
    for number in range(4):
        (folder / f"{number}.pdf").write_bytes(b"%PDF-1.7")
    gallery = light(folder)
    assert any("further files" in file.reason for file in gallery.manifest.skipped)
    (folder / "dots" / "dots-0.jpg").unlink()
    assert counts(gallery.sync(folder).report)["removed"] == 1
    assert tmp_path


def test_a_place_that_cannot_be_looked_for_is_not_taken_for_gone() -> None:
    assert is_place_gone("/nowhere/at/all")
    assert not is_place_gone(f"/{'long' * 1000}")
    assert not is_place_gone("https://example.com/list.csv")

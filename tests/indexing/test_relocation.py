"""Relocating pictures: a gallery learns that an archive is elsewhere, without reading it."""

import shutil
from pathlib import Path

import pytest
from conftest import MODEL, Site

from similarity import Gallery, Item
from similarity.errors import GalleryError
from similarity.gallery import restore
from similarity.sources.base import files_of
from similarity.storage.manifest import Report


@pytest.fixture
def gallery(own_pictures: Path, tmp_path: Path, light_embedder) -> Gallery:  # type: ignore[no-untyped-def]
    """Of a folder with fifteen pictures, and a file that is none."""
    (own_pictures / "notes.jpg").write_text("buy milk")
    return build(own_pictures, tmp_path, light_embedder)


def build(source: Path, tmp_path: Path, light_embedder) -> Gallery:  # type: ignore[no-untyped-def]
    built = Gallery.build(source, tmp_path / "gallery", model=MODEL)
    return Gallery.open(built.directory, load=lambda _: light_embedder)


def counts(report: Report | None) -> dict[str, int]:
    assert report
    return {name: count for name, count in report.counts.items() if count}


def files(gallery: Gallery) -> list[Item]:
    return list(files_of(gallery.items))


def synced(gallery: Gallery, place: Path) -> dict[str, int]:
    """The counts of a sync: nothing is embedded unless it says so."""
    return counts(gallery.sync(place).report)


def test_a_folder_that_is_offline_is_relocated_and_later_in_step(
    gallery: Gallery, own_pictures: Path, tmp_path: Path
) -> None:
    new = tmp_path / "disk" / "archive"
    vectors = gallery.vectors[:]
    offline = own_pictures.rename(tmp_path / "offline")
    assert counts(gallery.preview.relocate(own_pictures, new)) == {"moved": 15}
    assert gallery.is_live
    moved = gallery.relocate(own_pictures, new)
    assert counts(moved.report) == {"moved": 15}
    assert [file.path for file in files(moved)] == [str(new / file.id) for file in files(gallery)]
    assert [file.id for file in files(moved)] == [file.id for file in files(gallery)]
    assert (moved.vectors[:] == vectors).all()
    assert moved.manifest.source == str(new)
    assert moved.manifest.skipped[0].path == str(new / "notes.jpg")
    new.parent.mkdir()
    offline.rename(new)
    assert synced(moved, new) == {"unchanged": 15}
    assert [Path(hit.item.path).exists() for hit in moved.search(new / "dots" / "dots-0.jpg", 15)] == [True] * 15
    assert restore(moved.directory).manifest.source == str(own_pictures), "a relocation can be undone"


def test_a_zip_and_a_list_are_relocated(own_pictures: Path, tmp_path: Path, light_embedder) -> None:  # type: ignore[no-untyped-def]
    archive = Path(shutil.make_archive(str(tmp_path / "old"), "zip", own_pictures))
    (own_pictures / "table.csv").write_text("path\ndots/dots-0.jpg\n")
    both = build(archive, tmp_path, light_embedder).add(own_pictures / "table.csv")
    zipped = both.relocate(archive, archive.rename(tmp_path / "new.zip"))
    assert counts(zipped.report) == {"moved": 15}
    assert not any(file.is_gone for file in files(zipped))
    listed = zipped.relocate(own_pictures, own_pictures.rename(tmp_path / "elsewhere"))
    assert counts(listed.report) == {"moved": 1}
    assert listed.items.sources() == [str(tmp_path / "new.zip"), str(tmp_path / "elsewhere" / "table.csv")]
    assert synced(listed, tmp_path / "elsewhere" / "table.csv") == {"unchanged": 1}
    renamed = (tmp_path / "elsewhere" / "table.csv").rename(tmp_path / "elsewhere" / "list.csv")
    again = listed.relocate(tmp_path / "elsewhere" / "table.csv", renamed)
    assert counts(again.report) == {"moved": 1}
    assert synced(again, renamed) == {"unchanged": 1}


def test_a_part_of_a_folder_becomes_a_source_of_its_own(gallery: Gallery, own_pictures: Path, tmp_path: Path) -> None:
    moved = gallery.relocate(own_pictures / "rings", (own_pictures / "rings").rename(tmp_path / "circles"))
    assert counts(moved.report) == {"moved": 5}
    assert synced(moved, own_pictures) == {"unchanged": 10}
    assert len(files(Gallery.open(moved.directory))) == 15
    (own_pictures / "dots" / "dots-0.jpg").rename(tmp_path / "one.jpg")
    one = moved.relocate(own_pictures / "dots" / "dots-0.jpg", tmp_path / "one.jpg")
    assert counts(one.report) == {"moved": 1}


def test_what_a_gallery_knows_in_both_places_is_known_once(
    gallery: Gallery, own_pictures: Path, tmp_path: Path
) -> None:
    copy = Path(shutil.copytree(own_pictures, tmp_path / "copy"))
    both = gallery.add(copy)
    assert len(files(both)) == 30
    single = both.relocate(own_pictures, copy)
    assert counts(single.report) == {"removed": 15}
    assert (len(files(single)), len(single)) == (15, 15)


def test_addresses_are_relocated_by_their_first_part(
    own_pictures: Path,
    tmp_path: Path,
    site: Site,
    light_embedder,  # type: ignore[no-untyped-def]
) -> None:
    site.pages["/r.jpg"] = (200, {}, (own_pictures / "rings" / "rings-0.jpg").read_bytes())
    (own_pictures / "table.csv").write_text(f"url\n{site.url('/r.jpg')}\n")
    gallery = build(own_pictures / "table.csv", tmp_path, light_embedder)
    moved = gallery.relocate(site.url("/"), "https://pictures.example/2024/")
    assert [file.path for file in files(moved)] == ["https://pictures.example/2024/r.jpg"]


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("/nowhere/at/all", "/new", r"No picture of the gallery is in /nowhere/at/all: nothing was changed. Its .*own"),
        ("/same", "/same/", "is the old and the new place"),
        ("/here", "https://pictures.example", "must be two paths, or two addresses"),
    ],
)
def test_a_relocation_that_makes_no_sense_is_an_error(gallery: Gallery, old: str, new: str, reason: str) -> None:
    with pytest.raises(GalleryError, match=reason):
        gallery.relocate(old, new)
    assert gallery.is_live


def test_a_folder_whose_name_begins_alike_stays(gallery: Gallery, own_pictures: Path, tmp_path: Path) -> None:
    other = Path(shutil.copytree(own_pictures / "dots", own_pictures.with_name("own-2")))
    both = gallery.add(other)
    moved = both.relocate(own_pictures, tmp_path / "new")
    assert {file.source for file in files(moved)} == {str(tmp_path / "new"), str(other)}


def test_pictures_that_move_into_a_folder_of_their_copies_take_no_place_of_these(
    own_pictures: Path, tmp_path: Path, light_embedder
) -> None:  # type: ignore[no-untyped-def]
    shutil.copytree(own_pictures / "dots", own_pictures / "sub" / "dots")
    gallery = build(own_pictures, tmp_path, light_embedder)
    before = len(files(gallery))
    moved = gallery.relocate(own_pictures, own_pictures / "sub")
    assert len(files(moved)) == before
    assert {file.path for file in files(moved)} == {
        str(own_pictures / "sub" / Path(file.path).relative_to(own_pictures)) for file in files(gallery)
    }

"""Galleries that change: add, remove and sync."""

import io
import json
import os
import shutil
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL, Site, change_manifest, draw

from similarity import Gallery
from similarity.errors import GalleryError, GalleryNotFoundError, ImageError, SourceError
from similarity.indexing import operations, removing
from similarity.progress import Progress
from similarity.sources import Item, Skipped, open_source
from similarity.sources.folder import Files
from similarity.sources.originals import read_original
from similarity.storage import generations
from similarity.storage.manifest import Report


@pytest.fixture
def gallery(own_pictures: Path, tmp_path: Path, light_embedder) -> Gallery:  # type: ignore[no-untyped-def]
    """Of the fifteen pictures in `own`."""
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    return Gallery.open(built.directory, load=lambda _: light_embedder)


def counts(report: Report) -> dict[str, int]:
    """Those that are not zero."""
    return {name: count for name, count in report.counts.items() if count}


def foresee(gallery: Gallery, task: str, source: Path) -> dict[str, int]:
    opened = Gallery.open(gallery.directory, load=fail_to_load)
    return counts(getattr(opened.preview, task)(source))


def fail_to_load(_: object):  # type: ignore[no-untyped-def]
    pytest.fail("the model was loaded though there is nothing to embed")


def change_a_few(folder: Path) -> None:
    """One new, one with another content, one renamed, one gone, one copied."""
    draw("dots", 50).save(folder / "dots" / "new.jpg")
    draw("dots", 51).save(folder / "dots" / "dots-1.jpg")
    (folder / "rings" / "rings-0.jpg").rename(folder / "rings" / "renamed.jpg")
    (folder / "stripes" / "stripes-0.jpg").unlink()
    shutil.copy(folder / "rings" / "rings-1.jpg", folder / "dots" / "copy.jpg")


def test_sync_brings_a_gallery_in_step_and_a_dry_run_says_so_before(gallery: Gallery, own_pictures: Path) -> None:
    change_a_few(own_pictures)
    expected = {"added": 2, "changed": 1, "moved": 1, "removed": 1, "unchanged": 12, "embedded": 2}
    assert foresee(gallery, "sync", own_pictures) == expected
    assert gallery.is_live
    synced = gallery.sync(own_pictures)
    assert counts(synced.manifest.last_run) == expected
    files = sorted(path.relative_to(own_pictures).as_posix() for path in own_pictures.rglob("*.jpg"))
    assert sorted(one.id for item in synced.items for one in (item, *item.copies)) == files
    best = synced.search(own_pictures / "rings" / "renamed.jpg", k=1)[0]
    assert (best.item.path, best.item.label) == (str(own_pictures / "rings" / "renamed.jpg"), "rings")
    assert synced.search(draw("dots", 51), k=1)[0].item.id == "dots/dots-1.jpg"


def test_syncing_an_unchanged_folder_loads_no_model_and_writes_nothing(gallery: Gallery, own_pictures: Path) -> None:
    report = operations.update("sync", open_source(own_pictures), gallery.directory, fail_to_load)
    assert counts(report) == {"unchanged": 15}
    assert gallery.is_live


def test_a_file_that_was_only_touched_is_read_and_not_embedded(gallery: Gallery, own_pictures: Path) -> None:
    (own_pictures / "dots" / "dots-0.jpg").touch()
    synced = gallery.sync(own_pictures)
    assert counts(synced.manifest.last_run) == {"unchanged": 15}
    report = operations.update("sync", open_source(own_pictures), gallery.directory, fail_to_load)
    assert counts(report) == {"unchanged": 15}


def test_add_keeps_what_left_the_folder(gallery: Gallery, own_pictures: Path) -> None:
    change_a_few(own_pictures)
    expected = {"added": 3, "changed": 1, "unchanged": 12, "embedded": 2}
    assert foresee(gallery, "add", own_pictures) == expected
    added = gallery.add(own_pictures)
    assert counts(added.manifest.last_run) == expected
    assert {"stripes/stripes-0.jpg", "rings/rings-0.jpg"} <= {item.id for item in added.items}
    gone = next(item for item in added.items if item.id == "stripes/stripes-0.jpg")
    assert gone.is_gone
    assert added.thumbnail(gone).startswith(b"\xff\xd8")


def test_index_and_add_give_the_answers_of_one_index_of_everything(
    own_pictures: Path, pictures: Path, tmp_path: Path
) -> None:
    everything = Gallery.build(pictures, tmp_path / "everything", model=MODEL)
    for path in [*own_pictures.glob("dots/*"), *own_pictures.glob("*/*-3.jpg")]:
        path.unlink(missing_ok=True)
    half = Gallery.build(own_pictures, tmp_path / "halves", model=MODEL)
    assert len(half) == 8
    shutil.copytree(pictures, own_pictures, dirs_exist_ok=True)
    whole = half.add(own_pictures)
    for path in sorted(pictures.rglob("*.jpg")):
        expected, found = everything.search(path, 15), whole.search(path, 15)
        assert [hit.item.id for hit in found] == [hit.item.id for hit in expected]
        # In another row of the matrix a product may be summed in another order.
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-6)


def test_a_second_source_is_added_and_syncing_one_leaves_the_other_alone(
    gallery: Gallery, own_pictures: Path, tmp_path: Path
) -> None:
    other = tmp_path / "other"
    (other / "dots").mkdir(parents=True)
    draw("dots", 70).save(other / "dots" / "dots-0.jpg")
    draw("dots", 71).save(other / "dots" / "more.jpg")
    both = gallery.add(other)
    assert len(both) == 17
    # An id that is taken is replaced by the path.
    assert {item.id for item in both.items if item.source == str(other)} == {
        str(other / "dots" / "dots-0.jpg"),
        "dots/more.jpg",
    }
    (other / "dots" / "more.jpg").unlink()
    (own_pictures / "rings" / "rings-0.jpg").unlink()
    assert counts(both.sync(other).manifest.last_run) == {"removed": 1, "unchanged": 1}


def test_exact_copies_are_indexed_once_with_all_their_paths(own_pictures: Path, tmp_path: Path) -> None:
    for number in range(3):
        shutil.copy(own_pictures / "dots" / "dots-0.jpg", own_pictures / "rings" / f"copy-{number}.jpg")
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    assert (len(built), built.manifest.count, built.manifest.duplicates) == (15, 15, 3)
    assert built.manifest.last_run.embedded == 15
    item = Gallery.open(built.directory).search(own_pictures / "dots" / "dots-0.jpg", k=1)[0].item
    assert [(copy.id, copy.label) for copy in item.copies] == [
        (f"rings/copy-{number}.jpg", "rings") for number in range(3)
    ]
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    synced = built.sync(own_pictures)
    assert counts(synced.manifest.last_run) == {"removed": 1, "unchanged": 17}
    assert (len(synced), synced.manifest.duplicates) == (15, 2)


def test_pictures_are_removed_by_id_by_path_by_folder_and_by_label(gallery: Gallery, own_pictures: Path) -> None:
    assert len(gallery.remove(ids=["dots/dots-0.jpg"])) == 14
    assert len(gallery.remove(paths=[str(own_pictures / "dots" / "dots-1.jpg")])) == 13
    assert len(gallery.remove(paths=[str(own_pictures / "stripes")])) == 8
    left = gallery.remove(labels=["rings"])
    assert sorted(item.id for item in left.items) == ["dots/dots-2.jpg", "dots/dots-3.jpg", "dots/dots-4.jpg"]
    assert (own_pictures / "dots" / "dots-0.jpg").exists()


@pytest.mark.parametrize("what", [{"ids": ["dots/none.jpg"]}, {"paths": ["/none"]}, {"labels": ["dots", "none"]}])
def test_removing_what_is_not_there_is_an_error_and_removes_nothing(
    gallery: Gallery, what: dict[str, list[str]]
) -> None:
    with pytest.raises(GalleryError, match=r"No picture of the gallery has the (id|path|label) '.*none"):
        gallery.remove(**what)
    assert gallery.is_live


def test_the_last_picture_cannot_be_removed(gallery: Gallery, own_pictures: Path) -> None:
    with pytest.raises(GalleryError, match="No picture would be left in the gallery, so nothing was changed"):
        gallery.remove(paths=[str(own_pictures)])
    assert gallery.is_live


def test_a_folder_that_is_empty_or_gone_does_not_empty_its_gallery(gallery: Gallery, own_pictures: Path) -> None:
    """As when the disk that it is on is not there."""
    for path in own_pictures.rglob("*.jpg"):
        path.unlink()
    with pytest.raises(SourceError, match="There are no pictures in"):
        gallery.sync(own_pictures)
    shutil.rmtree(own_pictures)
    with pytest.raises(SourceError, match="There is no folder or file"):
        gallery.sync(own_pictures)
    assert gallery.is_live


def test_a_file_that_cannot_be_read_any_more_stays_as_it_was_and_is_said(gallery: Gallery, own_pictures: Path) -> None:
    path = own_pictures / "dots" / "dots-0.jpg"
    whole = path.read_bytes()
    path.write_bytes(whole[:500])
    synced = gallery.sync(own_pictures)
    assert len(synced) == 15
    assert [Path(one.path).name for one in synced.manifest.skipped] == ["dots-0.jpg"]
    path.write_bytes(whole)
    mended = synced.sync(own_pictures)
    assert mended.manifest.skipped == []
    assert counts(mended.manifest.last_run) == {"unchanged": 15}


def test_a_file_that_is_no_picture_is_tried_again_each_time_without_a_new_generation(
    gallery: Gallery, own_pictures: Path
) -> None:
    (own_pictures / "dots" / "notes.jpg").write_text("buy milk")
    synced = gallery.sync(own_pictures)
    assert [one.reason[:20] for one in synced.manifest.skipped] == ["is not a picture tha"]
    again = synced.sync(own_pictures)
    assert again.is_live
    assert synced.is_live
    draw("dots", 60).save(own_pictures / "dots" / "notes.jpg")
    assert len(again.sync(own_pictures)) == 16


def test_another_label_in_a_csv_changes_it_without_embedding(own_pictures: Path, tmp_path: Path) -> None:
    table = own_pictures / "table.csv"
    table.write_text("path,label,price\ndots/dots-0.jpg,a,3\nrings/rings-0.jpg,b,4\n")
    built = Gallery.build(table, tmp_path / "gallery", model=MODEL)
    table.write_text("path,label,price\ndots/dots-0.jpg,a,3\nrings/rings-0.jpg,c,5\n")
    report = operations.update("sync", open_source(table), built.directory, fail_to_load)
    assert counts(report) == {"relabelled": 1, "unchanged": 2}
    assert [(item.label, item.metadata) for item in Gallery.open(built.directory).items] == [
        ("a", {"price": "3"}),
        ("c", {"price": "5"}),
    ]


def test_a_zip_is_synced_too(own_pictures: Path, tmp_path: Path) -> None:
    archive = Path(shutil.make_archive(str(tmp_path / "pictures"), "zip", own_pictures))
    built = Gallery.build(archive, tmp_path / "gallery", model=MODEL)
    report = operations.update("sync", open_source(archive), built.directory, fail_to_load)
    assert counts(report) == {"unchanged": 15}
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    draw("dots", 80).save(own_pictures / "dots" / "new.jpg")
    archive.unlink()
    assert all(item.is_gone for item in built.items)
    shutil.make_archive(str(tmp_path / "pictures"), "zip", own_pictures)
    synced = built.sync(archive)
    assert counts(synced.manifest.last_run) == {"added": 1, "removed": 1, "unchanged": 14, "embedded": 1}
    assert not any(item.is_gone for item in synced.items)


def test_addresses_are_not_fetched_again(own_pictures: Path, tmp_path: Path, site: Site) -> None:
    for kind in ("dots", "rings"):
        site.pages[f"/{kind}.jpg"] = (200, {}, (own_pictures / kind / f"{kind}-0.jpg").read_bytes())
    table = tmp_path / "table.csv"
    table.write_text(f"url\n{site.url('/dots.jpg')}\n")
    built = Gallery.build(table, tmp_path / "gallery", model=MODEL)
    table.write_text(f"url\n{site.url('/dots.jpg')}\n{site.url('/rings.jpg')}\n")
    assert foresee(built, "sync", table) == {"added": 1, "unchanged": 1, "embedded": 1}
    synced = built.sync(table)
    assert counts(synced.manifest.last_run) == {"added": 1, "unchanged": 1, "embedded": 1}
    assert sorted(site.asked) == ["/dots.jpg", "/rings.jpg"]
    assert not any(item.is_gone for item in synced.items)


def test_indexing_the_same_folder_again_embeds_nothing_again(gallery: Gallery, own_pictures: Path) -> None:
    draw("dots", 50).save(own_pictures / "dots" / "new.jpg")
    again = Gallery.build(own_pictures, gallery.directory, model=MODEL)
    assert counts(again.manifest.last_run) == {"added": 16, "embedded": 1}
    assert np.array_equal(again.vectors[0], gallery.vectors[0])


def test_a_gallery_that_does_not_exist_is_not_made_by_changing_it(own_pictures: Path, tmp_path: Path) -> None:
    for change in (
        lambda: operations.update("add", open_source(own_pictures), tmp_path / "none", fail_to_load),
        lambda: Gallery.open(tmp_path / "none").preview.sync(own_pictures),
        lambda: removing.remove(tmp_path / "none", labels=["dots"]),
    ):
        with pytest.raises(GalleryNotFoundError):
            change()
    assert not (tmp_path / "none").exists()


def test_a_thumbnail_that_was_cut_short_is_made_anew_from_the_picture(gallery: Gallery) -> None:
    (path,) = gallery.directory.glob(f"thumbnails/*/{gallery.items[0].sha256}.jpg")
    path.write_bytes(path.read_bytes()[:-40])
    assert gallery.thumbnail(gallery.items[0]).endswith(b"\xff\xd9")


def test_the_manifest_tells_what_the_last_run_did(gallery: Gallery, own_pictures: Path) -> None:
    gallery.add(own_pictures)
    path = gallery.directory / "generations" / "000001" / "manifest.json"
    last_run = json.loads(path.read_text())["last_run"]
    assert (last_run["task"], last_run["source"], last_run["embedded"]) == ("index", str(own_pictures), 15)


def test_a_source_that_fails_half_way_changes_nothing(gallery: Gallery, own_pictures: Path) -> None:
    class Broken:
        name = "broken"
        skipped: list[object] = []  # noqa: RUF012
        readers = 2
        items = [Item(id=str(number), path=f"/nowhere/{number}") for number in range(3)]  # noqa: RUF012

        def read(self, item: Item) -> None:
            raise ImageError(item.path, "is gone.")

        def stamp(self, _: Item) -> None:
            return None

        def whereabouts(self, item: Item) -> str:
            return item.path

    report = operations.update("add", Broken(), gallery.directory, lambda _: gallery.embedder)  # type: ignore[arg-type]
    assert [one.reason for one in report.skipped] == ["is gone."] * 3
    assert len(Gallery.open(gallery.directory)) == 15
    assert own_pictures.exists()


def test_pictures_of_a_folder_that_cannot_be_listed_stay(gallery: Gallery, own_pictures: Path) -> None:
    listed = open_source(own_pictures)
    listed.items = [item for item in listed.items if item.label != "rings"]
    listed.skipped = [Skipped(str(own_pictures / "rings"), "cannot be read (Permission denied).")]
    synced = gallery.sync(listed)
    assert len(synced) == 15
    assert [one.path for one in synced.manifest.skipped] == [str(own_pictures / "rings")]


def test_another_choice_of_products_is_another_source(gallery: Gallery, own_pictures: Path, tmp_path: Path) -> None:
    lists = {"train": ["dots/dots-0.jpg", "dots/dots-1.jpg"], "test": ["rings/rings-0.jpg", "rings/rings-1.jpg"]}
    for split, places in lists.items():
        lines = [f"{number} {number} 1 {place}" for number, place in enumerate(places, start=1)]
        (own_pictures / f"Ebay_{split}.txt").write_text("\n".join(["image_id class_id super_class_id path", *lines]))
    built = Gallery.build(open_source(own_pictures, split="all"), tmp_path / "products", model=MODEL)
    assert len(built) == 4
    for choice in (open_source(own_pictures), open_source(own_pictures, products=1)):
        report = operations.update("sync", choice, built.directory, lambda _: gallery.embedder)
        assert (report.removed, report.added) == (0, 0)
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    assert len(Gallery.open(built.directory)) == 4


def test_a_row_of_a_csv_keeps_its_id_whatever_picture_it_names(own_pictures: Path, tmp_path: Path) -> None:
    table = own_pictures / "table.csv"

    def write(*rows: str) -> None:
        table.write_text("id,path,label\n" + "".join(f"{row}\n" for row in rows))

    def ids_and_labels(gallery: Gallery) -> dict[str, tuple[str, str | None]]:
        files = [file for item in gallery.items for file in (item, *item.copies)]
        return {file.id: (Path(file.path).name, file.label) for file in files}

    write("42,dots/dots-0.jpg,a", "43,dots/dots-1.jpg,b", "44,dots/dots-2.jpg,c")
    gallery = Gallery.build(table, tmp_path / "gallery", model=MODEL)
    write("42,rings/rings-0.jpg,a", "43,dots/dots-2.jpg,b", "44,dots/dots-1.jpg,c")
    synced = gallery.sync(table)
    expected = {"42": ("rings-0.jpg", "a"), "43": ("dots-2.jpg", "b"), "44": ("dots-1.jpg", "c")}
    assert ids_and_labels(synced) == expected
    write("45,dots/dots-2.jpg,d", "42,rings/rings-0.jpg,a", "43,dots/dots-2.jpg,b", "44,dots/dots-1.jpg,c")
    assert ids_and_labels(synced.sync(table)) == expected | {"45": ("dots-2.jpg", "d")}


def test_pictures_are_never_added_with_another_model_than_the_gallerys(
    gallery: Gallery, own_pictures: Path, tmp_path: Path
) -> None:
    built = Gallery.build(own_pictures, tmp_path / "built", model=MODEL)
    draw("dots", 55).save(tmp_path / "new.jpg")
    (tmp_path / "new.csv").write_text("path\nnew.jpg\n")
    for one in (gallery, built):
        change_manifest(one, weights_sha256="1" * 64)
    with pytest.raises(GalleryError, match="was made with another model or preprocessing"):
        gallery.add(tmp_path / "new.csv")  # a loader that gives the same one, whatever it is asked for
    with pytest.raises(GalleryError, match="The weights of efficientnet-lite2 on this computer differ"):
        built.add(tmp_path / "new.csv")


def test_a_gallery_that_lies_among_its_pictures_does_not_index_its_own_thumbnails(own_pictures: Path) -> None:
    built = Gallery.build(own_pictures, own_pictures / "gallery", model=MODEL)
    report = operations.update("sync", open_source(own_pictures), built.directory, fail_to_load)
    assert counts(report) == {"unchanged": 15}
    report = operations.update("sync", open_source(own_pictures.parent / "own"), built.directory, fail_to_load)
    assert counts(report) == {"unchanged": 15}


@pytest.mark.usefixtures("one_earlier_state")
def test_changing_a_gallery_again_and_again_keeps_two_generations(gallery: Gallery, tmp_path: Path) -> None:
    changed, directory = gallery, gallery.directory
    for number in range(4):
        (tmp_path / f"{number}").mkdir()
        draw("dots", 60 + number).save(tmp_path / f"{number}" / f"new-{number}.jpg")
        changed = changed.add(tmp_path / f"{number}")
    # The first one is held by this test, the last but one by the loop until the next was there.
    numbers = sorted(int(path.name) for path in (directory / "generations").iterdir())
    assert numbers == [1, 4, 5]
    assert changed.embedder is gallery.embedder


def test_what_an_interrupted_add_had_embedded_outlives_a_sync_of_another_folder(
    gallery: Gallery, own_pictures: Path, tmp_path: Path
) -> None:
    for number in range(12):
        (tmp_path / "more").mkdir(exist_ok=True)
        draw("dots", 100 + number).save(tmp_path / "more" / f"more-{number}.jpg")

    def interrupt(progress: Progress) -> None:
        if progress.done >= 8:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        gallery.add(tmp_path / "more", progress=interrupt)
    assert counts(gallery.sync(own_pictures).manifest.last_run)["added"] == 15, "of the first run: nothing was written"
    removed = gallery.remove(ids=["dots/dots-0.jpg"])
    added = removed.add(tmp_path / "more")
    assert added.manifest.last_run.resumed >= 8
    assert added.manifest.last_run.resumed + added.manifest.last_run.embedded == 12
    assert not (gallery.directory / "unfinished").exists()
    thumbnails = {path.stem for path in gallery.directory.glob("thumbnails/*/*.jpg")}
    assert {item.sha256 for item in added.items} <= thumbnails


def test_pictures_in_a_zip_that_were_exchanged_are_noticed_whatever_their_dates(
    own_pictures: Path, tmp_path: Path
) -> None:
    def pack(first: int) -> None:
        with zipfile.ZipFile(tmp_path / "pictures.zip", "w") as archive:
            for number in range(2):
                buffer = io.BytesIO()
                draw("dots", first + number).save(buffer, "BMP")
                archive.writestr(zipfile.ZipInfo(f"{number}.bmp"), buffer.getvalue())

    pack(1)
    built = Gallery.build(tmp_path / "pictures.zip", tmp_path / "gallery", model=MODEL)
    pack(5)
    os.utime(tmp_path / "pictures.zip", (time.time() + 5, time.time() + 5))
    assert counts(built.sync(tmp_path / "pictures.zip").manifest.last_run) == {"changed": 2, "embedded": 2}
    assert own_pictures.exists()


def test_a_copy_that_cannot_be_read_any_more_makes_no_new_generation_each_time(
    own_pictures: Path, tmp_path: Path
) -> None:
    shutil.copy(own_pictures / "dots" / "dots-0.jpg", own_pictures / "dots" / "copy.jpg")
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    (own_pictures / "dots" / "copy.jpg").write_bytes(b"no picture")
    synced = built.sync(own_pictures)
    assert synced.sync(own_pictures).is_live
    assert synced.is_live


def test_a_dry_run_says_which_files_of_a_csv_are_missing(gallery: Gallery, tmp_path: Path) -> None:
    (tmp_path / "table.csv").write_text("path\nnowhere.jpg\n")
    report = Gallery.open(gallery.directory, load=fail_to_load).preview.add(tmp_path / "table.csv")
    assert (report.added, report.embedded, len(report.skipped)) == (0, 0, 1)


def test_a_dry_run_counts_a_new_file_that_is_no_picture_as_skipped(gallery: Gallery, own_pictures: Path) -> None:
    (own_pictures / "dots" / "broken.jpg").write_text("no picture")
    (own_pictures / "dots" / "half.jpg").write_bytes((own_pictures / "rings" / "rings-0.jpg").read_bytes()[:900])
    foreseen = Gallery.open(gallery.directory, load=fail_to_load).preview.sync(own_pictures)
    done = gallery.sync(own_pictures).manifest.last_run
    assert counts(foreseen) == counts(done)
    assert len(foreseen.skipped) == len(done.skipped) == 2


def test_a_removal_is_previewed_and_nothing_is_changed(gallery: Gallery) -> None:
    assert counts(gallery.preview.remove(labels=["dots"])) == {"removed": 5}
    with pytest.raises(GalleryError, match="nonsense"):
        gallery.preview.remove(labels=["nonsense"])
    assert gallery.is_live
    assert counts(gallery.remove(labels=["dots"]).manifest.last_run) == {"removed": 5}


def test_a_change_of_an_open_gallery_loads_the_new_state_only(
    gallery: Gallery, own_pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    loaded: list[Path] = []
    load = generations._load

    def counted(folder: Path, *parts: Any, **options: Any) -> generations.Generation:
        loaded.append(folder)
        return load(folder, *parts, **options)

    monkeypatch.setattr(generations, "_load", counted)
    smaller = gallery.remove(labels=["dots"])
    assert [folder.name for folder in loaded] == ["000002"]
    assert gallery.preview.add(own_pictures).added == 5  # this one is not live any more
    assert [folder.name for folder in loaded] == ["000002", "000002"]
    assert smaller.preview.add(own_pictures).added == 5
    assert len(loaded) == 2


def test_pictures_are_removed_by_the_path_of_a_link_as_well(own_pictures: Path, tmp_path: Path) -> None:
    (own_pictures / "link.jpg").symlink_to(draw_into(tmp_path / "elsewhere.jpg"))
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    assert len(built.remove(paths=[str(own_pictures / "link.jpg")])) == 15
    (tmp_path / "short").symlink_to(own_pictures)
    assert len(built.remove(paths=[str(tmp_path / "short" / "dots" / "dots-0.jpg")])) == 14


def draw_into(path: Path) -> Path:
    draw("stripes", 77).save(path)
    return path


def test_a_stray_file_in_a_gallery_is_in_nobodys_way(gallery: Gallery) -> None:
    (gallery.directory / ".DS_Store").touch()
    assert len(gallery.remove(labels=["dots"])) == 10


def decomposed(folder: Path) -> Files:
    """The pictures of a folder as earlier versions listed those of a Mac: labels and ids decomposed as on the disk."""
    items = [
        Item(str(path.relative_to(folder)), str(path), path.parent.name, {"ort": path.parent.name})
        for path in sorted(folder.rglob("*.jpg"))
    ]
    return Files(str(folder), items, [])


def test_a_gallery_of_an_earlier_version_with_decomposed_names_has_one_label_for_what_looks_the_same(
    own_pictures: Path, tmp_path: Path
) -> None:
    (own_pictures / "dots").rename(own_pictures / "Ko\u0308ln")
    (own_pictures / "rings").rename(own_pictures / "K\u00f6ln")
    gallery = Gallery.build(decomposed(own_pictures), tmp_path / "old", model=MODEL)
    assert gallery.facets.counts("label")["K\u00f6ln"] == 10
    assert gallery.items.labels().count("K\u00f6ln") == 10
    for label in ("K\u00f6ln", "Ko\u0308ln"):
        assert len(gallery.search(own_pictures / "Ko\u0308ln" / "dots-0.jpg", 20, where={"label": [label]})) == 10
        assert gallery.find(f"{label}/dots-0.jpg").id == "K\u00f6ln/dots-0.jpg"
    report = gallery.sync(own_pictures).report
    assert (report.unchanged, report.embedded, report.removed) == (15, 0, 0)
    assert gallery.remove(ids=["Ko\u0308ln/dots-0.jpg"], labels=[]).report.removed == 1
    assert gallery.remove(labels=["Ko\u0308ln"]).report.removed == 9, "one of the ten was removed before"


def test_a_folder_that_was_copied_to_a_disk_that_composes_names_is_the_same(own_pictures: Path, tmp_path: Path) -> None:
    old, new = own_pictures / "Ko\u0308ln", own_pictures / "K\u00f6ln"
    (own_pictures / "dots").rename(old)
    gallery = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    old.rename(new)
    assert not any(item.is_gone for item in gallery.items)
    assert read_original(gallery.items[0]).sha256 == gallery.items[0].sha256
    report = gallery.sync(own_pictures).report
    assert (report.unchanged, report.embedded, report.added, report.removed) == (15, 0, 0, 0)
    paths = {item.path for item in Gallery.open(gallery.directory).items}
    assert str(new / "dots-0.jpg") in paths


def test_names_that_only_differ_in_how_they_are_composed_are_two_pictures(own_pictures: Path) -> None:
    for number, name in enumerate(("u\u0308.jpg", "\u00fc.jpg")):
        (own_pictures / "dots" / f"dots-{number}.jpg").rename(own_pictures / "dots" / name)
    ids = [item.id for item in open_source(own_pictures).items]
    assert {"dots/u\u0308.jpg", "dots/\u00fc.jpg"} <= set(ids)
    assert len(set(ids)) == 15

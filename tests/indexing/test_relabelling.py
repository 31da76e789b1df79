"""Labels that the owner of a gallery gives to pictures, and what becomes of them as the gallery changes."""

import shutil
import time
import unicodedata
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL, draw

from similarity import Embedder, Gallery
from similarity.errors import GalleryDamagedError, GalleryError
from similarity.gallery import restore, verify
from similarity.indexing.importing import import_gallery
from similarity.indexing.relabelling import find_files
from similarity.sources import Item
from similarity.storage.generations import generation_folder
from similarity.storage.given_labels import GivenLabel, GivenLabels

ONE, OTHER = "dots/dots-0.jpg", "rings/rings-1.jpg"


def fail_to_load(_: object):  # type: ignore[no-untyped-def]
    pytest.fail("the model was loaded though there is nothing to embed")


@pytest.fixture
def gallery(own_pictures: Path, tmp_path: Path, light_embedder) -> Gallery:  # type: ignore[no-untyped-def]
    """Of the fifteen pictures in `own`."""
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    return Gallery.open(built.directory, load=lambda _: light_embedder)


def labels(gallery: Gallery) -> dict[str, str | None]:
    """Of each file, by its id."""
    return {file.id: file.label for item in gallery.items for file in (item, *item.copies)}


def test_a_label_is_changed_in_a_new_generation_and_nothing_is_embedded(gallery: Gallery) -> None:
    changed = Gallery.open(gallery.directory, load=fail_to_load).relabel({ONE: " blots "})
    assert labels(changed) == labels(gallery) | {ONE: "blots"}
    assert (changed.manifest.last_run.task, changed.manifest.last_run.relabelled) == ("relabel", 1)
    assert changed.manifest.generation == gallery.manifest.generation + 1
    assert np.array_equal(changed.embeddings[:], gallery.embeddings[:])
    assert changed.facets.counts("label")["blots"] == 1
    assert verify(gallery.directory) == Gallery.open(gallery.directory).manifest


def test_a_label_survives_sync_add_rebuild_and_indexing_anew(gallery: Gallery, own_pictures: Path) -> None:
    changed = gallery.relabel({ONE: "blots"})
    expected = labels(changed)
    report = Gallery.open(gallery.directory, load=fail_to_load).sync(own_pictures).report
    assert report is not None
    assert (report.relabelled, report.unchanged) == (0, 15)
    assert gallery.manifest.generation + 1 == Gallery.open(gallery.directory).manifest.generation
    assert labels(changed.add(own_pictures)) == expected
    assert labels(changed.rebuild("flat-sq8")) == expected
    (own_pictures / ONE).touch()
    assert labels(changed.sync(own_pictures)) == expected
    assert labels(Gallery.build(own_pictures, gallery.directory, model=MODEL)) == expected


def test_a_label_survives_another_label_and_other_facts_in_the_list(
    own_pictures: Path,
    tmp_path: Path,
    light_embedder,  # type: ignore[no-untyped-def]
) -> None:
    table = tmp_path / "list.csv"
    lines = [f"{own_pictures / ONE},dot,red", f"{own_pictures / OTHER},ring,blue"]
    table.write_text("\n".join(("path,label,colour", *lines)))
    built = Gallery.build(table, tmp_path / "gallery", model=MODEL)
    changed = Gallery.open(built.directory, load=lambda _: light_embedder)
    changed = changed.relabel({changed.items[0].id: "blot"})
    table.write_text(
        "\n".join(("path,label,colour", *lines)).replace(",dot,red", ",spot,green").replace(",ring,", ",loop,")
    )
    changed = changed.sync(table)
    assert [item.label for item in changed.items] == ["blot", "loop"]
    assert changed.items[0].metadata["colour"] == "green"


def test_a_label_follows_a_file_that_is_renamed_saved_anew_copied_or_back_again(
    gallery: Gallery, own_pictures: Path
) -> None:
    changed = gallery.relabel({ONE: "blots", OTHER: "loops"})
    (own_pictures / ONE).rename(own_pictures / "stripes" / "moved.jpg")
    draw("rings", 77).save(own_pictures / OTHER)
    shutil.copy(own_pictures / "stripes" / "moved.jpg", own_pictures / "rings" / "copy.jpg")
    changed = changed.sync(own_pictures)
    found = labels(changed)
    assert [found[name] for name in ("stripes/moved.jpg", "rings/copy.jpg", OTHER)] == ["blots", "blots", "loops"]
    kept = own_pictures.parent / "kept.jpg"
    (own_pictures / OTHER).rename(kept)
    changed = changed.sync(own_pictures)
    assert OTHER not in labels(changed)
    kept.rename(own_pictures / OTHER)
    assert labels(changed.sync(own_pictures))[OTHER] == "loops"


def test_two_files_that_change_places_take_their_labels_along(gallery: Gallery, own_pictures: Path) -> None:
    changed = gallery.relabel({ONE: "blots"})
    first, second, aside = own_pictures / ONE, own_pictures / OTHER, own_pictures.parent / "aside.jpg"
    first.rename(aside)
    second.rename(first)
    aside.rename(second)
    found = labels(changed.sync(own_pictures))
    assert (found[ONE], found[OTHER]) == ("dots", "blots")


def test_all_copies_of_a_picture_have_the_label_that_one_of_them_is_given(gallery: Gallery, own_pictures: Path) -> None:
    shutil.copy(own_pictures / ONE, own_pictures / "rings" / "copy.jpg")
    doubled = gallery.sync(own_pictures)
    assert doubled.find(ONE).labels == ["dots", "rings"]
    changed = doubled.relabel({"rings/copy.jpg": "blots"})
    assert changed.find(ONE).labels == ["blots"]
    assert [(one.id, one.source_label) for one in changed.given_labels.entries] == [
        (ONE, "dots"),
        ("rings/copy.jpg", "rings"),
    ]
    assert changed.relabel({ONE: None}).find(ONE).labels == ["dots", "rings"]


def test_a_copy_that_is_saved_anew_keeps_its_label(gallery: Gallery, own_pictures: Path) -> None:
    shutil.copy(own_pictures / ONE, own_pictures / "rings" / "copy.jpg")
    changed = gallery.sync(own_pictures).relabel({ONE: "blots"})
    draw("dots", 79).save(own_pictures / "rings" / "copy.jpg")
    changed = changed.sync(own_pictures)
    assert labels(changed) == labels(gallery) | {ONE: "blots", "rings/copy.jpg": "blots"}
    draw("dots", 80).save(own_pictures / ONE)
    assert labels(Gallery.build(own_pictures, gallery.directory, model=MODEL)) == labels(changed)


def test_another_picture_at_the_path_of_one_that_left_has_none_of_its_labels(
    gallery: Gallery, own_pictures: Path
) -> None:
    changed = gallery.relabel({ONE: "blots", OTHER: "loops"})
    (own_pictures / ONE).unlink()
    (own_pictures / OTHER).rename(own_pictures / "rings" / "moved.jpg")
    draw("rings", 81).save(own_pictures / OTHER)
    changed = changed.sync(own_pictures)
    assert (labels(changed)[OTHER], labels(changed)["rings/moved.jpg"]) == ("rings", "loops")
    draw("dots", 82).save(own_pictures / ONE)
    assert labels(changed.sync(own_pictures))[ONE] == "dots"
    assert labels(Gallery.build(own_pictures, gallery.directory, model=MODEL))[ONE] == "dots"


def test_the_label_of_the_source_is_the_one_that_it_has_now(
    own_pictures: Path,
    tmp_path: Path,
    light_embedder,  # type: ignore[no-untyped-def]
) -> None:
    table, line = tmp_path / "list.csv", f"path,label\n{own_pictures / ONE},"
    table.write_text(f"{line}dot\n")
    built = Gallery.build(table, tmp_path / "gallery", model=MODEL)
    changed = Gallery.open(built.directory, load=lambda _: light_embedder).relabel({built.items[0].id: "blot"})
    for source_label, is_read in (("spot", False), ("blot", True)):
        table.write_text(f"{line}{source_label}\n")
        if is_read:
            (own_pictures / ONE).touch()
        changed = changed.sync(table)
        assert [one.source_label for one in changed.given_labels.entries] == [source_label]
        assert changed.items[0].label == "blot"
    assert changed.add(own_pictures).given_labels == changed.given_labels


def test_finding_a_label_does_not_take_longer_the_more_copies_there_are() -> None:
    files = [Item(str(number), f"/{number}", sha256="same") for number in range(20_000)]
    given = GivenLabels(tuple(GivenLabel.now(file, "blots", None) for file in files))
    started = time.process_time()
    assert all(given.find(file) == entry for file, entry in zip(files, given.entries, strict=True))
    assert time.process_time() - started < 2  # 10 s, if each goes through all


def test_a_label_is_undone_by_going_back_or_by_taking_it_back(gallery: Gallery, own_pictures: Path) -> None:
    changed = gallery.relabel({ONE: "blots"})
    assert labels(restore(gallery.directory)) == labels(gallery)
    assert not Gallery.open(gallery.directory).given_labels
    again = Gallery.open(gallery.directory).relabel({ONE: "blots"})
    assert labels(again.relabel({ONE: None})) == labels(gallery)
    assert labels(changed.sync(own_pictures)) == labels(gallery)


def test_a_confirmed_label_counts_although_the_source_has_another_one_later(
    gallery: Gallery, own_pictures: Path
) -> None:
    confirmed = gallery.relabel({ONE: "dots"})
    assert confirmed.manifest.last_run.relabelled == 0
    assert [entry.is_change for entry in confirmed.given_labels.entries] == [False]
    (own_pictures / ONE).rename(own_pictures / "rings" / "moved.jpg")
    assert labels(confirmed.sync(own_pictures))["rings/moved.jpg"] == "dots"


def test_a_label_survives_relocation_and_import(
    gallery: Gallery, own_pictures: Path, tmp_path: Path, empty_home: Path
) -> None:
    changed = gallery.relabel({ONE: "blots"})
    now = tmp_path / "elsewhere"
    own_pictures.rename(now)
    relocated = changed.relocate(own_pictures, now)
    assert [entry.path for entry in relocated.given_labels.entries] == [str(now / ONE)]
    draw("dots", 78).save(now / ONE)
    synced = relocated.sync(now)
    assert labels(synced)[ONE] == "blots"
    imported = Gallery.open(import_gallery(gallery.directory, "brought").directory)
    assert imported.directory.parent == empty_home / "galleries"
    assert imported.given_labels == synced.given_labels
    assert labels(imported) == labels(synced)


def test_damage_of_the_labels_is_noticed(gallery: Gallery) -> None:
    changed = gallery.relabel({ONE: "blots"})
    path = generation_folder(gallery.directory, changed.manifest.generation) / "labels.json"
    path.write_text(path.read_text().replace("blots", "clots"))
    with pytest.raises(GalleryDamagedError, match="restore"):
        Gallery.open(gallery.directory)


@pytest.mark.parametrize(
    ("label", "says"),
    [("", "at least one"), ("  ", "at least one"), ("a\nb", "one line"), ("a\u200bb", "be seen"), ("a" * 201, "201")],
)
def test_what_is_no_label_changes_nothing(gallery: Gallery, label: str, says: str) -> None:
    with pytest.raises(GalleryError, match=f"A label .*{says}"):
        gallery.relabel({ONE: label})
    assert gallery.is_live


def test_an_unknown_picture_changes_nothing(gallery: Gallery) -> None:
    with pytest.raises(GalleryError, match=r"'dots/none\.jpg': no label was changed"):
        gallery.relabel({ONE: "blots", "dots/none.jpg": "blots"})
    assert gallery.is_live


def test_files_are_found_by_id_path_or_folder(gallery: Gallery, own_pictures: Path) -> None:
    found = find_files(gallery.items, [ONE], [str(own_pictures / "rings")])
    assert len(found) == 6
    with pytest.raises(GalleryError, match="no label was changed"):
        find_files(gallery.items, paths=[str(own_pictures / "nowhere")])


@pytest.mark.parametrize("label", ["hat ", "a" * 210, "a\u200bb"])
def test_a_label_that_the_gallery_has_is_confirmed_and_given_as_it_is(
    own_pictures: Path,
    tmp_path: Path,
    light_embedder: Embedder,  # noqa: ARG001
    label: str,
) -> None:
    for picture, folder in ((ONE, label), (OTHER, "rings")):
        (tmp_path / "odd" / folder).mkdir(parents=True)
        shutil.copy(own_pictures / picture, tmp_path / "odd" / folder)
    built = Gallery.build(tmp_path / "odd", tmp_path / "gallery", model=MODEL)
    first, second = sorted((item.id for item in built.items), key=lambda name: name.startswith("rings"))
    changed = built.relabel({first: [label], second: label})
    assert set(labels(changed).values()) == {label}
    assert changed.manifest.last_run.relabelled == 1


def test_two_ids_that_differ_only_in_how_they_are_composed_are_told_apart(
    own_pictures: Path,
    tmp_path: Path,
    light_embedder: Embedder,  # noqa: ARG001
) -> None:
    names = [unicodedata.normalize(form, "caf\u00e9.jpg") for form in ("NFC", "NFD")]
    folder = tmp_path / "names"
    folder.mkdir()
    for name, picture in zip(names, (ONE, OTHER), strict=True):
        shutil.copy(own_pictures / picture, folder / name)
    built = Gallery.build(folder, tmp_path / "gallery", model=MODEL)
    for name in names:
        assert [file.id for file in find_files(built.items, [name])] == [name]
        assert [file.id for file in find_files(built.items, paths=[str(folder / name)])] == [name]
        changed = Gallery.open(built.directory).relabel({name: "coffee"})
        assert [file.id for file in changed.items if file.label == "coffee"] == [name]
        changed.relabel({name: None})
    (folder / names[1]).unlink()
    alone = Gallery.build(folder, tmp_path / "gallery", model=MODEL)
    assert [file.id for file in find_files(alone.items, [names[1]])] == [names[0]]
    assert alone.relabel({names[1]: "coffee"}).items[0].label == "coffee"

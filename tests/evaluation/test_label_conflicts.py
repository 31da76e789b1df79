"""Label conflicts: pictures that are nearly the same under different labels, or that lie among those of another one."""

from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL
from PIL import Image

from similarity import Embedder, Gallery
from similarity.errors import SearchError
from similarity.evaluation.label_conflicts import NO_LABELS, Neighbourhood, find_label_conflicts
from similarity.evaluation.label_lists import changed_labels, changes_to_csv, conflicts_to_csv

COPY, ORIGINAL, STRAY = "blue/copy.png", "red/0.png", "green/stray.png"
COLOURS = {"red": (200, 30, 30), "green": (30, 160, 30), "blue": (30, 30, 200)}
SAME = 0.99999


def paint(label: str, number: int) -> Image.Image:
    """A shade of a colour, with a square somewhere."""
    image = Image.new("RGB", (96, 96), tuple(value + 4 * number for value in COLOURS[label]))
    image.paste((255, 255, 255), (8 * number, 20, 8 * number + 12, 32))
    return image


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Eight shades of three colours; a copy of a red one is called blue, and one is called green."""
    for label in COLOURS:
        (tmp_path / "shades" / label).mkdir(parents=True)
        for number in range(8):
            paint(label, number).save(tmp_path / "shades" / label / f"{number}.png")
    paint("red", 0).save(tmp_path / "shades" / COPY, compress_level=1)
    paint("red", 9).save(tmp_path / "shades" / STRAY)
    return tmp_path / "shades"


@pytest.fixture
def gallery(folder: Path, tmp_path: Path, light_embedder: Embedder) -> Gallery:
    """Of these."""
    built = Gallery.build(folder, tmp_path / "gallery", model=MODEL)
    return Gallery.open(built.directory, load=lambda _: light_embedder)


def ids(gallery: Gallery, rows: tuple[int, ...]) -> list[str]:
    return [item.id for item in gallery.items.at(rows)]


def test_a_copy_under_another_label_comes_first_and_then_what_lies_among_others(gallery: Gallery) -> None:
    pair, stray, *_ = find_label_conflicts(gallery, SAME)
    assert (pair.kind, ids(gallery, pair.rows), pair.suggested) == ("pair", [COPY, ORIGINAL], "red")
    assert SAME <= pair.score <= 1
    assert (stray.kind, ids(gallery, stray.rows), stray.suggested) == ("neighbours", [STRAY], "red")
    assert stray.share >= 0.9
    assert {gallery.items[row].label for row in stray.nearest} == {"red"}


def test_exact_copies_under_different_labels_are_a_conflict_until_the_owner_says_which_is_right(
    gallery: Gallery, folder: Path
) -> None:
    (folder / "red" / "again.png").write_bytes((folder / COPY).read_bytes())
    doubled = gallery.sync(folder)
    assert sorted(doubled.find(COPY).labels) == ["blue", "red"]
    first, *others = find_label_conflicts(doubled, SAME)
    assert (first.kind, ids(doubled, first.rows), first.score, first.suggested) == ("copies", [COPY], 1.0, "red")
    # It shares a label with the red one that looks the same, so that these two are in none.
    assert all(one.kind == "neighbours" and one.rows != first.rows for one in others)
    listed = conflicts_to_csv(doubled, [first]).decode("utf-8-sig").splitlines()
    assert [line.split(",")[5:] for line in listed[1:]] == [[COPY, "blue"], ["red/again.png", "red"]]
    for given in (["blue", "red"], "red"):
        settled = doubled.relabel({COPY: given})
        assert all(one.kind == "neighbours" for one in find_label_conflicts(settled, SAME))


def test_a_pair_that_only_one_of_the_two_finds_among_its_neighbours_counts(
    folder: Path,
    tmp_path: Path,
    light_embedder: Embedder,  # noqa: ARG001
) -> None:
    table = tmp_path / "list.csv"
    given = {"red/0.png": "red", "red/1.png": "pink", "red/2.png": ""}
    table.write_text("path,label\n" + "".join(f"{folder / name},{label}\n" for name, label in given.items()))
    built = Gallery.build(table, tmp_path / "gallery", model=MODEL)
    first, second, other = (built.find(str(folder / name)) for name in given)
    row = {item.id: place for place, item in enumerate(built.items)}
    nearest = {first.id: second.id, second.id: other.id, other.id: second.id}
    rows = np.array([[row[nearest[item.id]]] for item in built.items])
    (pair,) = find_label_conflicts(built, SAME, near=Neighbourhood(rows, np.ones((3, 1), np.float32)))
    assert (pair.rows, pair.share) == ((row[second.id], row[first.id]), 1.0)


def test_what_the_owner_settled_is_not_shown_again(gallery: Gallery) -> None:
    changed = gallery.relabel({COPY: "red", STRAY: "green"})
    found = [ids(changed, one.rows) for one in find_label_conflicts(changed, SAME)]
    assert not any(COPY in one or STRAY in one for one in found)
    half = gallery.relabel({COPY: "blue"})
    pair = find_label_conflicts(half, SAME)[0]
    assert (ids(half, pair.rows), pair.suggested) == ([ORIGINAL, COPY], "blue")
    both = half.relabel({ORIGINAL: "red"})
    assert all(one.kind == "neighbours" for one in find_label_conflicts(both, SAME))


def test_a_large_gallery_asks_an_index_and_finds_the_same(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = find_label_conflicts(gallery, SAME)
    monkeypatch.setattr("similarity.query.near_pairs.MOST_COMPARED", 5)
    assert [one.rows for one in find_label_conflicts(gallery, SAME)] == [one.rows for one in expected]


def test_a_gallery_without_labels_says_so(folder: Path, tmp_path: Path, light_embedder: Embedder) -> None:  # noqa: ARG001
    built = Gallery.build(folder / "red", tmp_path / "gallery", model=MODEL)
    with pytest.raises(SearchError) as caught:
        find_label_conflicts(built)
    assert str(caught.value) == NO_LABELS.format("gallery")


def test_one_picture_alone_has_no_conflict(folder: Path, tmp_path: Path, light_embedder: Embedder) -> None:  # noqa: ARG001
    table = tmp_path / "list.csv"
    table.write_text(f"path,label\n{folder / 'red' / '0.png'},red\n")
    assert find_label_conflicts(Gallery.build(table, tmp_path / "gallery", model=MODEL)) == []


def test_lists_name_each_picture_and_only_labels_that_changed(gallery: Gallery) -> None:
    listed = conflicts_to_csv(gallery, find_label_conflicts(gallery, SAME)[:1]).decode("utf-8-sig").splitlines()
    assert listed[0] == "conflict,kind,score,suggested,path,id,label"
    assert [line.split(",")[5] for line in listed[1:]] == [COPY, ORIGINAL]
    changed = gallery.relabel({COPY: "=red", STRAY: "green"})
    assert [(one.file.id, one.before, one.file.label) for one in changed_labels(changed)] == [(COPY, "blue", "=red")]
    assert ",blue,'=red," in changes_to_csv(changed_labels(changed)).decode("utf-8-sig").splitlines()[1]

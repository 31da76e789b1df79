"""Label conflicts: pictures that are nearly the same under different labels, or that lie among those of another one."""

from pathlib import Path

import pytest
from conftest import MODEL, draw
from PIL import Image

from similarity import Embedder, Gallery
from similarity.errors import SearchError
from similarity.evaluation.label_conflicts import NO_LABELS, find_label_conflicts
from similarity.evaluation.label_lists import changed_labels, changes_to_csv, conflicts_to_csv

COPY, STRAY = "rings/copy.png", "stripes/stray.jpg"


@pytest.fixture
def gallery(own_pictures: Path, tmp_path: Path, light_embedder: Embedder) -> Gallery:
    """Of dots, rings and stripes, nine and more of each; a copy of one of the dots is called rings, and one stripes."""
    for kind in ("dots", "rings", "stripes"):
        for number in range(20, 26):
            draw(kind, number).save(own_pictures / kind / f"{number}.jpg")
    with Image.open(own_pictures / "dots" / "dots-0.jpg") as image:
        image.save(own_pictures / COPY)
    draw("dots", 40).save(own_pictures / STRAY)
    built = Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)
    return Gallery.open(built.directory, load=lambda _: light_embedder)


def ids(gallery: Gallery, rows: tuple[int, ...]) -> list[str]:
    return [item.id for item in gallery.items.at(rows)]


def test_a_copy_under_another_label_comes_first_and_then_what_lies_among_others(gallery: Gallery) -> None:
    pair, stray, *_ = find_label_conflicts(gallery, 0.99)
    assert (pair.kind, ids(gallery, pair.rows), pair.suggested) == ("pair", [COPY, "dots/dots-0.jpg"], "dots")
    assert 0.99 <= pair.score <= 1
    assert (stray.kind, ids(gallery, stray.rows), stray.suggested) == ("neighbours", [STRAY], "dots")
    assert stray.share >= 0.9
    assert {gallery.items[row].label for row in stray.nearest} == {"dots"}


def test_pictures_that_share_a_label_are_not_in_conflict(gallery: Gallery, own_pictures: Path) -> None:
    (own_pictures / "dots" / "again.png").write_bytes((own_pictures / COPY).read_bytes())
    doubled = gallery.sync(own_pictures)
    assert sorted(doubled.find(COPY).labels) == ["dots", "rings"]
    assert all(one.kind == "neighbours" for one in find_label_conflicts(doubled, 0.99))


def test_what_the_owner_settled_is_not_shown_again(gallery: Gallery) -> None:
    changed = gallery.relabel({COPY: "dots", STRAY: "stripes"})
    found = [ids(changed, one.rows) for one in find_label_conflicts(changed, 0.99)]
    assert not any(COPY in one or STRAY in one for one in found)
    half = gallery.relabel({COPY: "rings"})
    pair = find_label_conflicts(half, 0.99)[0]
    assert (ids(half, pair.rows), pair.suggested) == (["dots/dots-0.jpg", COPY], "rings")
    both = half.relabel({"dots/dots-0.jpg": "dots"})
    assert all(one.kind == "neighbours" for one in find_label_conflicts(both, 0.99))


def test_a_large_gallery_asks_an_index_and_finds_the_same(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    expected = find_label_conflicts(gallery, 0.99)
    monkeypatch.setattr("similarity.query.near_pairs.MOST_COMPARED", 5)
    assert [one.rows for one in find_label_conflicts(gallery, 0.99)] == [one.rows for one in expected]


def test_a_gallery_without_labels_says_so(own_pictures: Path, tmp_path: Path, light_embedder: Embedder) -> None:  # noqa: ARG001
    built = Gallery.build(own_pictures / "dots", tmp_path / "gallery", model=MODEL)
    with pytest.raises(SearchError) as caught:
        find_label_conflicts(built)
    assert str(caught.value) == NO_LABELS.format("gallery")


def test_one_picture_alone_has_no_conflict(own_pictures: Path, tmp_path: Path, light_embedder: Embedder) -> None:  # noqa: ARG001
    table = tmp_path / "list.csv"
    table.write_text(f"path,label\n{own_pictures / 'dots' / 'dots-0.jpg'},dots\n")
    assert find_label_conflicts(Gallery.build(table, tmp_path / "gallery", model=MODEL)) == []


def test_lists_name_each_picture_and_only_labels_that_changed(gallery: Gallery) -> None:
    listed = conflicts_to_csv(gallery, find_label_conflicts(gallery, 0.99)[:1]).decode("utf-8-sig").splitlines()
    assert listed[0] == "conflict,kind,score,suggested,path,id,label"
    assert [line.split(",")[5] for line in listed[1:]] == [COPY, "dots/dots-0.jpg"]
    changed = gallery.relabel({COPY: "=dots", STRAY: "stripes"})
    assert [(one.file.id, one.before, one.file.label) for one in changed_labels(changed)] == [(COPY, "rings", "=dots")]
    assert ",rings,'=dots," in changes_to_csv(changed_labels(changed)).decode("utf-8-sig").splitlines()[1]

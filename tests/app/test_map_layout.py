"""The map of a gallery: who is near whom, and that what is kept of it is whole."""

from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL

from similarity import Gallery
from similarity.app.map import layout
from similarity.vectors.arrays import Vectors, normalise


def some_vectors(count: int, dim: int = 64) -> Vectors:
    return normalise(np.random.default_rng(count).normal(size=(count, dim)))


def kept_files(home: Path) -> list[Path]:
    return sorted((home / "cache" / "maps").iterdir())


@pytest.fixture
def mine(shapes: Gallery, empty_home: Path) -> Gallery:  # noqa: ARG001 - its home has no maps yet
    return shapes


def count_layouts(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    counted: list[int] = []
    lay_out = layout.lay_out

    def counting(vectors: Vectors) -> layout.Points:
        counted.append(len(vectors))
        return lay_out(vectors)

    monkeypatch.setattr(layout, "lay_out", counting)
    return counted


@pytest.mark.parametrize("count", [1, 2, 3, 4, 5, 9, 10, 11, 12])
def test_a_gallery_of_any_size_has_a_map_inside_its_box(count: int) -> None:
    points = layout.lay_out(some_vectors(count))
    assert points.shape == (count, 2)
    assert points.dtype == np.float32
    assert np.isfinite(points).all()
    assert points.min() >= 0
    assert points.max() <= 1
    if count > 1:
        assert np.ptp(points[:, 0]) == pytest.approx(1)


@pytest.mark.parametrize("count", [2, 5, 12])
def test_pictures_that_are_all_the_same_lie_in_the_middle(count: int) -> None:
    assert layout.lay_out(np.repeat(some_vectors(1), count, axis=0)) == pytest.approx(0.5)


def test_many_copies_of_one_picture_do_no_harm() -> None:
    points = layout.lay_out(np.concatenate([np.repeat(some_vectors(1), 40, axis=0), some_vectors(3)]))
    assert np.isfinite(points).all()


def test_what_is_alike_lies_nearer_to_each_other_than_to_the_rest() -> None:
    kinds = np.repeat(np.arange(3), 8)
    points = layout.lay_out(normalise(some_vectors(3)[kinds] + 0.3 * some_vectors(len(kinds))))
    distances = np.linalg.norm(points[:, np.newaxis] - points[np.newaxis], axis=2)
    alike = kinds[:, np.newaxis] == kinds
    others = ~np.eye(len(kinds), dtype=bool)
    assert distances[alike & others].mean() < 0.3 * distances[~alike].mean()


def test_a_map_is_made_once_and_kept(mine: Gallery, empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    counted = count_layouts(monkeypatch)
    assert layout.read_map(mine) is None
    made, again = layout.make_map(mine), layout.make_map(mine)
    assert counted == [15]
    assert (made.points == again.points).all()
    assert (made.rows == again.rows).all()
    assert len(kept_files(empty_home)) == 1


@pytest.mark.many
@pytest.mark.parametrize(
    "damage",
    [
        lambda _: b"",
        lambda data: data[:60],
        lambda data: data[:-1],
        lambda data: b"PK\x03\x04" + data,
        lambda data: data[:-4] + np.float32("nan").tobytes(),
        lambda data: data[:-4] + np.float32(2).tobytes(),
        lambda data: data.replace(b"(15, 2)", b"(14, 2)"),
        lambda data: data.replace(b"(15, 2)", b"(9**9,)"),
        lambda data: data.replace(b"<f4", b"|O8"),
    ],
)
def test_a_damaged_map_is_made_again(mine: Gallery, empty_home: Path, damage) -> None:  # type: ignore[no-untyped-def]
    made = layout.make_map(mine)
    (file,) = kept_files(empty_home)
    whole = file.read_bytes()
    file.write_bytes(damage(whole))
    assert layout.read_map(mine) is None
    assert layout.make_map(mine).points == pytest.approx(made.points, abs=1e-4)
    assert len(file.read_bytes()) == len(whole)


def test_a_gallery_that_changed_has_a_map_of_its_own(own_pictures: Path, empty_home: Path) -> None:
    gallery = Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)
    layout.make_map(gallery)
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    changed = gallery.sync(own_pictures)
    assert layout.read_map(changed) is None
    assert len(layout.make_map(changed)) == 14
    assert len(kept_files(empty_home)) == 2


def test_a_write_that_is_interrupted_leaves_nothing_half(
    mine: Gallery, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fill_the_disk(file, *_, **__) -> None:  # type: ignore[no-untyped-def]
        file.write(b"\x93NUMPY")
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patch:
        patch.setattr(np, "save", fill_the_disk)
        assert len(layout.make_map(mine)) == 15, "the map is there all the same"
    assert kept_files(empty_home) == []
    with monkeypatch.context() as patch:
        patch.setattr(np, "save", lambda *_, **__: (_ for _ in ()).throw(KeyboardInterrupt))
        with pytest.raises(KeyboardInterrupt):
            layout.make_map(mine)
    assert kept_files(empty_home) == []
    assert len(layout.make_map(mine)) == 15
    assert len(kept_files(empty_home)) == 1


def test_without_a_place_to_keep_it_there_is_a_map_all_the_same(mine: Gallery, empty_home: Path) -> None:
    (empty_home / "cache" / "maps").write_text("a file where a folder should be")
    assert len(layout.make_map(mine)) == 15


def test_of_a_large_gallery_an_evenly_spread_part_is_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    assert layout.shown_rows(0).tolist() == []
    assert layout.shown_rows(3).tolist() == [0, 1, 2]
    monkeypatch.setattr(layout, "MAX_POINTS", 5)
    assert layout.shown_rows(5).tolist() == [0, 1, 2, 3, 4]
    assert layout.shown_rows(41).tolist() == [0, 10, 20, 30, 40]


def test_a_picture_of_the_gallery_is_placed_on_its_own_point(mine: Gallery) -> None:
    made = layout.make_map(mine)
    for row, point in zip(made.rows, made.points, strict=True):
        assert layout.place(mine, made, mine.vectors[row]) == pytest.approx(point, abs=0.01)


def test_a_query_is_placed_among_what_it_is_like(mine: Gallery) -> None:
    made = layout.make_map(mine)
    dots = [place for place, row in enumerate(made.rows) if mine.items[row].label == "dots"]
    query = normalise(mine.vectors[made.rows[dots]].mean(axis=0)[np.newaxis])[0]
    placed = layout.place(mine, made, query)
    assert (placed >= made.points[dots].min(axis=0)).all()
    assert (placed <= made.points[dots].max(axis=0)).all()


def test_the_longer_it_takes_the_longer_one_is_told_to_wait() -> None:
    told = [layout.expected_seconds(count) for count in (1, 100, 1_192, 5_000, 1_000_000)]
    assert told == sorted(told)
    assert told[-2] == told[-1]

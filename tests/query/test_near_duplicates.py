import io
import shutil
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL, bundled_model
from PIL import Image

from similarity import Gallery, Item
from similarity.errors import SearchError
from similarity.progress import Progress
from similarity.query.complete_links import Linked, link_completely
from similarity.query.near_duplicates import Group, find_duplicates
from similarity.query.near_pairs import BLOCK, Candidates, near_pairs
from similarity.search import build_index
from similarity.vectors.arrays import normalise
from similarity.vectors.memmap import StoredVectors, write_vectors


def test_all_of_a_group_are_near_to_each_other_and_no_two_groups_are_near_throughout(
    random: np.random.Generator,
) -> None:
    vectors = normalise(random.standard_normal((BLOCK + 300, 6)))
    linked = grouped(vectors, 0.93)
    assert 50 < len(linked) < len(vectors) / 2
    assert max(len(group.rows) for group in linked) >= 3
    rows = [row for group in linked for row in group.rows]
    assert len(rows) == len(set(rows)), "a row is in one group"
    groups = [group.rows for group in linked] + [[row] for row in sorted(set(range(len(vectors))) - set(rows))]
    scores = vectors @ vectors.T
    for group in linked:
        assert group.score == pytest.approx(scores[np.ix_(group.rows, group.rows)].min(), abs=1e-6)
        assert group.score >= 0.93
    starts = np.cumsum([0, *map(len, groups[:-1])])
    lowest = np.minimum.reduceat(np.minimum.reduceat(_ordered(scores, groups), starts, axis=0), starts, axis=1)
    np.fill_diagonal(lowest, 0)
    assert lowest.max() < 0.93


def _ordered(scores: np.ndarray, groups: list[list[int]]) -> np.ndarray:
    """The scores with rows and columns in the order of the groups."""
    order = np.concatenate(groups)
    return scores[np.ix_(order, order)]


def test_a_chain_of_near_pictures_is_not_one_group() -> None:
    angles = np.arange(7) * np.arccos(0.96)
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    assert [group.rows for group in grouped(vectors, 0.95)] == [[0, 1], [2, 3], [4, 5]]
    items = [Item(str(row), f"/{row}.jpg") for row in range(7)]
    groups = find_duplicates(items, vectors, 0.95)
    assert sorted([file.id for file in group.files] for group in groups) == [["0", "1"], ["2", "3"], ["4", "5"]]


def test_the_nearest_pair_of_a_chain_is_grouped_first() -> None:
    angles = np.array([0.0, 0.3, 0.5])
    vectors = np.column_stack([np.cos(angles), np.sin(angles)]).astype(np.float32)
    (group,) = grouped(vectors, 0.95)
    assert (group.rows, group.score) == ([1, 2], pytest.approx(np.cos(0.2)))


def test_the_order_of_the_pictures_does_not_matter(random: np.random.Generator) -> None:
    vectors = normalise(random.standard_normal((600, 5)))
    vectors[300:340] = vectors[:40]  # equal scores
    items = [Item(str(row), f"/{row:03d}.jpg", sha256=str(row)) for row in range(len(vectors))]
    groups = find_duplicates(items, vectors, 0.95)
    assert len(groups) > 50
    for _ in range(3):
        order = random.permutation(len(vectors))
        again = find_duplicates([items[row] for row in order], vectors[order], 0.95)
        assert _ids(again) == _ids(groups)
        assert sorted(group.score for group in again) == sorted(group.score for group in groups)


def _ids(groups: list[Group]) -> set[frozenset[str]]:
    return {frozenset(file.id for file in group.files) for group in groups}


@pytest.mark.parametrize("recipe", ["flat", "flat-sq8", "IVF8,Flat", "lists"])
def test_candidates_of_an_index_give_the_groups_of_all_pairs(
    recipe: str, tmp_path: Path, random: np.random.Generator
) -> None:
    vectors = normalise(random.standard_normal((700, 8)))
    vectors[200:260] = normalise(
        vectors[0] + 0.05 * random.standard_normal((60, 8))
    )  # more than are asked for at first
    write_vectors(tmp_path / "vectors.npy", vectors.shape, [vectors])
    stored = StoredVectors(tmp_path / "vectors.npy")
    is_own = recipe != "lists"
    candidates = Candidates.of_index(build_index(recipe, stored), stored) if is_own else Candidates.of_lists(stored)
    found = near_pairs(stored, 0.95, candidates=candidates)
    every = near_pairs(vectors, 0.95)
    assert len(every) > 1000
    for name in ("first", "second", "scores"):
        assert np.array_equal(getattr(found, name), getattr(every, name))
    assert link_completely(stored, found, 0.95) == link_completely(vectors, every, 0.95)


@pytest.mark.exhaustive
def test_very_many_pictures_that_look_the_same_take_little_memory() -> None:
    vectors = normalise(np.ones((3000, 8)) + np.random.default_rng(1).normal(0, 1e-3, (3000, 8)))
    tracemalloc.start()
    (group,) = grouped(vectors, 0.95)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert group.rows == list(range(3000))
    assert peak < 50e6


def test_comparing_tells_how_far_it_is(random: np.random.Generator) -> None:
    seen: list[Progress] = []
    near_pairs(normalise(random.standard_normal((BLOCK + 300, 6))), 0.9, progress=seen.append)
    assert (seen[-1].task, seen[-1].done, seen[-1].total) == ("Comparing", BLOCK + 300, BLOCK + 300)


def grouped(vectors: np.ndarray, threshold: float) -> list[Linked]:
    """The groups of rows, from all pairs."""
    return link_completely(vectors, near_pairs(vectors, threshold), threshold)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(params=[95, pytest.param(75, marks=pytest.mark.exhaustive)])
def repeated(own_pictures: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Gallery:
    """With two exact copies of a picture, and one saved again: well, or so badly that the bundled model is needed."""
    for number in range(2):
        shutil.copy(own_pictures / "dots" / "dots-0.jpg", own_pictures / "rings" / f"copy-{number}.jpg")
    with Image.open(own_pictures / "stripes" / "stripes-1.jpg") as image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=request.param)
    (own_pictures / "stripes" / "again.jpg").write_bytes(buffer.getvalue())
    with bundled_model() if request.param < 95 else nullcontext():
        return Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)


def test_exact_and_near_copies_are_grouped_with_their_paths(repeated: Gallery) -> None:
    exact, near = find_duplicates(repeated.items, repeated.vectors)
    assert [file.id for file in exact.files] == ["dots/dots-0.jpg", "rings/copy-0.jpg", "rings/copy-1.jpg"]
    assert (exact.is_exact, exact.score) == (True, 1.0)
    assert sorted(file.id for file in near.files) == ["stripes/again.jpg", "stripes/stripes-1.jpg"]
    assert not near.is_exact
    assert 0.95 <= near.score < 1


def test_a_low_threshold_makes_no_chain_into_one_group(repeated: Gallery) -> None:
    # With single links, as it was once, all 18 files were one group at this threshold.
    vectors = repeated.vectors[:]
    scores = vectors @ vectors.T
    assert np.linalg.matrix_power((scores >= 0.45).astype(float), len(vectors)).all(), "chains link all"
    assert scores.min() < 0.45
    groups = find_duplicates(repeated.items, vectors, 0.45)
    assert len(groups) > 1
    rows = {item.id: row for row, item in enumerate(repeated.items)}
    for group in groups:
        members = [rows[file.id] for file in group.files if file.id in rows]
        assert scores[np.ix_(members, members)].min() >= 0.45 - 1e-6


@pytest.mark.parametrize("is_exact", [True, False])
def test_a_gallery_has_the_same_groups_when_it_counts_as_large(
    repeated: Gallery, monkeypatch: pytest.MonkeyPatch, is_exact: bool
) -> None:
    small = repeated.duplicates(0.9)
    assert len(small) >= 2
    monkeypatch.setattr("similarity.query.near_pairs.MOST_COMPARED", 3)
    monkeypatch.setattr("similarity.search.recipes.MIN_FOR_LIST", 2)
    if not is_exact:  # then its own index is asked, not one made for this
        monkeypatch.setattr("similarity.search.Recipe.is_exact", False)
    assert repeated.duplicates(0.9) == small


def test_a_gallery_without_any_has_none(shapes: Gallery) -> None:
    assert find_duplicates(shapes.items, shapes.vectors, 0.999) == []


@pytest.mark.parametrize("threshold", [0, -1, 1.01])
def test_a_threshold_that_makes_no_sense_is_refused(shapes: Gallery, threshold: float) -> None:
    with pytest.raises(SearchError, match="must be above 0 and at most 1"):
        find_duplicates(shapes.items, shapes.vectors, threshold)

"""Several indexes as one, against one index of all their vectors."""

from pathlib import Path

import numpy as np
import pytest

from similarity.search import Selection, VectorIndex, build_index
from similarity.search.faiss.build import builder_of
from similarity.search.faiss.training import train_lists
from similarity.search.stacked import StackedIndex, joint_tuning
from similarity.search.tuning import Tuning
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.mapped import MappedRows
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.stacked import Places, StackedRows, StackedVectors

COUNT, DIM, SHARDS = 400, 24, 5


@pytest.fixture(scope="module")
def vectors() -> Vectors:
    """Of which every fifth is equal to the one before it."""
    made = normalise(np.random.default_rng(1).standard_normal((COUNT, DIM)).astype(np.float32))
    made[4::5] = made[3::5]
    return made


@pytest.fixture(scope="module")
def places() -> Places:
    return Places.among(np.random.default_rng(2).integers(0, SHARDS, COUNT), SHARDS)


def stored(folder: Path, vectors: Vectors) -> StoredVectors:
    folder.mkdir(parents=True)
    write_vectors(folder / "embeddings.npy", (len(vectors), vectors.shape[1]), [vectors])
    return StoredVectors(folder / "embeddings.npy")


def stacked(recipe: str, vectors: Vectors, places: Places, folder: Path, *, together: bool = False) -> StackedIndex:
    """Of indexes with lists of their own, or with those of the whole."""
    parts = [stored(folder / str(number), vectors[rows]) for number, rows in enumerate(places.of)]
    if not together:
        return StackedIndex([build_index(recipe, part) for part in parts], places)
    whole = stored(folder / "whole", vectors)
    trained = train_lists(recipe, whole, None)
    indexes = [builder_of(recipe, trained)(part, None) for part in parts]
    tuning = joint_tuning(indexes, places, whole, Tuning(COUNT))
    assert tuning
    return StackedIndex(indexes, places, tuning.facts)


@pytest.fixture(params=["flat", "flat-sq8"])
def both(
    request: pytest.FixtureRequest, vectors: Vectors, places: Places, tmp_path: Path
) -> tuple[StackedIndex, VectorIndex]:
    """Stacked indexes, and the reference."""
    one = build_index("flat", stored(tmp_path / "one", vectors))
    return stacked(request.param, vectors, places, tmp_path), one


@pytest.mark.parametrize("k", [1, 4, 10, COUNT, COUNT + 7])
def test_exact_indexes_find_what_one_finds_with_equal_scores_in_its_order(
    both: tuple[StackedIndex, VectorIndex], vectors: Vectors, k: int
) -> None:
    index, one = both
    assert len(index) == COUNT
    for queries in (vectors[:40], vectors[7:8]):
        scores, rows = index.search(queries, k)
        expected, of_one = one.search(queries, k)
        assert np.allclose(scores, expected, atol=1e-6)
        # Rounding may part two that are equal: those are compared as a set.
        alike = [set(found) == set(wanted) for found, wanted in zip(rows.tolist(), of_one.tolist(), strict=True)]
        assert all(alike) if k >= COUNT else np.mean(alike) >= 0.9
        assert (rows == of_one).mean() >= 0.9


@pytest.mark.parametrize("chosen", [slice(0, 30), slice(5, 6), slice(0, COUNT, 3), slice(0, 0)])
def test_a_selection_is_of_rows_of_the_whole(
    both: tuple[StackedIndex, VectorIndex], vectors: Vectors, chosen: slice
) -> None:
    index, one = both
    among = Selection(np.arange(COUNT)[chosen])
    scores, rows = index.search(vectors[:9], 8, among=among)
    assert scores.shape == rows.shape == (9, min(8, len(among)))
    assert set(rows.ravel()) <= set(among.rows.tolist())
    assert np.allclose(scores, one.search(vectors[:9], 8, among=among)[0], atol=1e-6)


def test_approximate_indexes_are_stacked_too(vectors: Vectors, places: Places, tmp_path: Path) -> None:
    index = stacked("IVF2,Flat", vectors, places, tmp_path)
    scores, rows = index.search(vectors[:20], 5, accuracy="high")
    assert (np.diff(scores, axis=1) <= 0).all()
    assert np.allclose(scores[:, 0], 1, atol=1e-3)
    assert (rows >= 0).all()
    truth = [set(np.argsort(-(vectors @ query))[:5]) for query in vectors[:20]]
    assert np.mean([len(set(found) & true) / 5 for found, true in zip(rows.tolist(), truth, strict=True)]) > 0.85
    alone = [index.search(vectors[row : row + 1], 5, accuracy="high")[1][0].tolist() for row in range(20)]
    assert alone == rows.tolist()
    everything = index.search(vectors[:2], COUNT)
    assert [sorted(found) for found in everything[1].tolist()] == [list(range(COUNT))] * 2
    among = Selection(np.arange(0, COUNT, 7))
    assert set(index.search(vectors[:4], 6, among=among)[1].ravel()) <= set(among.rows.tolist())


@pytest.mark.parametrize("recipe", ["IVF4,SQ8", "PCA12,IVF4,SQ8", "PCA12,IVF3,Flat"])
def test_lists_trained_as_one_find_what_one_index_finds(
    vectors: Vectors, places: Places, tmp_path: Path, recipe: str
) -> None:
    index = stacked(recipe, vectors, places, tmp_path, together=True)
    one = build_index(recipe, StoredVectors(tmp_path / "whole" / "embeddings.npy"))
    assert index.facts == one.facts
    for k in (1, 10, 40):
        scores, rows = index.search(vectors[:50], k)
        expected, of_one = one.search(vectors[:50], k)
        assert np.allclose(scores, expected, atol=1e-6)
        assert np.mean(rows == of_one) > 0.99  # sums of codes may be rounded otherwise
    alone = [index.search(vectors[row : row + 1], 7)[1][0].tolist() for row in range(20)]
    assert alone == index.search(vectors[:20], 7)[1].tolist()
    everything = index.search(vectors[:2], COUNT)
    assert [sorted(found) for found in everything[1].tolist()] == [list(range(COUNT))] * 2
    among = Selection(np.arange(0, COUNT, 7))
    assert set(index.search(vectors[:4], 6, among=among)[1].ravel()) <= set(among.rows.tolist())


def test_lists_trained_apart_are_not_taken_for_one(vectors: Vectors, places: Places, tmp_path: Path) -> None:
    parts = [stored(tmp_path / str(number), vectors[rows]) for number, rows in enumerate(places.of)]
    indexes = [build_index("IVF2,SQ8", part) for part in parts]
    assert joint_tuning(indexes, places, stored(tmp_path / "whole", vectors), Tuning(COUNT)) is None
    facts = indexes[0].facts  # such as a manifest might claim
    index, plain = StackedIndex(indexes, places, facts), StackedIndex(indexes, places)
    assert np.array_equal(index.search(vectors[:20], 5)[1], plain.search(vectors[:20], 5)[1])


def test_rows_of_several_files_read_as_those_of_one(vectors: Vectors, places: Places, tmp_path: Path) -> None:
    parts = [stored(tmp_path / str(number), vectors[rows]).rows for number, rows in enumerate(places.of)]
    rows = StackedRows(parts, places, tmp_path)
    read = StackedVectors(rows)
    assert read.shape == vectors.shape
    assert np.array_equal(read[:], vectors)
    assert np.array_equal(read[-1], vectors[-1])
    assert np.array_equal(read[[5, 3, 3]], vectors[[5, 3, 3]])
    assert np.array_equal(np.concatenate([block for _, block in read.blocks(64)]), vectors)
    assert np.allclose(rows.products(vectors[:3]), vectors[:3] @ vectors.T, atol=1e-6)
    with pytest.raises(IndexError):
        read[COUNT]


def test_parts_that_do_not_belong_together_are_refused(vectors: Vectors, places: Places, tmp_path: Path) -> None:
    parts: list[MappedRows] = [stored(tmp_path / str(number), vectors[:3]).rows for number in range(SHARDS)]
    with pytest.raises(ValueError, match="belong together"):
        StackedRows(parts, places, tmp_path)
    one = build_index("flat", stored(tmp_path / "one", vectors))
    with pytest.raises(ValueError, match="belong together"):
        StackedIndex([one] * SHARDS, places)

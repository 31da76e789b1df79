from pathlib import Path

import numpy as np
import pytest

from similarity.errors import SearchError
from similarity.search import FaissIndex
from similarity.vectors import normalise


@pytest.fixture
def vectors() -> np.ndarray:
    return normalise(np.random.default_rng(0).normal(size=(500, 64)))


@pytest.fixture
def index(vectors: np.ndarray) -> FaissIndex:
    made = FaissIndex(64)
    made.add(vectors)
    return made


def test_the_results_are_those_of_comparing_with_every_vector(index: FaissIndex, vectors: np.ndarray) -> None:
    queries = normalise(np.random.default_rng(1).normal(size=(20, 64)))
    scores, rows = index.search(queries, 7)
    products = queries @ vectors.T
    expected = np.argsort(-products, axis=1)[:, :7]
    assert (rows == expected).all()
    np.testing.assert_allclose(scores, np.take_along_axis(products, expected, 1), atol=1e-6)


def test_asking_for_more_than_there_is_gives_all(index: FaissIndex, vectors: np.ndarray) -> None:
    scores, rows = index.search(vectors[:1], 10_000)
    assert sorted(rows[0]) == list(range(500))
    assert (np.diff(scores[0]) <= 0).all()


def test_an_empty_index_has_no_results() -> None:
    scores, rows = FaissIndex(64).search(np.ones((2, 64), np.float32), 5)
    assert scores.shape == rows.shape == (2, 0)


def test_a_saved_index_gives_the_same_answers(index: FaissIndex, vectors: np.ndarray, tmp_path: Path) -> None:
    index.save(tmp_path / "index.faiss")
    loaded = FaissIndex.load(tmp_path / "index.faiss")
    assert (len(loaded), loaded.dim) == (500, 64)
    for mine, theirs in zip(index.search(vectors, 5), loaded.search(vectors, 5), strict=True):
        assert (mine == theirs).all()


def test_searches_that_make_no_sense_are_errors(index: FaissIndex) -> None:
    with pytest.raises(SearchError, match="at least 1"):
        index.search(np.ones((1, 64), np.float32), 0)
    with pytest.raises(SearchError, match="takes"):
        index.search(np.ones((1, 32), np.float32), 1)
    with pytest.raises(SearchError, match="not finite"):
        index.search(np.full((1, 64), np.nan, np.float32), 1)


def test_a_file_that_is_no_index_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "index.faiss").write_bytes(b"no index")
    with pytest.raises(ValueError, match="not an index that FAISS can read"):
        FaissIndex.load(tmp_path / "index.faiss")

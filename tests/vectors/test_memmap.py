"""Embeddings on the disk."""

from pathlib import Path

import numpy as np
import pytest

from similarity.errors import SearchError
from similarity.vectors import memmap
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.memmap import StoredVectors, write_vectors


@pytest.fixture
def vectors() -> Vectors:
    return normalise(np.random.default_rng(0).normal(size=(50, 12)))


@pytest.fixture
def path(tmp_path: Path, vectors: Vectors) -> Path:
    write_vectors(tmp_path / "v.npy", vectors.shape, [vectors[:30], vectors[30:]])
    return tmp_path / "v.npy"


def test_what_is_read_is_what_was_written(path: Path, vectors: Vectors) -> None:
    read = StoredVectors(path)
    assert (len(read), read.dim, read.shape, read.dtype) == (50, 12, (50, 12), np.float32)
    for key in (0, -1, 7, slice(3, 9), slice(None), slice(None, None, 7), [5, 3, 3], np.array([49, 0])):
        assert np.array_equal(read[key], vectors[key])
    assert np.array_equal(np.asarray(read), vectors)
    assert np.array_equal(np.array(list(read)), vectors)
    assert np.array_equal(np.load(path), vectors), "any program reads it"
    assert np.array_equal(np.concatenate([block for _, block in read.blocks(7)]), vectors)


def test_half_precision_takes_half_the_room_and_is_read_as_float32(tmp_path: Path, vectors: Vectors) -> None:
    write_vectors(tmp_path / "half.npy", vectors.shape, [vectors], "float16")
    read = StoredVectors(tmp_path / "half.npy")
    assert read[:].dtype == np.float32
    assert read.read(np.array([1])).dtype == np.float16
    np.testing.assert_allclose(read, vectors, atol=5e-4)


def test_what_has_been_read_is_let_go_of_and_can_be_read_again(
    path: Path, vectors: Vectors, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(memmap, "RELEASE_AFTER", 1)
    monkeypatch.setattr(memmap, "MAX_MAPPED", 0)
    read = StoredVectors(path)
    for _ in range(3):
        assert np.array_equal(read[10:20], vectors[10:20])


@pytest.mark.parametrize("cut", [1, 48, 2_400])
def test_a_file_that_is_too_short_is_no_file_of_embeddings(path: Path, cut: int) -> None:
    path.write_bytes(path.read_bytes()[:-cut])
    with pytest.raises(ValueError, match="shorter or longer"):
        StoredVectors(path)


@pytest.mark.parametrize("array", [np.zeros(3, np.float32), np.zeros((2, 2)), np.zeros((2, 2), np.int8)])
def test_other_arrays_are_refused(tmp_path: Path, array: np.ndarray) -> None:
    np.save(tmp_path / "other.npy", array)
    with pytest.raises(ValueError, match="not an array of embeddings"):
        StoredVectors(tmp_path / "other.npy")


def test_numbers_that_are_not_finite_are_never_written_down(tmp_path: Path, vectors: Vectors) -> None:
    vectors[3, 4] = np.nan
    with pytest.raises(SearchError, match="not finite"):
        write_vectors(tmp_path / "v.npy", vectors.shape, [vectors])

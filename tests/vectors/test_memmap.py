"""Embeddings on the disk."""

import mmap
from pathlib import Path

import numpy as np
import pytest

from similarity.errors import SearchError
from similarity.vectors import mapped
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
    monkeypatch.setattr(mapped, "RELEASE_AFTER", 1)
    monkeypatch.setattr(mapped, "MAX_MAPPED", 0)
    read = StoredVectors(path)
    for _ in range(3):
        assert np.array_equal(read[10:20], vectors[10:20])


@pytest.mark.skipif(not hasattr(mmap, "MADV_WILLNEED"), reason="this system is not told what will be read")
@pytest.mark.parametrize("rows", [[3], [49, 0, 1, 2, 7], [-1, 0, 5, 5], [], list(range(50))])
def test_rows_of_a_large_file_are_announced_before_they_are_read_and_nothing_beyond_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, rows: list[int]
) -> None:
    vectors = normalise(np.random.default_rng(1).normal(size=(50, 1_500)))
    write_vectors(tmp_path / "v.npy", vectors.shape, [vectors])
    monkeypatch.setattr(mapped, "MAX_MAPPED", 0)
    read = StoredVectors(tmp_path / "v.npy")
    announced: list[tuple[int, int]] = []
    read.rows._map = Announced(read.rows._map, announced)  # type: ignore[assignment]
    assert np.array_equal(read[rows], vectors[rows])
    size, width = (tmp_path / "v.npy").stat().st_size, 4 * 1_500
    for row in rows:
        first = size - (50 - row % 50) * width
        assert any(start <= first and first + width <= start + length for start, length in announced)
    assert all(start % mmap.PAGESIZE == 0 and start + length <= size for start, length in announced)
    assert len(announced) <= len(rows)
    assert len(announced) == 1 or rows != list(range(50)), "neighbours go together"


def test_rows_beyond_two_gigabytes_are_read_whatever_type_their_numbers_have(tmp_path: Path) -> None:
    count, dim = 1_100_000, 1_024
    whole = np.lib.format.open_memmap(tmp_path / "v.npy", mode="w+", dtype=np.float16, shape=(count, dim))
    whole[[7, count - 10, count - 1]] = np.array([[1], [2], [3]])  # the rest takes no room on the disk
    del whole
    read = StoredVectors(tmp_path / "v.npy")
    for kind in (np.int32, np.int64):
        assert read[np.array([count - 10, 7, -1], kind)][:, 0].tolist() == [2, 1, 3]


class Announced:
    """A mapped file that notes what it is told will be read."""

    def __init__(self, mapping: mmap.mmap, announced: list[tuple[int, int]]) -> None:
        self._mapping, self._announced = mapping, announced

    def __len__(self) -> int:
        return len(self._mapping)

    def madvise(self, option: int, *place: int) -> None:
        """Note what is announced, and pass it on."""
        if option == mmap.MADV_WILLNEED:
            self._announced.append((place[0], place[1]))
        self._mapping.madvise(option, *place)


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

"""What a run has found of the neighbours survives it, and is used for the same embeddings and centre only."""

from pathlib import Path

import numpy as np
import pytest

from similarity.storage.found_neighbours import FoundNeighbours, forget_found_neighbours
from similarity.storage.removal import remove_entry
from similarity.vectors.arrays import Nearest
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.refined import KEPT, Refined

COUNT = 40


def centred(folder: Path, seed: int = 0, centre: float = 0.0) -> StoredVectors:
    path = folder / f"{seed}.npy"
    write_vectors(path, (COUNT, 8), [np.random.default_rng(seed).standard_normal((COUNT, 8)).astype(np.float32)])
    written = StoredVectors(path)
    return written.compared_by(Refined(written.rows, np.full(8, centre, np.float32)))


def batch(start: int, size: int) -> Nearest:
    return ((np.arange(start, start + size)[:, np.newaxis] + np.arange(KEPT)) % COUNT).astype(np.int32)


def test_batches_are_read_again_in_order(tmp_path: Path) -> None:
    vectors = centred(tmp_path)
    with FoundNeighbours(tmp_path, vectors) as run:
        assert run.found.shape == (0, KEPT)
        run.keep(batch(0, 10))
        run.keep(batch(10, 5))
    with FoundNeighbours(tmp_path, vectors) as run:
        np.testing.assert_array_equal(run.found, batch(0, 15))
        run.keep(batch(15, 25))
    with FoundNeighbours(tmp_path, vectors) as run:
        np.testing.assert_array_equal(run.found, batch(0, COUNT))


def test_other_embeddings_and_another_centre_find_nothing(tmp_path: Path) -> None:
    with FoundNeighbours(tmp_path, centred(tmp_path)) as run:
        run.keep(batch(0, 10))
    for other in (centred(tmp_path, seed=1), centred(tmp_path, centre=0.5)):
        with FoundNeighbours(tmp_path, other) as run:
            assert not len(run.found)


@pytest.mark.parametrize("harm", ["cut", "flipped", "grown", "strange"])
def test_a_damaged_file_is_used_up_to_the_damage_and_written_from_there(tmp_path: Path, harm: str) -> None:
    vectors = centred(tmp_path)
    with FoundNeighbours(tmp_path, vectors) as run:
        run.keep(batch(0, 10))
        run.keep(batch(10, 10) + (COUNT if harm == "strange" else 0))
    path = next((tmp_path / "unfinished").glob("*.neighbours"))
    data = bytearray(path.read_bytes())
    if harm == "cut":
        data = data[:-3]
    elif harm == "flipped":
        data[-3] ^= 1
    elif harm == "grown":
        data[208 : 208 + 4] = (1 << 31).to_bytes(4, "little")
    path.write_bytes(data)
    with FoundNeighbours(tmp_path, vectors) as run:
        np.testing.assert_array_equal(run.found, batch(0, 10))
        run.keep(batch(10, 30))
    with FoundNeighbours(tmp_path, vectors) as run:
        np.testing.assert_array_equal(run.found, batch(0, COUNT))


def test_a_link_in_its_place_is_not_followed(tmp_path: Path) -> None:
    vectors, victim = centred(tmp_path), tmp_path / "victim"
    with FoundNeighbours(tmp_path, vectors):
        pass
    path = next((tmp_path / "unfinished").glob("*.neighbours"))
    path.unlink()
    victim.write_text("mine")
    path.symlink_to(victim)
    with FoundNeighbours(tmp_path, vectors) as run:
        run.keep(batch(0, 10))
    assert victim.read_text() == "mine"


def test_a_gallery_that_is_deleted_takes_them_along(tmp_path: Path) -> None:
    with FoundNeighbours(tmp_path, centred(tmp_path)) as run:
        run.keep(batch(0, 10))
    remove_entry(tmp_path / "unfinished")
    assert not (tmp_path / "unfinished").exists()


def test_all_is_forgotten_at_the_end_and_other_files_stay(tmp_path: Path) -> None:
    with FoundNeighbours(tmp_path, centred(tmp_path)) as run:
        run.keep(batch(0, 10))
    forget_found_neighbours(tmp_path)
    assert not (tmp_path / "unfinished").exists()
    with FoundNeighbours(tmp_path, centred(tmp_path)):
        (tmp_path / "unfinished" / "mine.txt").touch()
    forget_found_neighbours(tmp_path)
    assert [path.name for path in (tmp_path / "unfinished").iterdir()] == ["mine.txt"]
    forget_found_neighbours(tmp_path / "missing")

"""Neighbours of large galleries: found with inverted lists, updated after a change, and asked of an index."""

from pathlib import Path

import numpy as np
import pytest

from similarity.progress import Progress
from similarity.search import build_index, neighbours
from similarity.search.neighbours import (
    candidates_of,
    find_neighbours,
    is_mostly_kept,
    nearest_of_all,
    update_neighbours,
    without_moved,
)
from similarity.vectors.arrays import Nearest, Vectors, normalise
from similarity.vectors.centred import CentredRows
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.refined import KEPT, NEAREST, Refined
from similarity.vectors.refinement import refine

COUNT, DIM = 600, 32


def clusters(n: int = COUNT, seed: int = 0) -> Vectors:
    """Groups of vectors that have a large part in common, as embeddings of a network have."""
    random = np.random.default_rng(seed)
    centres = np.random.default_rng(9).standard_normal((8, DIM))
    return normalise(3 + centres[np.arange(n) % 8] + 0.8 * random.standard_normal((n, DIM)))


def centred(folder: Path, vectors: Vectors, centre: Vectors | None = None, stored: str = "float32") -> StoredVectors:
    folder.mkdir(exist_ok=True)
    write_vectors(folder / "embeddings.npy", vectors.shape, [vectors], stored)  # type: ignore[arg-type]
    written = StoredVectors(folder / "embeddings.npy")
    taken = vectors.mean(axis=0) if centre is None else centre
    return written.compared_by(Refined(written.rows, taken.astype(np.float32)))


def by_brute_force(vectors: StoredVectors) -> Nearest:
    assert vectors.centre is not None
    return CentredRows(vectors.rows, vectors.centre).find_nearest(vectors[:], KEPT)[0]


def recall(found: Nearest, exact: Nearest) -> float:
    return float((found[:, :, np.newaxis] == exact[:, np.newaxis]).any(axis=1).mean())


def change(vectors: Vectors, removed: np.ndarray, added: int) -> tuple[Vectors, np.ndarray]:
    """Vectors after a change, in which new ones come in between, and the rows that they had before it."""
    kept = np.setdiff1d(np.arange(len(vectors)), removed)
    origins = np.insert(kept, 100, np.full(added, -1))
    changed = np.insert(vectors[kept], 100, clusters(added, seed=5), axis=0) if added else vectors[kept]
    return changed, origins


def test_neighbours_found_with_lists_are_those_of_comparing_with_all(tmp_path: Path) -> None:
    vectors = centred(tmp_path, clusters())
    found = find_neighbours(vectors)
    assert (found.shape, found.dtype) == ((COUNT, KEPT), np.int32)
    assert (found[:, 0] == np.arange(COUNT)).all()
    assert recall(found, by_brute_force(vectors)) >= 0.95


def test_comparing_some_with_all_in_blocks_is_exact(tmp_path: Path) -> None:
    vectors = centred(tmp_path, clusters())
    np.testing.assert_array_equal(nearest_of_all(vectors, vectors[:50]), by_brute_force(vectors)[:50])


def test_what_it_takes_is_said_before_it_begins(tmp_path: Path) -> None:
    told: list[Progress] = []
    find_neighbours(centred(tmp_path, clusters()), progress=told.append)
    assert told[0].task.startswith("Finding the neighbours of 600 pictures: about ")
    assert "of memory and 1 MB on disk" in told[0].task
    assert (told[-1].done, told[-1].total) == (COUNT, COUNT)


def test_an_interrupted_run_is_continued_and_searches_only_for_the_rest(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "BATCH", 128)
    vectors, kept = centred(tmp_path, clusters()), []

    def keep_two(part: Nearest) -> None:
        if len(kept) == 2:
            raise KeyboardInterrupt
        kept.append(part)

    with pytest.raises(KeyboardInterrupt):
        find_neighbours(vectors, keep=keep_two)
    rest: list[Nearest] = []
    found = find_neighbours(vectors, found=np.concatenate(kept), keep=rest.append)
    assert sum(map(len, rest)) == COUNT - 256
    assert recall(found, by_brute_force(vectors)) >= 0.95


def test_a_run_that_had_found_all_makes_no_index(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    vectors = centred(tmp_path, clusters())
    whole = by_brute_force(vectors)
    monkeypatch.setattr(neighbours.InvertedIndex, "build", None)
    np.testing.assert_array_equal(find_neighbours(vectors, found=whole), whole)


@pytest.mark.parametrize(("removed", "added"), [(0, 40), (40, 0), (30, 30), (0, 2), (0, 0)])
@pytest.mark.parametrize("stored", ["float32", "float16"])
def test_an_update_finds_what_finding_anew_around_the_same_centre_finds(
    tmp_path: Path, removed: int, added: int, stored: str
) -> None:
    vectors = clusters()
    before = centred(tmp_path / "before", vectors, stored=stored)
    leaving = np.random.default_rng(1).choice(COUNT, removed, replace=False)
    changed, origins = change(vectors, leaving, added)
    after = centred(tmp_path / "after", changed, before.centre, stored)
    updated = update_neighbours(after, by_brute_force(before), origins)
    assert updated is not None
    assert recall(updated, by_brute_force(after)) >= 0.999
    assert (updated[:, 0] == np.arange(len(changed))).all()


def test_an_added_row_is_among_its_own_neighbours_even_if_many_are_equal(tmp_path: Path) -> None:
    vectors = clusters()
    before = centred(tmp_path / "before", vectors)
    changed = np.concatenate([vectors, np.repeat(vectors[:1], 12, axis=0)])
    origins = np.append(np.arange(COUNT), [-1] * 12)
    after = centred(tmp_path / "after", changed, before.centre)
    updated = update_neighbours(after, by_brute_force(before), origins)
    assert updated is not None
    assert (updated == np.arange(len(changed))[:, np.newaxis]).any(axis=1).all()
    assert all(len(set(row)) == KEPT for row in updated.tolist())


def test_only_rows_that_are_moved_as_before_keep_their_origin(tmp_path: Path) -> None:
    vectors = clusters()
    before = centred(tmp_path / "before", vectors)
    changed, origins = change(vectors, np.arange(20), 10)
    after = centred(tmp_path / "after", changed, before.centre)
    lists = by_brute_force(before), by_brute_force(after)
    traced = without_moved(origins, *lists, NEAREST)
    assert before.centre is not None
    then, now = (
        Refined(one.rows, before.centre, nearest)[:] for one, nearest in zip((before, after), lists, strict=True)
    )
    same = np.flatnonzero(traced >= 0)
    np.testing.assert_allclose(now[same], then[traced[same]], atol=1e-6)
    moved = np.flatnonzero((traced < 0) & (origins >= 0))
    assert 0 < len(moved) < len(same)
    assert (np.abs(now[moved] - then[origins[moved]]).max(axis=1) > 1e-4).all()


def test_an_update_that_would_take_longer_than_finding_all_is_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(neighbours, "BILLION_S", 1e6)
    before = centred(tmp_path / "before", clusters())
    changed, origins = change(clusters(), np.arange(0), 30)
    after = centred(tmp_path / "after", changed, before.centre)
    assert update_neighbours(after, by_brute_force(before), origins) is None


def test_a_centre_stays_while_most_pictures_do() -> None:
    assert is_mostly_kept(np.append(np.arange(100), [-1] * 10), 100)
    assert not is_mostly_kept(np.append(np.arange(100), [-1] * 30), 100)
    assert not is_mostly_kept(np.arange(80), 100)


@pytest.mark.parametrize("recipe", ["flat", "flat-sq8", "IVF8,SQ8"])
def test_the_neighbours_of_a_query_are_found_by_the_index_of_moved_vectors(tmp_path: Path, recipe: str) -> None:
    vectors = centred(tmp_path, clusters())
    refined = refine(tmp_path, vectors, "neighbours")
    asking = refined.with_candidates(candidates_of(build_index(recipe, refined)))
    queries = clusters(100, seed=3)
    exact, found = refined.refine(queries), asking.refine(queries)
    same = np.abs(exact - found).max(axis=1) < 1e-5
    assert same.mean() >= 0.95


def test_a_picture_as_a_query_is_itself_first_and_is_left_out_when_it_is_asked_to(tmp_path: Path) -> None:
    vectors = clusters()
    refined = refine(tmp_path, centred(tmp_path, vectors), "neighbours")
    asking = refined.with_candidates(candidates_of(build_index("flat-sq8", refined)))
    np.testing.assert_allclose((asking.refine(vectors) * refined[:]).sum(axis=1), 1, atol=1e-5)
    rows = np.arange(0, COUNT, 7)
    np.testing.assert_allclose(asking.refine(vectors[rows], rows), refined.refine(vectors[rows], rows), atol=1e-5)
    here, there = asking.split(vectors[5]), refined.split(vectors[5])
    assert here.scale == pytest.approx(there.scale, rel=1e-4)
    np.testing.assert_allclose(here.context, there.context, atol=1e-5)

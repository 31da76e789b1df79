"""FAISS files: those of every recipe are read again, and no other ones, whatever happened to them."""

import itertools
from pathlib import Path

import faiss
import numpy as np
import pytest
from foreign import LEVELS, TUNED, memory
from tiers import Share

from similarity.errors import SearchError
from similarity.search import VectorIndex, build_index, load_index, updated_index
from similarity.search.faiss.inverted import InvertedIndex
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.memmap import StoredVectors, write_vectors

DIM, COUNT = 24, 600
TRANSFORMS = ("", "PCA8,", "OPQ4_8,")
CODES = ("Flat", "SQ4", "SQ6", "SQ8", "SQfp16")
LISTS = [f"{one}IVF{count},{codes}" for one, count, codes in itertools.product(TRANSFORMS, (1, 8), CODES)]
RECIPES = ("flat", "flat-sq8", *LISTS)
# Learning them takes seconds.
SLOW = ("IVF8,PQ4", "IVF1,PQ4", "PCA8,IVF8,PQ2", "OPQ4_8,IVF8,PQ4")
EVERY = [*RECIPES, *(pytest.param(one, marks=pytest.mark.exhaustive) for one in SLOW)]
WITH_HEADS = "flat-sq8 with heads"
DAMAGED = (*RECIPES, WITH_HEADS)
REFUSED = (OSError, ValueError, LookupError, TypeError)


def some_vectors(count: int, seed: int = 0) -> Vectors:
    return normalise(np.random.default_rng(seed).standard_normal((count, DIM)).astype(np.float32))


def stored(folder: Path, vectors: Vectors) -> StoredVectors:
    path = folder / f"{len(vectors)}.npy"
    write_vectors(path, vectors.shape, [vectors])
    return StoredVectors(path)


def saved(folder: Path, recipe: str, vectors: StoredVectors) -> tuple[VectorIndex, Path]:
    with pytest.MonkeyPatch.context() as patch:
        if recipe == WITH_HEADS:  # also of few vectors
            for name, value in (("LEAST", 1), ("LONGEST", 0.5), ("LARGE", 1), ("MULTIPLE", 8)):
                patch.setattr(f"similarity.search.faiss.head.{name}", value)
        index = build_index(as_named(recipe), vectors)
    assert ("head" in index.facts) == (recipe == WITH_HEADS)
    index.save(folder / "index.faiss")
    return index, folder / "index.faiss"


def as_named(recipe: str) -> str:
    """The name of a recipe, as users know it."""
    return recipe.removesuffix(" with heads")


def assert_alike(mine: VectorIndex, theirs: VectorIndex) -> None:
    for found, expected in zip(mine.search(some_vectors(5, 1), 5), theirs.search(some_vectors(5, 1), 5), strict=True):
        np.testing.assert_allclose(found, expected, atol=1e-6)


@pytest.mark.many
@pytest.mark.parametrize("recipe", EVERY)
def test_an_index_of_every_recipe_is_read_again_also_when_nearly_all_has_left_it(recipe: str, tmp_path: Path) -> None:
    vectors = some_vectors(COUNT)
    all_of_them, few = stored(tmp_path, vectors), stored(tmp_path, vectors[:3])
    index, path = saved(tmp_path, recipe, all_of_them)
    assert_alike(load_index(recipe, path, index.facts, all_of_them), index)
    left = updated_index(index, recipe, few, np.arange(3))  # most lists are empty then, which FAISS writes otherwise
    left.save(path)
    assert_alike(load_index(recipe, path, left.facts, few), left)


def test_a_file_that_is_cut_anywhere_or_has_more_at_its_end_is_no_index(tmp_path: Path, share: Share) -> None:
    vectors = stored(tmp_path, some_vectors(COUNT))
    for recipe in share.of(DAMAGED, parts=8):
        index, path = saved(tmp_path, recipe, vectors)
        whole = path.read_bytes()
        lengths = {*range(0, min(len(whole), 300), 7), *range(0, len(whole), 1 + len(whole) // 40), len(whole) - 1}
        for damaged in (*(whole[:length] for length in lengths), whole + b"\0"):
            path.write_bytes(damaged)
            with pytest.raises(REFUSED):
                load_index(as_named(recipe), path, index.facts, vectors)


def test_bits_that_are_flipped_make_an_index_none_or_leave_one_that_answers(tmp_path: Path, share: Share) -> None:
    """Here nothing has looked at a hash before."""
    vectors, refused = stored(tmp_path, some_vectors(COUNT)), 0
    for recipe in share.of(DAMAGED, parts=8):
        index, path = saved(tmp_path, recipe, vectors)
        whole, chance = path.read_bytes(), share.random(recipe)
        heads = range(0, min(len(whole), 1_500) * 8, 11 if share.is_all else 41)
        for place in (*heads, *(chance.randrange(8 * len(whole)) for _ in range(share.count(300)))):
            damaged = bytearray(whole)
            damaged[place // 8] ^= 1 << (place % 8)
            path.write_bytes(damaged)
            try:
                read = load_index(as_named(recipe), path, index.facts, vectors)
            except REFUSED:
                refused += 1
                continue
            try:
                _, rows = read.search(some_vectors(2, 1), 5)
            except SearchError:
                continue
            assert rows.shape == (2, 5)
            assert ((rows >= 0) & (rows < COUNT)).all()
    assert refused > 100


def with_product_codes(path: Path, lists: int) -> None:
    """Write lists of codes of 24 bytes; what FAISS takes seconds to learn is taken from the vectors."""
    centres = faiss.IndexFlatL2(DIM)
    centres.add(some_vectors(lists, 2))
    index = faiss.IndexIVFPQ(centres, DIM, lists, DIM, 8)
    spread = np.sort(some_vectors(COUNT)[:256], axis=0)
    faiss.copy_array_to_vector(np.ascontiguousarray(spread.T).ravel(), index.pq.centroids)
    index.is_trained = True
    index.add(some_vectors(COUNT))
    faiss.write_index(index, str(path))


def test_an_index_of_heads_without_them_in_its_facts_or_the_other_way_round_is_none(tmp_path: Path) -> None:
    vectors = stored(tmp_path, some_vectors(COUNT))
    index, path = saved(tmp_path, WITH_HEADS, vectors)
    without = {name: value for name, value in index.facts.items() if name != "head"}
    for facts in (without, without | {"head": {"error": -1.0, "length": 1.0}}, without | {"head": 3}):
        with pytest.raises(REFUSED):
            load_index("flat-sq8", path, facts, vectors)


def test_directions_of_heads_that_are_not_at_right_angles_are_none(tmp_path: Path) -> None:
    """Scores of heads could be below the exact ones then, and results be missed."""
    vectors = stored(tmp_path, some_vectors(COUNT))
    index, path = saved(tmp_path, WITH_HEADS, vectors)
    read = faiss.read_index(str(path))
    transform = faiss.downcast_VectorTransform(faiss.downcast_index(read.base_index).chain.at(0))
    matrix = faiss.vector_to_array(transform.A).reshape(-1, DIM)
    matrix[1] = matrix[0]
    faiss.copy_array_to_vector(matrix.ravel(), transform.A)
    faiss.write_index(read, str(path))
    with pytest.raises(ValueError, match="not the directions"):
        load_index("flat-sq8", path, index.facts, vectors)


@pytest.mark.parametrize(("lists", "has_table"), [(8, True), (1 << 16, False)])
def test_a_table_that_takes_much_more_than_the_file_is_done_without(
    lists: int, has_table: bool, tmp_path: Path
) -> None:
    """For a file of 7 MB, FAISS would compute one of 1.6 GB."""
    vectors, path = stored(tmp_path, some_vectors(COUNT)), tmp_path / "index.faiss"
    with_product_codes(path, lists)
    Path("/proc/self/clear_refs").write_text("5")
    before = memory("VmRSS")
    read = load_index(f"IVF{lists},PQ24", path, TUNED | {"probes": dict.fromkeys(LEVELS, lists)}, vectors)
    assert memory("VmHWM") - before < 100_000_000
    assert isinstance(read, InvertedIndex)
    assert bool(read._lists.ivf.use_precomputed_table) == has_table
    scores, rows = read.search(some_vectors(COUNT)[:5], 1)
    np.testing.assert_allclose(scores[:, 0], 1, atol=1e-6)
    assert rows[:, 0].tolist() == [0, 1, 2, 3, 4]

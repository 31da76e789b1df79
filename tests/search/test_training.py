"""Inverted lists are trained and filled by short ways, which lead to the same place as FAISS's own."""

from pathlib import Path

import numpy as np
import pytest

from similarity.bench.synthetic import World
from similarity.embedding.backbones.registry import BACKBONES
from similarity.search.faiss.centres import MIN_FOR_LIST, MIN_LISTS, grouped_training, nearest_lists
from similarity.search.faiss.components import fit
from similarity.search.faiss.training import build_lists
from similarity.search.faiss_library import compute_ahead, faiss
from similarity.search.tuning import _more
from similarity.vectors.memmap import StoredVectors, write_vectors


@pytest.mark.parametrize("count", [600, 20])  # more and fewer than there are numbers
def test_principal_components_are_those_of_faiss(count: int) -> None:
    sample = World(64).block(count, 1)
    ours, theirs = faiss.PCAMatrix(64, 8), faiss.PCAMatrix(64, 8)
    fit(ours, sample)
    theirs.train(sample)
    others = World(64).block(50, 2)
    # The sign of a component is not determined.
    assert np.allclose(np.abs(ours.apply(others)), np.abs(theirs.apply(others)), atol=1e-4)


def test_the_nearest_of_many_lists_is_found_by_groups_for_nearly_all() -> None:
    sample = World(32).block(MIN_FOR_LIST * MIN_LISTS, 1)
    lists = faiss.index_factory(32, f"IVF{MIN_LISTS},SQ8", faiss.METRIC_L2)
    lists.cp.min_points_per_centroid = 1
    with grouped_training(lists):
        lists.train(sample)
    found = nearest_lists(lists, len(sample))(sample)
    assert (found == lists.quantizer.assign(sample, 1)[:, 0]).mean() > 0.99
    few = nearest_lists(lists, 1)(sample[:100])
    assert (few == lists.quantizer.assign(sample[:100], 1)[:, 0]).all()


def test_centres_that_were_learned_by_groups_are_as_near_to_vectors_as_others() -> None:
    sample = World(32).block(MIN_FOR_LIST * MIN_LISTS, 1)
    distances = []
    for lists in (faiss.index_factory(32, f"IVF{MIN_LISTS},SQ8", faiss.METRIC_L2) for _ in range(2)):
        lists.cp.min_points_per_centroid, lists.cp.niter = 1, 8
        if not distances:
            lists.train(sample)
        else:
            with grouped_training(lists):
                lists.train(sample)
        distances.append(lists.quantizer.search(sample, 1)[0].mean())
    assert distances[1] < 1.02 * distances[0]


def test_each_vector_is_in_a_list_whose_code_is_its_own(tmp_path: Path) -> None:
    vectors = World(48).block(5_000, 1)  # more than are transformed at a time
    write_vectors(tmp_path / "v.npy", vectors.shape, [vectors], "float16")
    lists = build_lists("PCA32,IVF16,SQ8", StoredVectors(tmp_path / "v.npy"), None)
    assert lists.hold_each_once(len(vectors))
    _, rows = lists.search(lists.transform(vectors), 1, 16)
    assert (rows[:, 0] == np.arange(len(vectors))).mean() > 0.99


def test_of_a_few_different_vectors_none_is_lost_though_most_groups_of_lists_are_empty(tmp_path: Path) -> None:
    few = World(16).block(5, 1)
    vectors = np.repeat(few, 8_000, axis=0)
    write_vectors(tmp_path / "v.npy", vectors.shape, [vectors])
    lists = build_lists(f"IVF{MIN_LISTS},SQ8", StoredVectors(tmp_path / "v.npy"), None)
    assert lists.hold_each_once(len(vectors))


def test_results_that_are_computed_ahead_come_in_order_and_an_error_comes_in_its_turn() -> None:
    def invert(number: int) -> float:
        return 1 / number

    results = compute_ahead(invert, [4, 3, 2, 1, 0, 5])
    assert [next(results) for _ in range(4)] == [1 / 4, 1 / 3, 1 / 2, 1]
    with pytest.raises(ZeroDivisionError):
        next(results)


def test_one_query_of_any_backbone_is_scanned_and_not_multiplied_as_a_matrix() -> None:
    """Since FAISS 1.15 the threshold counts the numbers of all queries; a product takes twice as long for one."""
    import similarity.search.faiss.flat  # noqa: F401 - which sets it

    assert max(backbone.dim for backbone in BACKBONES.values()) < faiss.cvar.distance_compute_blas_threshold


def test_few_more_lists_are_tried_than_are_needed() -> None:
    tried = [1]
    while tried[-1] < 100:
        tried.append(_more(tried[-1]))
    assert tried == [1, 2, 3, 4, 6, 8, 12, 16, 24, 32, 48, 64, 96, 128]

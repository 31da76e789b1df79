"""The proof that a gallery loses nothing in int8, on made-up embeddings."""

import numpy as np
import pytest

from similarity.evaluation.metrics import average_precision_at_r
from similarity.indexing.int8_proof import nothing_lost, overlaps, precisions_at_r, prove, rank
from similarity.vectors.arrays import Vectors, normalise

COUNT, KINDS = 240, 12
LABELS = [f"kind {place % KINDS}" for place in range(COUNT)]


@pytest.fixture(scope="module")
def plain() -> Vectors:
    """Embeddings around a centre of each kind, which overlap."""
    random = np.random.default_rng(1)
    centres = random.standard_normal((KINDS, 32))
    kinds = centres[np.arange(COUNT) % KINDS]
    return normalise((kinds + 1.5 * random.standard_normal((COUNT, 32))).astype(np.float32))


def near(vectors: Vectors, noise: float) -> Vectors:
    random = np.random.default_rng(2)
    return normalise((vectors + noise * random.standard_normal(vectors.shape)).astype(np.float32))


@pytest.mark.parametrize("labels", [LABELS, [None] * COUNT])
def test_the_same_embeddings_lose_nothing(plain: Vectors, labels: list[str | None]) -> None:
    assert prove(plain, near(plain, 0.05), plain, labels, "f32").holds


def test_noise_in_int8_is_a_loss_where_there_are_labels(plain: Vectors) -> None:
    proof = prove(plain, plain, near(plain, 0.2), LABELS, "f32")
    assert not proof.holds
    assert proof.finding.startswith("mAP@R on 240 of its pictures is 0.")


def test_without_labels_int8_may_change_results_as_little_as_mirrored_pictures_do(plain: Vectors) -> None:
    little, much, unlabelled = near(plain, 0.01), near(plain, 0.1), [None] * COUNT
    assert prove(plain, much, little, unlabelled, "bf16").holds
    proof = prove(plain, little, much, unlabelled, "bf16")
    assert not proof.holds
    assert "are those of bf16" in proof.finding


def test_a_few_labels_do_not_decide(plain: Vectors) -> None:
    labels = [label if place < 90 else None for place, label in enumerate(LABELS)]
    assert "mirrored" in prove(plain, plain, plain, labels, "f32").finding


def test_a_small_loss_counts_when_it_is_sure_and_a_large_one_even_when_it_is_not() -> None:
    random = np.random.default_rng(3)
    assert nothing_lost(np.zeros(100))
    assert nothing_lost(random.normal(0.002, 0.1, 500))
    assert not nothing_lost(np.full(100, -0.001) + random.normal(0, 1e-4, 100))
    assert not nothing_lost(random.normal(-0.05, 0.4, 50))


def test_average_precision_is_that_of_the_evaluation(plain: Vectors) -> None:
    names, order = np.array(LABELS), rank(plain)
    right = names[order] == names[:, np.newaxis]
    expected = average_precision_at_r(right, right.sum(axis=1))
    np.testing.assert_allclose(precisions_at_r(order, names), expected)


def test_no_picture_is_a_result_of_its_own(plain: Vectors) -> None:
    order = rank(plain)
    assert order.shape == (COUNT, COUNT - 1)
    assert not (order == np.arange(COUNT)[:, np.newaxis]).any()
    assert overlaps(order, order).min() == 1

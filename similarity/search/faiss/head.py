"""The head of vectors: their part in a few directions, which has most of them; a scan of it rules most vectors out.

Let P be orthonormal directions, a row each. A query q and a vector x are the sum of their parts in and across them, and
of the parts across, the inequality of Cauchy and Schwarz says that

    q.x  <=  Pq.Px + |q - P'Pq| |x - P'Px|  =  (Pq, |q - P'Pq|).(Px, |x - P'Px|)

So the vectors on the right, with one number more than there are directions, have scores that are never below the exact
ones: a vector whose score there is below the k-th best exact score is not among the best k. They are stored as codes of
8 bits, see `coded.py`, and few are left: of 60,000 x 2048 made-up vectors 70 at the median with 383 directions, and 154
with the margin of the codes. That takes an eighth of the time of a scan of whole codes.

The directions are those of the largest principal components, without centring. They are then turned at random, so that
each has as much of the vectors as the others: codes of 8 bits lose the least so.

A query that is unlike the vectors is mostly across the directions, and rules nothing out; whole codes are scanned then.
"""

import numpy as np

from similarity.search.faiss_library import faiss
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# Numbers of all vectors from which on scanning them takes a millisecond, and a head is worth it.
LEAST = 1 << 24
# Vectors that directions are learned from, and rounds of learning.
SAMPLE, ROUNDS = 1 << 13, 2
# FAISS is fastest with lengths that are multiples of this.
MULTIPLE = 32
# A head has at most this share of the numbers of a vector. So many directions are taken that what is left of vectors
# has at most this mean square; beyond the second number, too few vectors would be ruled out.
LONGEST, SMALL, LARGE = 1 / 4, 1 / 16, 1 / 8
# Lengths of what is left of a query up to which it is like the vectors: most have 0.25 to 0.35, and pictures of other
# things 0.6 or more.
NEAR = 0.5
# Vectors up to which FAISS multiplies one by one: 0.1 ms for each of 2048.
FEW = 16
# Added to squares of what is left, as a share of the squares of vectors: about what rounding loses. What it may lose at
# most is in the margin of the codes.
SLACK = 1e-6
# How far products of directions that were computed in float32 may be from those of orthonormal ones.
ORTHONORMAL = 1e-4


def longest(count: int, dim: int) -> int:
    """Return the most numbers of a head, where there are so many vectors; 0 where there are too few."""
    return int(dim * LONGEST) // MULTIPLE * MULTIPLE if count * dim >= LEAST else 0


def learn_directions(vectors: StoredVectors) -> Vectors | None:
    """Return the directions of a head, float32 (directions, dim), orthonormal.

    None if there are too few vectors, or they are not mostly in a few directions.
    """
    most = longest(*vectors.shape) - 1
    if most < 1:
        return None
    sample = vectors[np.arange(0, len(vectors), max(1, len(vectors) // SAMPLE))]
    random = np.random.default_rng(0)
    products = sample.T @ sample / len(sample)
    found = random.standard_normal((vectors.dim, most), dtype=np.float32)
    for _ in range(ROUNDS):
        found = np.linalg.qr(products @ found)[0]
    shares, turn = np.linalg.eigh(found.T @ products @ found)
    found, left = found @ turn[:, ::-1], np.trace(products) - np.cumsum(shares[::-1])
    counts = np.arange(MULTIPLE - 1, most + 1, MULTIPLE)
    count = next((count for count in counts if left[count - 1] <= SMALL), most)
    if left[count - 1] > LARGE:
        return None
    anyhow = np.linalg.qr(random.standard_normal((count, count)))[0]
    directions: Vectors = np.ascontiguousarray((found[:, :count] @ anyhow).T, np.float32)
    return directions


def head_of(vectors: Vectors, directions: Vectors) -> Vectors:
    """Return vectors as the right side above has them, float32 (n, directions + 1)."""
    inside = _inner_products(vectors, directions)
    squares = np.einsum("ij,ij->i", vectors, vectors)
    across = np.maximum(squares - np.einsum("ij,ij->i", inside, inside), 0)
    return np.column_stack([inside, np.sqrt(across + SLACK * squares)]).astype(np.float32)


def are_near(heads: Vectors) -> "np.ndarray[tuple[int], np.dtype[np.bool_]]":
    """Return which queries are like the vectors, bool (m,)."""
    return np.asarray(heads[:, -1] <= NEAR)


def to_transform(directions: Vectors) -> "faiss.LinearTransform":
    """Return FAISS's transform to a head, whose last number is 0 there, since it is not linear."""
    count, dim = directions.shape
    transform = faiss.LinearTransform(dim, count + 1, False)
    matrix = np.concatenate([directions, np.zeros((1, dim), np.float32)])
    faiss.copy_array_to_vector(matrix.ravel(), transform.A)
    transform.is_trained = True
    return transform


def from_transform(transform: "faiss.LinearTransform") -> Vectors:
    """Return the directions of a transform that `to_transform` made; raises ValueError for another."""
    matrix = faiss.vector_to_array(transform.A).reshape(transform.d_out, transform.d_in)
    directions: Vectors = matrix[:-1]
    is_ours = not transform.have_bias and len(directions) > 0 and not matrix[-1].any()
    # Of directions that are not orthonormal, scores may be below the exact ones.
    if not is_ours or np.abs(matrix).max() > 1 + ORTHONORMAL or not _are_orthonormal(directions):
        raise ValueError("not the directions of these embeddings")
    return directions


def _are_orthonormal(directions: Vectors) -> bool:
    return np.allclose(directions @ directions.T, np.eye(len(directions)), rtol=0, atol=ORTHONORMAL)


def _inner_products(vectors: Vectors, directions: Vectors) -> Vectors:
    """Return vectors @ directions.T; for a few, such as a query, in this thread, since others would be waited for."""
    if len(vectors) > FEW:
        return vectors @ directions.T
    vectors, products = np.ascontiguousarray(vectors), np.empty((len(vectors), len(directions)), np.float32)
    for vector, row in zip(vectors, products, strict=True):
        faiss.fvec_inner_products_ny(*map(faiss.swig_ptr, (row, vector, directions)), *directions.shape[::-1])
    return products

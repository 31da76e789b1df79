"""Inverted lists are learned from a sample, filled in a stream, and changed in place when pictures come and go."""

from typing import Any

import numpy as np

from similarity.progress import OnProgress, Progress, Reporter
from similarity.search.contract import Rows
from similarity.search.faiss_library import faiss
from similarity.search.recipes import FOR_LIST, make_inverted
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# How many vectors teach a transform such as PCA; k-means learns from more, which are transformed by then.
FOR_TRANSFORM = 1 << 15
ROUNDS = 8
# In place of a row: the vector is new.
NEW = -1
# What recipes make; the second transform is what FAISS reads OPQ as.
KINDS = (faiss.IndexIVFFlat, faiss.IndexIVFScalarQuantizer, faiss.IndexIVFPQ)
TRANSFORMS = (faiss.PCAMatrix, faiss.LinearTransform, faiss.OPQMatrix)


class Lists:
    """A FAISS index with inverted lists, in its two steps: transforms such as PCA, and the lists.

    Attributes:
        index: the whole.
        ivf: the lists.
    """

    def __init__(self, index: Any) -> None:
        self.index = index
        self.ivf = faiss.downcast_index(faiss.extract_index_ivf(index))
        pre = faiss.downcast_index(index)
        is_transformed = isinstance(pre, faiss.IndexPreTransform)
        chain = [pre.chain.at(place) for place in range(pre.chain.size())] if is_transformed else []
        self._transforms = [faiss.downcast_VectorTransform(one) for one in chain]

    @property
    def are_ours(self) -> bool:
        """Whether all parts are of the kinds that a recipe makes, which have all that they need in memory."""
        parts = [type(one) for one in self._transforms]
        return (
            type(self.ivf) in KINDS
            and type(faiss.downcast_index(self.ivf.quantizer)) in (faiss.IndexFlat, faiss.IndexFlatL2)
            and type(faiss.downcast_InvertedLists(self.ivf.invlists)) is faiss.ArrayInvertedLists
            and len(parts) <= 1
            and all(one in TRANSFORMS for one in parts)
        )

    def hold_each_once(self, count: int) -> bool:
        """Whether each of so many rows is in one list, once."""
        seen = np.zeros(count, bool)
        for number in range(self.ivf.nlist):
            ids, _ = self.entries(number)
            if len(ids) and not 0 <= ids.min() <= ids.max() < count:
                return False
            seen[ids] = True
        return self.ivf.ntotal == count and bool(seen.all())

    def transform(self, vectors: Vectors) -> Vectors:
        """Float32 (n, dim) -> float32 (n, components), what the lists hold."""
        for one in self._transforms:
            vectors = one.apply(vectors)
        return vectors

    def train(self, vectors: StoredVectors) -> None:
        """Learn from a sample."""
        count = min(len(vectors), max(FOR_TRANSFORM, FOR_LIST * self.ivf.nlist))
        rows = np.sort(np.random.default_rng(0).choice(len(vectors), count, replace=False))
        first = vectors[rows[:: max(1, count // FOR_TRANSFORM)]]
        for one in self._transforms:
            one.train(first)
            first = one.apply(first)
        # So that a code says what a vector is by itself: those that meet a condition can be taken out of their lists.
        self.ivf.by_residual = self.ivf.by_residual and not isinstance(self.ivf, faiss.IndexIVFScalarQuantizer)
        self.ivf.cp.niter, self.ivf.cp.max_points_per_centroid = ROUNDS, FOR_LIST
        self.ivf.cp.min_points_per_centroid = 1
        size = FOR_TRANSFORM // 4
        sample = [self.transform(vectors[rows[start : start + size]]) for start in range(0, count, size)]
        self.ivf.train(np.concatenate(sample))
        self.index.is_trained = True

    def add(self, vectors: StoredVectors, rows: Rows, report: Reporter | None = None) -> None:
        """Take in some rows, in a stream."""
        for start in range(0, len(rows), FOR_TRANSFORM // 4):
            block = rows[start : start + FOR_TRANSFORM // 4]
            self.ivf.add_with_ids(self.transform(vectors[block]), block)
            if report:
                report.advance(len(block))
        self.index.ntotal = self.ivf.ntotal

    def renumber(self, origins: Rows) -> None:
        """Give the vectors that stay the rows that they have now, and drop the others.

        Args:
            origins: for each row now, the row that it was, or NEW.
        """
        now = np.full(self.ivf.ntotal, NEW)
        stays = origins != NEW
        now[origins[stays]] = np.flatnonzero(stays)
        lists = faiss.ArrayInvertedLists(self.ivf.nlist, self.ivf.code_size)
        for number in range(self.ivf.nlist):
            ids, codes = self.entries(number)
            rows = now[ids]
            kept = rows != NEW
            if kept.any():
                rows, codes = np.ascontiguousarray(rows[kept]), np.ascontiguousarray(codes[kept])
                lists.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(codes))
        self.ivf.replace_invlists(lists, True)
        lists.this.disown()  # they belong to the index now
        self.ivf.ntotal = self.index.ntotal = int(stays.sum())

    def entries(self, number: int) -> tuple[Rows, Any]:
        """What is in a list: rows int64 (m,) and codes uint8 (m, code size), as views that are valid for now."""
        size, width = self.ivf.invlists.list_size(number), self.ivf.code_size
        if not size:
            return np.empty(0, np.int64), np.empty((0, width), np.uint8)
        ids = faiss.rev_swig_ptr(self.ivf.invlists.get_ids(number), size)
        return ids, faiss.rev_swig_ptr(self.ivf.invlists.get_codes(number), size * width).reshape(size, width)


def build_lists(recipe: str, vectors: StoredVectors, progress: OnProgress | None) -> Lists:
    """Learn lists and fill them."""
    lists = Lists(make_inverted(recipe, vectors.dim))
    if progress:
        progress(Progress("Learning how pictures are grouped"))
    lists.train(vectors)
    report = Reporter(len(vectors), progress, task="Building the index")
    lists.add(vectors, np.arange(len(vectors)), report)
    return lists


def updated_lists(lists: Lists, vectors: StoredVectors, origins: Rows, progress: OnProgress | None) -> Lists:
    """The same lists for other rows; those that are taken from stay as they are.

    Args:
        vectors: all rows as they are now.
        origins: for each of them, the row that it was, or NEW.
    """
    mine = Lists(faiss.clone_index(lists.index))
    mine.renumber(origins)
    new = np.flatnonzero(origins == NEW)
    mine.add(vectors, new, Reporter(len(new), progress, task="Updating the index"))
    return mine

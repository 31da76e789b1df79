"""Inverted lists: trained on a sample, filled block by block, and updated when pictures come and go."""

from typing import Any

import numpy as np

from similarity.progress import OnProgress, Progress, Reporter
from similarity.search.contract import Rows
from similarity.search.faiss.centres import grouped_training, nearest_lists
from similarity.search.faiss.components import fit
from similarity.search.faiss_library import compute_ahead, faiss, in_one_thread
from similarity.search.recipes import FOR_LIST, make_inverted
from similarity.vectors.arrays import Vectors
from similarity.vectors.memmap import StoredVectors

# Vectors that a transform such as PCA is fitted on; k-means takes more, which are already transformed.
FOR_TRANSFORM = 1 << 15
# Vectors that a thread transforms at a time.
BLOCK = 1 << 12
ROUNDS = 8
# Stands for the old row of a new vector.
NEW = -1
# The kinds that recipes make; FAISS reads OPQ back as the second transform.
KINDS = (faiss.IndexIVFFlat, faiss.IndexIVFScalarQuantizer, faiss.IndexIVFPQ)
TRANSFORMS = (faiss.PCAMatrix, faiss.LinearTransform, faiss.OPQMatrix)


class Lists:
    """A FAISS index with inverted lists: transforms such as PCA, followed by the lists.

    Attributes:
        index: the whole index.
        ivf: its inverted lists.
    """

    def __init__(self, index: Any) -> None:
        self.index = index
        self.ivf = faiss.downcast_index(faiss.extract_index_ivf(index))
        pre = faiss.downcast_index(index)
        is_transformed = isinstance(pre, faiss.IndexPreTransform)
        chain = [pre.chain.at(place) for place in range(pre.chain.size())] if is_transformed else []
        self._transforms = [faiss.downcast_VectorTransform(transform) for transform in chain]

    @property
    def are_ours(self) -> bool:
        """Whether all parts are of kinds that a recipe makes, which read nothing from other files."""
        kinds = [type(transform) for transform in self._transforms]
        return (
            type(self.ivf) in KINDS
            and type(faiss.downcast_index(self.ivf.quantizer)) in (faiss.IndexFlat, faiss.IndexFlatL2)
            and type(faiss.downcast_InvertedLists(self.ivf.invlists)) is faiss.ArrayInvertedLists
            and len(kinds) <= 1
            and all(kind in TRANSFORMS for kind in kinds)
        )

    @property
    def count(self) -> int:
        """Number of lists."""
        return int(self.ivf.nlist)

    def search(self, small: Vectors, wanted: int, probes: int) -> tuple[Vectors, Rows]:
        """Return distances of codes and rows of the best, both (m, wanted), best first; rows of -1 if there are fewer.

        Args:
            small: transformed queries, float32 (m, components).
            probes: number of lists to visit.
        """
        found: tuple[Vectors, Rows] = self.ivf.search(small, wanted, params=faiss.SearchParametersIVF(nprobe=probes))
        return found

    def visit(self, small: Vectors, wanted: int, keys: Rows, near: Vectors, chosen: Any = None) -> tuple[Vectors, Rows]:
        """Search given lists; otherwise as `search`.

        Args:
            keys, near: for each query the lists, and the distances of their centres.
            chosen: FAISS's selector of rows that may be found.
        """
        distances, rows = np.empty((len(small), wanted), np.float32), np.empty((len(small), wanted), np.int64)
        params = faiss.SearchParametersIVF(sel=chosen, nprobe=keys.shape[1])
        small = np.ascontiguousarray(small)
        arrays = [faiss.swig_ptr(array) for array in (small, keys, near, distances, rows)]
        # FAISS's own wrapper of this does not take parameters.
        self.ivf.search_preassigned_c(len(small), arrays[0], wanted, *arrays[1:], False, params, None)
        return distances, rows

    def is_trained_as(self, other: "Lists") -> bool:
        """Whether the other has the same transforms, centres of lists and codes, so that they are comparable."""
        return self._trained() == other._trained()

    def emptied(self) -> "Lists":
        """Return a copy without vectors, trained as this."""
        copied = Lists(faiss.clone_index(self.index))
        copied.index.reset()
        return copied

    def _trained(self) -> list[bytes]:
        """All that was learned."""
        transforms = [array for one in self._transforms for array in (one.A, one.b)]
        codes = [self.ivf.sq.trained] if isinstance(self.ivf, faiss.IndexIVFScalarQuantizer) else []
        codes += [self.ivf.pq.centroids] if isinstance(self.ivf, faiss.IndexIVFPQ) else []
        centres = self.ivf.quantizer.reconstruct_n(0, self.count)
        return [centres.tobytes(), *(faiss.vector_to_array(array).tobytes() for array in (*transforms, *codes))]

    def hold_each_once(self, count: int) -> bool:
        """Whether each of `count` rows is in exactly one list."""
        seen = np.zeros(count, bool)
        for number in range(self.ivf.nlist):
            ids, _ = self.entries(number)
            if len(ids) and not 0 <= ids.min() <= ids.max() < count:
                return False
            seen[ids] = True
        return self.ivf.ntotal == count and bool(seen.all())

    def transform(self, vectors: Vectors) -> Vectors:
        """Transform vectors as the lists hold them: float32 (n, dim) -> float32 (n, components)."""
        for transform in self._transforms:
            vectors = transform.apply(vectors)
        return vectors

    def train(self, vectors: StoredVectors) -> None:
        """Train the transforms and the lists on a sample."""
        count = min(len(vectors), max(FOR_TRANSFORM, FOR_LIST * self.ivf.nlist))
        rows = np.sort(np.random.default_rng(0).choice(len(vectors), count, replace=False))
        sample = vectors[rows[:: max(1, count // FOR_TRANSFORM)]]
        for transform in self._transforms:
            fit(transform, sample)
            sample = transform.apply(sample)
        # Without residuals a code is independent of its list, so that codes can be gathered from several lists.
        self.ivf.by_residual = self.ivf.by_residual and not isinstance(self.ivf, faiss.IndexIVFScalarQuantizer)
        self.ivf.cp.niter, self.ivf.cp.max_points_per_centroid = ROUNDS, FOR_LIST
        self.ivf.cp.min_points_per_centroid = 1
        blocks = (rows[start : start + BLOCK] for start in range(0, count, BLOCK))
        transformed = np.concatenate([*compute_ahead(lambda block: self.transform(vectors[block]), blocks)])
        with grouped_training(self.ivf):
            self.ivf.train(transformed)
        self.index.is_trained = True

    def add(self, vectors: StoredVectors, rows: Rows, report: Reporter | None = None) -> None:
        """Add rows, a block at a time."""
        nearest = nearest_lists(self.ivf, len(rows))

        def assign(block: Rows) -> tuple[Vectors, Rows]:
            small = self.transform(vectors[block])
            return small, nearest(small)

        blocks = [np.ascontiguousarray(rows[start : start + BLOCK]) for start in range(0, len(rows), BLOCK)]
        for block, (small, numbers) in zip(blocks, compute_ahead(assign, blocks), strict=True):
            with in_one_thread():
                self.ivf.add_core(len(block), *map(faiss.swig_ptr, (small, block, numbers)))
            if report:
                report.advance(len(block))
        self.index.ntotal = self.ivf.ntotal

    def renumber(self, origins: Rows) -> None:
        """Renumber the vectors that stay, and drop the others.

        Args:
            origins: for each new row the old one, or NEW.
        """
        new_rows = np.full(self.ivf.ntotal, NEW)
        stays = origins != NEW
        new_rows[origins[stays]] = np.flatnonzero(stays)
        lists = faiss.ArrayInvertedLists(self.ivf.nlist, self.ivf.code_size)
        for number in range(self.ivf.nlist):
            ids, codes = self.entries(number)
            rows = new_rows[ids]
            is_kept = rows != NEW
            if is_kept.any():
                rows, codes = np.ascontiguousarray(rows[is_kept]), np.ascontiguousarray(codes[is_kept])
                lists.add_entries(number, len(rows), faiss.swig_ptr(rows), faiss.swig_ptr(codes))
        self.ivf.replace_invlists(lists, True)
        lists.this.disown()  # they belong to the index now
        self.ivf.ntotal = self.index.ntotal = int(stays.sum())

    def entries(self, number: int) -> tuple[Rows, Any]:
        """Rows int64 (m,) and codes uint8 (m, code size) of a list, as views that are valid until the list changes."""
        size, width = self.ivf.invlists.list_size(number), self.ivf.code_size
        if not size:
            return np.empty(0, np.int64), np.empty((0, width), np.uint8)
        ids = faiss.rev_swig_ptr(self.ivf.invlists.get_ids(number), size)
        return ids, faiss.rev_swig_ptr(self.ivf.invlists.get_codes(number), size * width).reshape(size, width)


def train_lists(recipe: str, vectors: StoredVectors, progress: OnProgress | None) -> Lists:
    """Train inverted lists, and leave them empty."""
    lists = Lists(make_inverted(recipe, vectors.dim))
    if progress:
        progress(Progress("Learning how pictures are grouped"))
    lists.train(vectors)
    return lists


def build_lists(
    recipe: str, vectors: StoredVectors, progress: OnProgress | None, trained: Lists | None = None
) -> Lists:
    """Train inverted lists and fill them.

    Args:
        trained: lists of whose training copies are filled instead.
    """
    lists = trained.emptied() if trained else train_lists(recipe, vectors, progress)
    report = Reporter(len(vectors), progress, task="Building the index")
    lists.add(vectors, np.arange(len(vectors)), report)
    return lists


def updated_lists(lists: Lists, vectors: StoredVectors, origins: Rows, progress: OnProgress | None) -> Lists:
    """Copy lists for changed rows; the original lists are not changed.

    Args:
        vectors: all rows after the change.
        origins: for each of them the row before the change, or NEW.
    """
    copied = Lists(faiss.clone_index(lists.index))
    copied.renumber(origins)
    new = np.flatnonzero(origins == NEW)
    copied.add(vectors, new, Reporter(len(new), progress, task="Updating the index"))
    return copied

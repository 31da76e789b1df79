"""Searching inverted lists under a condition; the method depends on how many vectors meet it."""

from dataclasses import dataclass
from typing import Any

import numpy as np

from similarity.search.contract import Rows
from similarity.search.faiss.flat import selector
from similarity.search.faiss.training import Lists
from similarity.search.faiss_library import faiss
from similarity.vectors.arrays import Vectors

# Up to so many rows are compared exactly: they are read in about a millisecond.
EXACT = 512
# The codes of up to so many are taken out of their lists, once, and then all compared: among a million 10,000 take
# 0.5 ms then. Asking for each vector of the nearest lists whether it is one of them takes 2 ms.
APART = 1 << 14


@dataclass(frozen=True, slots=True)
class ExactSubset:
    """Rows so few that all of them are compared exactly."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class GatheredCodes:
    """Rows few enough to compare all of them by their codes, which were gathered from the lists.

    Attributes:
        rows: of the codes.
        codes: a FAISS index of them.
    """

    rows: Rows
    codes: Any

    def visit(self, small: Vectors, wanted: int, budget: int) -> Rows:  # noqa: ARG002 - all are compared
        """The best rows by their codes."""
        _, places = self.codes.search(small, min(wanted, len(self.rows)))
        rows: Rows = self.rows[places[0]]
        return rows


@dataclass(frozen=True, slots=True)
class FilteredLists:
    """Rows so many that the lists nearest to the query are searched for them.

    Attributes:
        lists: the lists that hold the rows.
        chosen: FAISS's selector of the rows.
        counts: how many of the rows are in each list, int64 (lists,).
    """

    lists: Lists
    chosen: Any
    counts: Rows

    def visit(self, small: Vectors, wanted: int, budget: int) -> Rows:
        """The best rows by their codes, in the nearest lists that hold any.

        As many that meet the condition are compared as would be of all without it, so that nothing is lost where the
        nearest lists hold none.

        Args:
            small: the query as the lists have it, float32 (1, components).
            wanted: how many to find.
            budget: how many to compare at least, if there are so many.
        """
        ivf = self.lists.ivf
        total = int(self.counts.sum())
        budget = min(total, max(budget, 2 * wanted))
        # In most cases these are enough; else all lists are put in order.
        for probes in (min(ivf.nlist, 2 * -(-budget * ivf.nlist // total)), ivf.nlist):
            distances, nearest = ivf.quantizer.search(small, probes)
            met = np.cumsum(self.counts[nearest[0]])
            if met[-1] >= budget:
                break
        last = int(np.searchsorted(met, budget)) + 1
        holds = self.counts[nearest[0, :last]] > 0
        keys = np.ascontiguousarray(nearest[:, :last][:, holds])
        near = np.ascontiguousarray(distances[:, :last][:, holds])
        return self._search(small, min(wanted, total), keys, near)

    def _search(self, small: Vectors, wanted: int, keys: Rows, near: Vectors) -> Rows:
        scores, rows = np.empty((1, wanted), np.float32), np.empty((1, wanted), np.int64)
        params = faiss.SearchParametersIVF(sel=self.chosen, nprobe=keys.shape[1])
        small = np.ascontiguousarray(small)
        arrays = [faiss.swig_ptr(array) for array in (small, keys, near, scores, rows)]
        # FAISS's own wrapper of this does not take parameters.
        self.lists.ivf.search_preassigned_c(1, arrays[0], wanted, *arrays[1:], False, params, None)
        valid: Rows = rows[0][rows[0] >= 0]
        return valid


def prepare(lists: Lists, rows: Rows, assigned: Rows) -> ExactSubset | GatheredCodes | FilteredLists:
    """Get ready to search among some rows.

    Args:
        rows: in order.
        assigned: the list that each row of the index is in.
    """
    if len(rows) <= EXACT:
        return ExactSubset(rows)
    if len(rows) <= APART and isinstance(lists.ivf, faiss.IndexIVFScalarQuantizer):
        return _gather(lists, rows, assigned)
    mask = np.zeros(len(assigned), bool)
    mask[rows] = True
    return FilteredLists(lists, selector(mask), np.bincount(assigned[rows], minlength=lists.ivf.nlist))


def _gather(lists: Lists, rows: Rows, assigned: Rows) -> GatheredCodes:
    wanted = np.zeros(len(assigned), bool)
    wanted[rows] = True
    gathered_rows, gathered_codes = [], []
    for number in np.unique(assigned[rows]).tolist():
        ids, codes = lists.entries(number)
        is_wanted = wanted[ids]
        gathered_rows.append(ids[is_wanted])
        gathered_codes.append(codes[is_wanted])
    quantiser = lists.ivf.sq
    index = faiss.IndexScalarQuantizer(lists.ivf.d, quantiser.qtype, lists.ivf.metric_type)
    faiss.copy_array_to_vector(faiss.vector_to_array(quantiser.trained), index.sq.trained)
    index.is_trained = True
    index.add_sa_codes(np.concatenate(gathered_codes))
    return GatheredCodes(np.concatenate(gathered_rows), index)

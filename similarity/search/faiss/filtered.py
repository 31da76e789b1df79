"""Searching inverted lists under a condition; the method depends on how many vectors meet it."""

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np

from similarity.search.contract import Rows
from similarity.search.faiss.flat import selector
from similarity.search.faiss.training import Lists
from similarity.search.faiss_library import faiss
from similarity.vectors.arrays import Vectors

# Up to this many rows are compared exactly: they are read in about a millisecond.
EXACT = 512
# The codes of up to this many rows are gathered once, and then all compared: among a million, 10,000 take 0.5 ms.
# Testing each vector of the nearest lists takes 2 ms.
APART = 1 << 14
# Of up to this many rows, lists of their own are made, 34 MB of codes of 256 components. Among ten million, 1 % take
# 3.4 ms so, and 8.6 ms if each vector of the nearest lists is tested.
OF_THEIR_OWN = 1 << 17


@dataclass(frozen=True, slots=True)
class ExactSubset:
    """A few rows, all of which are compared exactly."""

    rows: Rows


@dataclass(frozen=True, slots=True)
class GatheredCodes:
    """Rows whose codes were gathered from the lists, and are all compared.

    Attributes:
        rows: rows of the codes.
        codes: a FAISS index of the codes.
    """

    rows: Rows
    codes: Any

    def visit(self, small: Vectors, wanted: int, budget: int) -> Rows:  # noqa: ARG002 - all are compared
        """Return the best rows by their codes."""
        _, places = self.codes.search(small, min(wanted, len(self.rows)))
        rows: Rows = self.rows[places[0]]
        return rows


@dataclass(frozen=True, slots=True)
class FilteredLists:
    """Many rows, which are searched for in the lists nearest to the query.

    Attributes:
        lists: the lists that hold the rows.
        chosen: FAISS's selector of the rows; None if the lists hold no others.
        counts: number of the rows in each list, int64 (lists,).
    """

    lists: Lists
    chosen: Any
    counts: Rows

    def visit(self, small: Vectors, wanted: int, budget: int) -> Rows:
        """Return the best rows by their codes, in the nearest lists that contain any.

        As many rows that meet the condition are compared as rows without a condition, so recall does not suffer if the
        nearest lists contain few of them.

        Args:
            small: the transformed query, float32 (1, components).
            wanted: number of rows to return.
            budget: minimum number of rows to compare, if there are that many.
        """
        ivf = self.lists.ivf
        total = int(self.counts.sum())
        budget = min(total, max(budget, 2 * wanted))
        # Usually these lists are enough; otherwise all lists are ordered.
        for probes in (min(ivf.nlist, 2 * -(-budget * ivf.nlist // total)), ivf.nlist):
            distances, nearest = ivf.quantizer.search(small, probes)
            met = np.cumsum(self.counts[nearest[0]])
            if met[-1] >= budget:
                break
        last = int(np.searchsorted(met, budget)) + 1
        holds = self.counts[nearest[0, :last]] > 0
        keys = np.ascontiguousarray(nearest[:, :last][:, holds])
        near = np.ascontiguousarray(distances[:, :last][:, holds])
        _, rows = self.lists.visit(small, min(wanted, total), keys, near, self.chosen)
        valid: Rows = rows[0][rows[0] >= 0]
        return valid


def prepare(lists: Lists, rows: Rows, assigned: Rows) -> ExactSubset | GatheredCodes | FilteredLists:
    """Prepare a search among some rows.

    Args:
        rows: sorted.
        assigned: the list of each row of the index.
    """
    if len(rows) <= EXACT:
        return ExactSubset(rows)
    if len(rows) <= APART and isinstance(lists.ivf, faiss.IndexIVFScalarQuantizer):
        return _gather(lists, rows, assigned)
    counts = np.bincount(assigned[rows], minlength=lists.ivf.nlist)
    if len(rows) <= OF_THEIR_OWN and isinstance(lists.ivf, faiss.IndexIVFScalarQuantizer):
        return FilteredLists(_with_rows_alone(lists, rows, assigned), None, counts)
    mask = np.zeros(len(assigned), bool)
    mask[rows] = True
    return FilteredLists(lists, selector(mask), counts)


def _entries(lists: Lists, rows: Rows, assigned: Rows) -> Iterator[tuple[int, Rows, Any]]:
    """Yield each list that has some of these rows, with those and their codes."""
    wanted = np.zeros(len(assigned), bool)
    wanted[rows] = True
    for number in np.unique(assigned[rows]).tolist():
        ids, codes = lists.entries(number)
        is_wanted = wanted[ids]
        yield number, ids[is_wanted], codes[is_wanted]


def _with_rows_alone(lists: Lists, rows: Rows, assigned: Rows) -> Lists:
    """Return lists of the same centres that hold no other rows."""
    ivf = lists.ivf
    alone = faiss.IndexIVFScalarQuantizer(ivf.quantizer, ivf.d, ivf.nlist, ivf.sq.qtype, ivf.metric_type, False)
    faiss.copy_array_to_vector(faiss.vector_to_array(ivf.sq.trained), alone.sq.trained)
    alone.is_trained = True
    for number, ids, codes in _entries(lists, rows, assigned):
        alone.invlists.add_entries(number, len(ids), faiss.swig_ptr(ids), faiss.swig_ptr(codes))
    alone.ntotal = len(rows)
    return Lists(alone)


def _gather(lists: Lists, rows: Rows, assigned: Rows) -> GatheredCodes:
    _, gathered_rows, gathered_codes = zip(*_entries(lists, rows, assigned), strict=True)
    quantiser = lists.ivf.sq
    index = faiss.IndexScalarQuantizer(lists.ivf.d, quantiser.qtype, lists.ivf.metric_type)
    faiss.copy_array_to_vector(faiss.vector_to_array(quantiser.trained), index.sq.trained)
    index.is_trained = True
    index.add_sa_codes(np.concatenate(gathered_codes))
    return GatheredCodes(np.concatenate(gathered_rows), index)

"""A column of a gallery's pictures, its values compared as numbers, as dates, or as texts.

Numbers and dates are those of `text.spans`; all else is compared as text, without regard to case. A date is a span:
2024-05 is all of May. Later than it is from June on, and equal to it is any moment in it.
"""

import bisect
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property

import numpy as np
import numpy.typing as npt

from similarity.query.conditions import Condition
from similarity.storage.column_files import StoredColumn
from similarity.text.spans import KINDS, Spans, span_of, spans_of
from similarity.text.spans import Kind as Kind

Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

# Values of which the rows are put together one by one; of more, all rows are looked through.
FEW = 64


@dataclass(eq=False)
class Column:
    """The values of one column, and the rows that have them.

    Attributes:
        values: distinct and sorted.
        rows: int64, the rows that have the first value, in order, then those of the next; a picture with copies may
            have several values.
        starts: int64 (values + 1,), where the rows of each value begin.
        spans: of its values by kind, as far as they are known.
    """

    values: Sequence[str]
    rows: Rows
    starts: Rows
    spans: dict[Kind, Spans] = field(default_factory=dict)

    @classmethod
    def of(cls, values: Mapping[str, Rows]) -> "Column":
        """Make a column of the rows of each value, which are in order."""
        names = sorted(values)
        rows = np.concatenate([*(values[name] for name in names), np.empty(0, np.int64)]).astype(np.int64)
        return cls(names, rows, np.cumsum([0, *(len(values[name]) for name in names)], dtype=np.int64))

    @classmethod
    def numbered(cls, values: Sequence[str], rows: Rows, codes: Rows) -> "Column":
        """Make a column of distinct values, and of rows with the number of a value that each has."""
        sort = sorted(range(len(values)), key=values.__getitem__)
        places = np.empty(len(values), np.int64)
        places[sort] = np.arange(len(values))
        order = np.lexsort((rows, places[codes]))
        starts = np.concatenate([[0], np.cumsum(np.bincount(places[codes], minlength=len(values)))])
        return cls([values[number] for number in sort], rows[order], starts.astype(np.int64))

    @classmethod
    def stored(cls, column: StoredColumn) -> "Column":
        """A column of a large gallery, which is read by need."""
        return cls(column.values, column.rows, column.starts, dict(column.spans))

    @property
    def counts(self) -> Rows:
        """How many rows have each value."""
        return np.diff(self.starts)

    def rows_of(self, place: int) -> Rows:
        """The rows of a value, in order."""
        return self.rows[self.starts[place] : self.starts[place + 1]]

    def place(self, value: str) -> int | None:
        """The place of a value; None if no row has it."""
        place = bisect.bisect_left(self.values, value)
        return place if place < len(self.values) and self.values[place] == value else None

    def repeats(self, other: "Column") -> bool:
        """Whether another column has the same values in the same rows."""
        if len(self.values) != len(other.values) or not np.array_equal(self.starts, other.starts):
            return False
        return np.array_equal(self.rows, other.rows) and all(map(str.__eq__, self.values, other.values))

    def meeting(self, condition: Condition) -> Rows:
        """The rows that meet a condition; for `!=` those that do not."""
        accepted = self.accepts(condition)
        places = np.flatnonzero(accepted)
        if len(places) <= FEW:
            return np.concatenate([*map(self.rows_of, places.tolist()), np.empty(0, np.int64)])
        return self.rows[np.repeat(accepted, self.counts)]

    def accepts(self, condition: Condition) -> Mask:
        """For each value whether it meets a condition; for `!=` whether it is one of those that are to be missing.

        Equal is what is written alike, or an equal number or date if no value is.
        """
        if condition.operator in ("=", "!="):
            return self._equals(set(condition.values))
        holds = np.ones(len(self.values), bool)
        for wanted in dict.fromkeys(condition.values):
            holds &= self._holds(condition.operator, wanted)
        return holds

    def _equals(self, wanted: set[str]) -> Mask:
        """For each value whether it equals one of these."""
        equal = np.zeros(len(self.values), bool)
        for other in wanted:
            if (place := self.place(other)) is not None:
                equal[place] = True
                continue
            for kind in KINDS:
                if (span := span_of(kind, other)) and self._is_mostly(kind):
                    equal |= _compare("=", *self._spans(kind), *span)
                    break
        return equal

    @property
    def kind(self) -> Kind | None:
        """What most of its values are; None for texts."""
        return next((kind for kind in KINDS if self._is_mostly(kind)), None)

    def order(self, count: int, *, falling: bool = False) -> Numbers:
        """A number for each of `count` rows that puts them in the order of their values, NaN without a value.

        Numbers are in order if most values are numbers, dates if most are dates, or else texts. Of several values of a
        row the lowest counts, or the highest if `falling`.
        """
        keys = self._sorted_texts[1] if self.kind is None else self._spans(self.kind)[0]
        found = np.full(count, np.nan)
        (np.fmax if falling else np.fmin).at(found, self.rows, np.repeat(keys, self.counts))
        return found

    def _holds(self, operator: str, wanted: str) -> Mask:
        """For each value whether the comparison holds."""
        if operator == "~":
            part = _composed(wanted)
            return np.fromiter((part in _composed(value) for value in self.values), bool, len(self.values))
        for kind in KINDS:
            if (span := span_of(kind, wanted)) and self._is_mostly(kind):
                return _compare(operator, *self._spans(kind), *span)
        keys, places = self._sorted_texts
        key = _key(wanted)
        place = bisect.bisect_left(keys, key)
        rank = float(place) if place < len(keys) and keys[place] == key else place - 0.5  # between two of them
        return _compare(operator, places, places, rank, rank)

    def _is_mostly(self, kind: Kind) -> bool:
        return 2 * int(np.isfinite(self._spans(kind)[0]).sum()) > len(self.values)

    @cached_property
    def _sorted_texts(self) -> tuple[list[str], Numbers]:
        """The texts in their order, without regard to case and an umlaut beside its letter, and each value's place."""
        keys = [_key(value) for value in self.values]
        places = {key: place for place, key in enumerate(sorted(set(keys)))}
        return list(places), np.array([places[key] for key in keys], np.float64)

    def _spans(self, kind: Kind) -> Spans:
        """The first and the last moment, or number, of each value; NaN for one of another kind."""
        if kind not in self.spans:
            self.spans[kind] = spans_of(kind, self.values, len(self.values))
        return self.spans[kind]


def _key(text: str) -> str:
    return unicodedata.normalize("NFKD", text.casefold())


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def _compare(operator: str, first: Numbers, last: Numbers, wanted_first: float, wanted_last: float) -> Mask:
    """Compare spans with one; a comparison with NaN does not hold."""
    if operator == "=":
        return (first >= wanted_first) & (last <= wanted_last)
    if operator in (">", ">="):
        return first > wanted_last if operator == ">" else first >= wanted_first
    return first < wanted_first if operator == "<" else first <= wanted_last

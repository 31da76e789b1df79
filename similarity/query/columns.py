"""A column of a gallery's pictures, its values compared as numbers, as dates, or as texts.

    number   all digits, such as 12, -3.5 or 1e6
    date     ISO 8601, as precise as it is: 2024, 2024-05, 2024-05-03, 2024-05-03 14:22; the clock's time, whatever zone
    text     anything else, without regard to case

A date is a span: 2024-05 is all of May. Later than it is from June on, and equal to it is any moment in it.
"""

import bisect
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from functools import cached_property
from typing import Literal

import numpy as np
import numpy.typing as npt

from similarity.query.conditions import Condition

Kind = Literal["number", "date"]
Mask = npt.NDArray[np.bool_]
Numbers = npt.NDArray[np.float64]
Rows = npt.NDArray[np.int64]

KINDS: tuple[Kind, ...] = ("number", "date")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
)
# What is not said of a date is the earliest, or the latest; the days of a month are counted as 31.
EARLIEST, LATEST = (1, 1, 1, 0, 0, 0), (9999, 12, 31, 23, 59, 59)
# More than any part of a date has, so that dates as numbers are in their order.
PARTS = (10_000, 13, 32, 24, 60, 60)


@dataclass(eq=False)
class Column:
    """The values of one column, and the rows that have them.

    Attributes:
        values: distinct.
        rows, codes: a row, and the number of a value that it has; a picture with copies may have several.
    """

    values: Sequence[str]
    rows: Rows
    codes: Rows

    @classmethod
    def of(cls, values: Mapping[str, Rows]) -> "Column":
        """Make a column of the rows of each value."""
        counts = [len(rows) for rows in values.values()]
        rows = np.concatenate([*values.values(), np.empty(0, np.int64)]).astype(np.int64)
        return cls(list(values), rows, np.repeat(np.arange(len(counts)), counts))

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
        equal = np.fromiter((value in wanted for value in self.values), bool, len(self.values))
        for other in wanted.difference(self.values):
            for kind in KINDS:
                if (span := _span(kind, other)) and self._is_mostly(kind):
                    equal |= _compare("=", *self._spans[kind], *span)
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
        keys = self._sorted_texts[1] if self.kind is None else self._spans[self.kind][0]
        found = np.full(count, np.nan)
        (np.fmax if falling else np.fmin).at(found, self.rows, keys[self.codes])
        return found

    def _holds(self, operator: str, wanted: str) -> Mask:
        """For each value whether the comparison holds."""
        if operator == "~":
            part = _composed(wanted)
            return np.array([part in _composed(value) for value in self.values], bool)
        for kind in KINDS:
            if (span := _span(kind, wanted)) and self._is_mostly(kind):
                return _compare(operator, *self._spans[kind], *span)
        keys, places = self._sorted_texts
        key = _key(wanted)
        place = bisect.bisect_left(keys, key)
        rank = float(place) if place < len(keys) and keys[place] == key else place - 0.5  # between two of them
        return _compare(operator, places, places, rank, rank)

    def _is_mostly(self, kind: Kind) -> bool:
        return 2 * int(np.isfinite(self._spans[kind][0]).sum()) > len(self.values)

    @cached_property
    def _sorted_texts(self) -> tuple[list[str], Numbers]:
        """The texts in their order, without regard to case and an umlaut beside its letter, and each value's place."""
        keys = [_key(value) for value in self.values]
        places = {key: place for place, key in enumerate(sorted(set(keys)))}
        return list(places), np.array([places[key] for key in keys], np.float64)

    @cached_property
    def _spans(self) -> dict[Kind, tuple[Numbers, Numbers]]:
        """By kind the first and the last moment, or number, of each value; NaN for one of another kind."""
        spans: dict[Kind, tuple[Numbers, Numbers]] = {}
        for kind in KINDS:
            found = np.array([_span(kind, value) or (np.nan, np.nan) for value in self.values]).reshape(-1, 2)
            spans[kind] = found[:, 0], found[:, 1]
        return spans


def _key(text: str) -> str:
    return unicodedata.normalize("NFKD", text.casefold())


def _composed(text: str) -> str:
    return unicodedata.normalize("NFC", text.casefold())


def _span(kind: Kind, text: str) -> tuple[float, float] | None:
    """A text as a number or a date: from where to where; None if it is none."""
    text = text.strip()
    if kind == "number":
        return (float(text), float(text)) if NUMBER.fullmatch(text) else None
    if not (match := DATE.fullmatch(text)):
        return None
    said = [int(part) for part in match.groups() if part is not None]
    first, last = ((*said, *unsaid[len(said) :]) for unsaid in (EARLIEST, LATEST))
    try:
        datetime(*first)  # type: ignore[arg-type]
    except ValueError:
        return None
    return _as_number(first), _as_number(last)


def _as_number(date: Sequence[int]) -> float:
    number = 0
    for part, most in zip(date, PARTS, strict=True):
        number = number * most + part
    return float(number)


def _compare(operator: str, first: Numbers, last: Numbers, wanted_first: float, wanted_last: float) -> Mask:
    """Compare spans with one; a comparison with NaN does not hold."""
    if operator == "=":
        return (first >= wanted_first) & (last <= wanted_last)
    if operator in (">", ">="):
        return first > wanted_last if operator == ">" else first >= wanted_first
    return first < wanted_first if operator == "<" else first <= wanted_last

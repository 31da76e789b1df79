"""Texts as numbers or dates, each a span from where to where.

    number   all digits, such as 12, -3.5 or 1e6
    date     ISO 8601, as precise as it is: 2024, 2024-05, 2024-05-03, 2024-05-03 14:22; the clock's time, whatever zone

2024-05 is all of May; a number begins and ends at itself.
"""

import re
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Literal

import numpy as np
import numpy.typing as npt

Kind = Literal["number", "date"]
Spans = tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]

KINDS: tuple[Kind, ...] = ("number", "date")
NUMBER = re.compile(r"[+-]?(?:\d+\.?\d*|\.\d+)(?:[eE][+-]?\d{1,3})?", re.ASCII)
DATE = re.compile(
    r"(\d{4})(?:-(\d\d)(?:-(\d\d)(?:[T ](\d\d):(\d\d)(?::(\d\d)(?:\.\d+)?)?(?:Z|[+-]\d\d:?\d\d)?)?)?)?", re.ASCII
)
# What is not said of a date is the earliest, or the latest; the days of a month are counted as 31.
EARLIEST, LATEST = (1, 1, 1, 0, 0, 0), (9999, 12, 31, 23, 59, 59)
# More than any part of a date has, so that dates as numbers are in their order.
PARTS = (10_000, 13, 32, 24, 60, 60)


def span_of(kind: Kind, text: str) -> tuple[float, float] | None:
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


def spans_of(kind: Kind, texts: Iterable[str], count: int) -> Spans:
    """The first and the last moment, or number, of each of `count` texts; NaN for one of another kind."""
    first, last = np.full(count, np.nan), np.full(count, np.nan)
    for place, text in enumerate(texts):
        if span := span_of(kind, text):
            first[place], last[place] = span
    return first, last


def _as_number(date: Sequence[int]) -> float:
    number = 0
    for part, most in zip(date, PARTS, strict=True):
        number = number * most + part
    return float(number)

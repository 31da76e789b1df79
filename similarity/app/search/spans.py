"""Filters by a span of numbers or dates: from, and to."""

import calendar
import re
from datetime import date
from functools import partial

import streamlit as st

from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import links, parameters
from similarity.app.shell.parameters import Link
from similarity.app.wording.messages import as_markdown
from similarity.query.columns import Kind

FIRST, LAST = date(1826, 1, 1), date(2199, 12, 31)  # there are no earlier photographs
DAY = re.compile(r"(\d{4})(?:-(\d\d)(?:-(\d\d).*)?)?", re.ASCII)


def choose(kind: Kind | None, column: str, link: Link) -> None:
    """Draw both ends of a column's span; each goes into the address, as `where.taken>=`.

    Args:
        kind: of the column.
    """
    name = as_markdown(text_for_visitor(column).capitalize())
    ends = st.columns(2, gap="small")
    for place, operator, word in zip(ends, (">=", "<="), ("from", "to"), strict=True):
        key = f"{parameters.WHERE}{column}{operator}"
        said = next(iter(link.where.get(column + operator, ())), "")
        change = partial(_choose, column + operator, key)
        with place:
            if kind == "date":
                st.session_state[key] = _day(said, is_last=operator == "<=")
                st.date_input(f"{name} {word}", None, FIRST, LAST, key=key, format="YYYY-MM-DD", on_change=change)
            else:
                st.session_state[key] = _number(said)
                st.number_input(f"{name} {word}", value=None, key=key, placeholder="Any", on_change=change)


def _choose(condition: str, key: str) -> None:
    value = st.session_state[key]
    text = value.isoformat() if isinstance(value, date) else f"{value or 0:.15g}"
    links.change_where(condition, () if value is None else (text,))


def _day(text: str, *, is_last: bool) -> date | None:
    """The first or last day of a date as precise as the address has it; None if it is none that can be chosen."""
    if not (match := DAY.fullmatch(text)):
        return None
    try:
        year, month = int(match[1]), int(match[2] or (12 if is_last else 1))
        day = date(year, month, int(match[3] or (calendar.monthrange(year, month)[1] if is_last else 1)))
    except ValueError:
        return None
    return day if FIRST <= day <= LAST else None


def _number(text: str) -> float | None:
    try:
        number = float(text)
    except ValueError:
        return None
    return number if abs(number) < 1e15 else None

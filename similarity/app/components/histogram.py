"""Histograms of a gallery's columns: a bar for each value, which filters by it."""

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from typing import Any

import streamlit as st

from similarity.app.components.loading import load

_mount = load("histogram", '<div class="histogram"></div>')


@dataclass(frozen=True, slots=True)
class Bar:
    """A value of a column.

    Attributes:
        id: the value itself, passed to `on_toggle`.
        name: as the visitor sees it.
        count: the number of pictures that have it.
        chosen: whether results must have it, or another one that is chosen.
    """

    id: str
    name: str
    count: int
    chosen: bool = False


@dataclass(frozen=True, slots=True)
class Histogram:
    """A column.

    Attributes:
        id: passed to `on_toggle`.
        name: as the visitor sees it.
        values: its values in the order of the bars.
        note: of what pictures the counts are, if that is not plain.
    """

    id: str
    name: str
    values: Sequence[Bar]
    note: str = ""


def show(columns: Sequence[Histogram], on_toggle: Callable[[str, str], None], *, key: str) -> None:
    """Draw the histograms; all but the first are folded.

    Args:
        on_toggle: called with the id of a column and a value that was clicked, before anything is drawn again.
    """
    known = {column.id: {bar.id for bar in column.values} for column in columns}

    def changed() -> None:
        _pass_on(on_toggle, known, st.session_state[key].toggle)

    _mount(key=key, data={"columns": [asdict(column) for column in columns]}, on_toggle_change=changed)


def _pass_on(on_toggle: Callable[[str, str], None], known: dict[str, set[str]], message: Any) -> None:
    """Call back with a column and a value, if the browser's message is of ones that were drawn."""
    match message:
        case {"column": str(column), "value": str(value)} if value in known.get(column, ()):
            on_toggle(column, value)

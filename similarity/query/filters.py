"""Which values the labels and metadata of a gallery have, and which pictures have them."""

import itertools
from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from typing import Any, TypedDict

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.search.accuracy import Accuracy
from similarity.search.contract import Where
from similarity.sources import Item
from similarity.sources.base import LABEL, _values
from similarity.storage.items import Items


class Conditions(TypedDict, total=False):
    """Which pictures may be results; see `Gallery.search_vector`."""

    where: Where | None
    but: Collection[str]
    minimum: float
    distinct: bool
    offset: int
    accuracy: Accuracy


class Facets:
    """The columns of a gallery's items: the label, and every key of their metadata."""

    def __init__(self, items: Sequence[Item]) -> None:
        rows: dict[str, dict[str, array[int]]] = {}
        # A copy may have been filed under another label. Metadata named `label` give way to the label itself.
        for row, metadata, label in items.told() if isinstance(items, Items) else _told(items):
            for column, value in _values(metadata, label):
                rows.setdefault(column, {}).setdefault(value, array("q")).append(row)
        self._size = len(items)
        self._meant: dict[str, tuple[str, dict[str, list[str]]]] = {}
        self._rows = {
            column: {value: np.unique(np.array(found, np.int64)) for value, found in sorted(values.items())}
            for column, values in rows.items()
        }

    @property
    def columns(self) -> list[str]:
        """Their names, the label first; without those of a single value, and those that only repeat the label."""
        counts = {name: self.counts(name) for name in self._rows}
        told = [
            name
            for name, values in counts.items()
            if len(values) > 1 and (name == LABEL or values != counts.get(LABEL) or not self._says_the_label(name))
        ]
        return sorted(told, key=lambda name: (name != LABEL, name))

    def _says_the_label(self, column: str) -> bool:
        labels = self._rows.get(LABEL, {})
        return all(np.array_equal(rows, labels.get(value, ())) for value, rows in self._rows[column].items())

    def counts(self, column: str) -> dict[str, int]:
        """How many pictures have each value of a column, by value."""
        return {value: len(rows) for value, rows in self._rows.get(column, {}).items()}

    def renamed(self, tell: Callable[[str], str]) -> "Facets":
        """The same with other names of columns and values; values that are then called alike are one.

        Args:
            tell: gives the name to show for one.
        """
        names = {column: [column, *values] for column, values in self._rows.items()}
        if all(tell(name) == name for some in names.values() for name in some):
            return self
        told = copy(self)
        told._rows, told._meant = {}, {}
        for column, values in self._rows.items():
            name = _free_name(tell(column), told._rows)
            meant: dict[str, list[str]] = {}
            for value in values:
                meant.setdefault(tell(value), []).append(value)
            told._meant[name] = column, meant
            rows = {shown: np.concatenate([values[one] for one in ones]) for shown, ones in sorted(meant.items())}
            told._rows[name] = {shown: np.unique(found) for shown, found in rows.items()}
        return told

    def meant(self, where: Where) -> Where:
        """Conditions in the names that these have been renamed from; raises as `rows`."""
        self.rows(where)
        if not self._meant:
            return where
        meant = {self._meant[column][0]: self._meant[column][1] for column in where}
        asked = zip(meant.items(), where.values(), strict=True)
        return {column: [one for value in values for one in known.get(value, [])] for (column, known), values in asked}

    def rows(self, where: Where) -> npt.NDArray[np.int64]:
        """The rows of the items that meet all conditions, in order.

        Raises:
            SearchError: there is no such column.
        """
        chosen = np.ones(self._size, bool)
        for column, values in where.items():
            if column not in self._rows:
                raise SearchError(f"No picture of the gallery has a {column!r}: choose from {', '.join(self._rows)}.")
            has_one = np.zeros(self._size, bool)
            for value in values:
                has_one[self._rows[column].get(value, [])] = True
            chosen &= has_one
        return np.flatnonzero(chosen)


def _free_name(name: str, taken: Collection[str]) -> str:
    """A name, with a number behind it if there is one like it already."""
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def _told(items: Sequence[Item]) -> Iterator[tuple[int, dict[str, Any], str | None]]:
    """As `Items.told`."""
    return ((row, dict(file.metadata), file.label) for row, item in enumerate(items) for file in (item, *item.copies))

"""Values of the labels and metadata of a gallery, and the pictures that meet conditions on them."""

import itertools
from array import array
from collections.abc import Callable, Collection, Iterator, Sequence
from copy import copy
from typing import Any

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.images.exif import facts_of
from similarity.query.columns import Column
from similarity.query.conditions import Condition, as_values, to_conditions
from similarity.query.picture_facts import OWN, PictureFacts
from similarity.search.accuracy import Values, Where
from similarity.sources import Item
from similarity.sources.base import LABEL, _values
from similarity.storage.item_columns import METADATA
from similarity.storage.items import Items
from similarity.text.unicode import nfc

# The pictures' own columns that have spans, and the most values of another column that are chosen one by one.
SPANNED, FEW = ("taken", "width", "height"), 12


class Facets:
    """The columns of a gallery's items: the label, and every key of their metadata."""

    def __init__(self, items: Sequence[Item]) -> None:
        self._size = len(items)
        self._stored = _read_columns(items)
        self._columns: dict[str, Column] = {}
        self._own, self._hidden = PictureFacts(items), frozenset[str]()
        # Shown column -> its original name, and for each shown value the original ones; empty if none was renamed.
        self._originals: dict[str, tuple[str, dict[str, list[str]]]] = {}

    @property
    def columns(self) -> list[str]:
        """The columns, the label first, without those that have a single value or repeat the label."""
        label = self._stored.get(LABEL)
        names = [
            name
            for name, column in self._stored.items()
            if len(column.values) > 1 and (name == LABEL or label is None or not column.repeats(label))
        ]
        return sorted(names, key=lambda name: (name != LABEL, name))

    def counts(self, column: str) -> dict[str, int]:
        """Return the number of pictures for each value of a column."""
        if column not in self._stored:
            return {}
        return dict(zip(self._stored[column].values, self._stored[column].counts.tolist(), strict=True))

    def value_count(self, column: str) -> int:
        """Return the number of values of a column, without reading them."""
        return len(self._stored[column].values) if column in self._stored else 0

    def most_common(self, column: str, most: int, also: Collection[str] = ()) -> dict[str, int]:
        """Return `counts` of the `most` values that most pictures have, in the order of the values.

        Args:
            also: further values, which come last; unknown ones are left out.
        """
        if column not in self._stored:
            return {}
        stored = self._stored[column]
        places = np.sort(np.argsort(-stored.counts, kind="stable")[:most]).tolist()
        further = [place for value in also if (place := stored.place(value)) is not None]
        return {stored.values[place]: len(stored.rows_of(place)) for place in (*places, *further)}

    def value_rows(self, column: str) -> dict[str, npt.NDArray[np.int64]]:
        """Return the rows of the pictures that have each value of a column, sorted, by value."""
        if column not in self._stored:
            return {}
        stored = self._stored[column]
        return {value: stored.rows_of(place) for place, value in enumerate(stored.values)}

    def renamed(self, rename: Callable[[str], str]) -> "Facets":
        """Return the facets with other names of columns and values; values with the same new name are merged.

        Args:
            rename: returns the name to show for a column or value.
        """
        if all(rename(name) == name for column in self._stored for name in (column, *self._stored[column].values)):
            return self
        shown = copy(self)
        shown._stored, shown._originals, shown._columns = {}, {}, {}
        for column in self._stored:
            name, values = _free_name(rename(column), shown._stored), self.value_rows(column)
            originals: dict[str, list[str]] = {}
            for value in values:
                originals.setdefault(rename(value), []).append(value)
            shown._originals[name] = column, originals
            shown._stored[name] = Column.of(
                {new: np.unique(np.concatenate([values[old] for old in originals[new]])) for new in originals}
            )
        return shown

    def original(self, where: Where) -> Where:
        """Return conditions in the names before `renamed`; raises as `rows`."""
        self.rows(where)
        if not self._originals:
            return where
        found: dict[str, list[str]] = {}
        for condition in to_conditions(where, self._stored):
            if condition.column not in self._originals:  # one of the pictures' own, which have no other names
                found[condition.column + condition.operator] = list(condition.values)
                continue
            name, originals = self._originals[condition.column]
            # Compared as they are shown, so that what is not shown stays a secret.
            shown = self.column(condition.column)
            met = itertools.compress(shown.values, shown.accepts(condition))
            values = [old for value in met for old in originals[value]]
            if condition.operator == "!=":
                found[f"{name}!="] = [*found.get(f"{name}!=", []), *values]
            else:
                before = set(found.get(name, values))
                found[name] = [value for value in values if value in before]
        return found

    def rows(self, where: Where) -> npt.NDArray[np.int64]:
        """Return the rows of the items that meet all conditions, in order.

        Raises:
            SearchError: there is no such column.
        """
        chosen = np.ones(self._size, bool)
        for condition in to_conditions(where, self._stored):
            chosen &= self._meeting(condition)
        return np.flatnonzero(chosen)

    def values_of(self, where: Where) -> Values | None:
        """Return conditions as accepted values, for an index that has labels and metadata; None if they are others."""
        columns = self._stored
        return as_values(to_conditions(where, columns), {name: columns[name].values for name in columns})

    def column(self, name: str) -> Column:
        """Return a column to compare or to sort by; raises SearchError if there is none of this name."""
        if name not in self._columns:
            own = None if name in self._stored or name in self._hidden else self._own.column(name)
            if name not in self._stored and own is None:
                why = f"choose from {', '.join(self.names)}" if name not in self._possible else self._own.why_not(name)
                raise SearchError(f"No picture of the gallery has a {name!r}: {why}.")
            self._columns[name] = own or self._stored[name]
        return self._columns[name]

    def sort(self, items: Sequence[Item], by: str) -> list[int]:
        """Return the places of some of the items in the order of a column; those without a value come last.

        Args:
            by: its name; with a minus before it, the order is the other way round.

        Raises:
            SearchError: there is no such column.
        """
        name, is_falling = self.sorted_by(by)
        self.column(name)
        some = Facets(items)
        column = some.column(name) if name in self._stored and name in some._stored else None
        column = some._own.column(name) if name not in self._stored else column
        keys = column.order(len(items), falling=is_falling) if column else np.zeros(len(items))
        return list(np.argsort(-keys if is_falling else keys, kind="stable").tolist())

    def sorted_by(self, by: str) -> tuple[str, bool]:
        """Return the column that `sort` goes by, and whether the other way round."""
        name = by if by in self.names else by.removeprefix("-")
        return name, name != by

    def value_of(self, item: Item, name: str) -> str:
        """Return a picture's own value in a column; empty if it has none."""
        if name in self._stored:
            return dict(_values(item.metadata, item.label)).get(name, "")
        return str(facts_of(item.width, item.height, item.exif).get(name, ""))

    @property
    def names(self) -> list[str]:
        """All columns that conditions can be about: those of the metadata, and the pictures' own."""
        own = (name for name in self._possible if self._own.column(name))
        return list(dict.fromkeys([*self._stored, *own]))

    @property
    def spans(self) -> list[str]:
        """Columns to choose a span of: of many numbers or dates. Their single values say little."""
        own = (name for name in SPANNED if name in self.names and name not in self._stored)
        others = (name for name in self.columns if name != LABEL and len(self._stored[name].values) > FEW)
        return [name for name in [*own, *others] if self.column(name).kind and len(self.column(name).values) > 1]

    def known(self, where: Where) -> Where:
        """Return the conditions that are about columns of these."""
        known = {*self.columns, *(name for name in self.names if name not in self._stored)}
        return {key: where[key] for key in where if to_conditions({key: ()}, self._stored)[0].column in known}

    def without(self, names: Collection[str]) -> "Facets":
        """Return the facets without some of the pictures' own columns."""
        others = copy(self)
        others._columns, others._hidden = {}, frozenset(names)
        return others

    @property
    def _possible(self) -> list[str]:
        return [name for name in OWN if name not in self._hidden]

    def _meeting(self, condition: Condition) -> npt.NDArray[np.bool_]:
        """For each row whether it meets a condition."""
        is_met = np.zeros(self._size, bool)
        is_met[self.column(condition.column).meeting(condition)] = True
        return ~is_met if condition.operator == "!=" else is_met


def _free_name(name: str, taken: Collection[str]) -> str:
    """Return a name, with a number if it is taken already."""
    numbered = (f"{name} ({number})" for number in itertools.count(2))
    return name if name not in taken else next(other for other in numbered if other not in taken)


def _read_columns(items: Sequence[Item]) -> dict[str, Column]:
    """The columns of the metadata, by name."""
    if isinstance(items, Items) and items.columns is not None:
        return {name: Column.stored(column) for name, column in items.columns.get(METADATA, {}).items()}
    rows: dict[str, dict[str, array[int]]] = {}
    # A copy may have another label than its item. The label takes precedence over metadata named `label`.
    for row, metadata, label in items.iter_metadata() if isinstance(items, Items) else _iter_metadata(items):
        for column, value in _values(metadata, label):
            rows.setdefault(nfc(column), {}).setdefault(nfc(value), array("q")).append(row)
    return {
        column: Column.of({value: np.unique(np.array(numbers, np.int64)) for value, numbers in values.items()})
        for column, values in rows.items()
    }


def _iter_metadata(items: Sequence[Item]) -> Iterator[tuple[int, dict[str, Any], str | None]]:
    """Yield the values of `Items.iter_metadata` for any items."""
    return ((row, dict(file.metadata), file.label) for row, item in enumerate(items) for file in (item, *item.copies))

"""Which values the labels and metadata of a gallery have, and which pictures have them."""

from collections.abc import Collection, Mapping, Sequence

import numpy as np
import numpy.typing as npt

from similarity.errors import SearchError
from similarity.sources import Item

LABEL = "label"
# Column -> the values of which a picture must have one.
Where = Mapping[str, Collection[str]]


class Facets:
    """The columns of a gallery's items: the label, and every key of their metadata."""

    def __init__(self, items: Sequence[Item]) -> None:
        rows: dict[str, dict[str, list[int]]] = {}
        for row, item in enumerate(items):
            # Metadata named like the label's own column would be asked for under its name.
            for column, value in (dict(item.metadata) | ({LABEL: item.label} if item.label else {})).items():
                rows.setdefault(column, {}).setdefault(value, []).append(row)
        self._size = len(items)
        self._rows = {
            column: {value: np.array(found, np.int64) for value, found in sorted(values.items())}
            for column, values in rows.items()
        }

    @property
    def columns(self) -> list[str]:
        """Their names, the label first, without those in which all pictures that have a value have the same one."""
        told = [name for name, values in self._rows.items() if len(values) > 1]
        return sorted(told, key=lambda name: (name != LABEL, name))

    def counts(self, column: str) -> dict[str, int]:
        """How many pictures have each value of a column, by value."""
        return {value: len(rows) for value, rows in self._rows.get(column, {}).items()}

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

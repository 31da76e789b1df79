"""Conditions on the columns of pictures, as people write them: `label=shoe`, `taken>=2024-05`, `camera~canon`.

As a mapping, such as `{"label": ["shoe", "boot"], "taken>=": "2024-05"}`, a condition's operator follows the column.
"""

import re
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from similarity.errors import SearchError
from similarity.search.accuracy import Values, Where
from similarity.text.unicode import nfc

# The longer ones first; `~` is contains, `!=` everything else, also what has no value.
OPERATORS = ("!=", "<=", ">=", "=", "<", ">", "~")
OPERATOR = re.compile("|".join(OPERATORS))
FORM = "column=value, or with another of != < <= > >= ~"


@dataclass(frozen=True, slots=True)
class Condition:
    """A condition on a column.

    Attributes:
        operator: one of OPERATORS.
        values: accepted values, of which a picture must have one for `=`; for others, all comparisons must hold.
    """

    column: str
    operator: str
    values: tuple[str, ...]


def to_conditions(where: Where, columns: Collection[str]) -> list[Condition]:
    """Read a mapping of conditions.

    Args:
        columns: of the gallery, composed; a key that is a column is one, though it ends like an operator.

    Returns:
        Conditions whose names and values are composed.

    Raises:
        SearchError: it is no mapping of columns.
    """
    if not isinstance(where, Mapping):
        raise SearchError(f"Conditions are columns with values, such as {{'label': ['shoe']}}, not {where!r}.")
    conditions = []
    for written, given in where.items():
        if not isinstance(written, str):
            raise SearchError(f"The name of a column must be text, not {written!r}.")
        key, operator = nfc(written), ""
        if key not in columns:
            operator = next(filter(key.endswith, OPERATORS), "")
        column = key.removesuffix(operator).rstrip() if operator else key
        values = [given] if isinstance(given, str) or not isinstance(given, Collection) else given
        conditions.append(Condition(column, operator or "=", tuple(nfc(str(one)) for one in values)))
    return conditions


def parse(texts: Iterable[str], columns: Collection[str]) -> Where:
    """Read conditions as people write them, such as `width>=1000`.

    Args:
        columns: of the gallery; the longest that a text begins with is meant, since a name may have an operator in it.

    Raises:
        SearchError: one has no operator.
    """
    where: dict[str, list[str]] = {}
    for text in map(nfc, texts):
        ways = list(_splits(text))
        if not ways:
            raise SearchError(f"{text!r} is not of the form {FORM}")
        known = [way for way in ways if way[0] in columns]
        column, operator, value = max(known, key=lambda way: len(way[0]), default=ways[0])
        # Without an operator, as ever; a column that is not known and ends like one would be misread.
        key = column if operator == "=" and (column in columns or not OPERATOR.search(column)) else column + operator
        where.setdefault(key, []).append(value)
    return where


def is_condition(text: str) -> bool:
    """Whether a text has an operator after a column."""
    return any(True for _ in _splits(text))


def _splits(text: str) -> Iterator[tuple[str, str, str]]:
    """All ways to read a text as column, operator and value."""
    for found in OPERATOR.finditer(text):
        if column := text[: found.start()]:
            yield column, found[0], text[found.end() :]
            if column != column.rstrip():
                yield column.rstrip(), found[0], text[found.end() :].lstrip()


def as_values(conditions: Sequence[Condition], values: Values) -> Values | None:
    """The accepted values of each column, as an index with labels can ask for; None if it cannot.

    Args:
        values: of the columns that such an index has. Others, and comparisons, it does not know.
    """
    asked: dict[str, Collection[str]] = {condition.column: condition.values for condition in conditions}
    is_simple = len(asked) == len(conditions) and all(condition.operator == "=" for condition in conditions)
    if not is_simple or not all(one in values.get(name, ()) for name, accepted in asked.items() for one in accepted):
        return None
    return asked

"""Filters of Milvus for the pictures that a search may return.

Each label and each value of the metadata is a tag of a picture: a hash, since such texts can have any character.
"""

import hashlib
import json
from collections.abc import Iterable, Sequence

import numpy as np

from similarity.errors import StoreError
from similarity.search import Rows, Selection
from similarity.search.stores import Before
from similarity.sources import Item
from similarity.sources.base import facts_of, items_at
from similarity.text.unicode import forms

TOGETHER = 8192  # items that are read at a time
# The fields of a collection: the key, the embedding, and the tags.
KEY, VECTOR, TAGS = "id", "vector", "tags"
# Largest number of keys in a filter: about a megabyte.
NAMED = 50_000
# Hex digits of a tag: with 96 bits, no two of ten billion values share a tag.
DIGITS = 24
# Largest number of values in a field of Milvus.
MOST_TAGS = 4096


def tag(column: str, value: str) -> str:
    """Return the tag of a value in a column."""
    return hashlib.sha256(json.dumps([column, value]).encode(errors="surrogatepass")).hexdigest()[:DIGITS]


def tags(item: Item) -> list[str]:
    """Return the tags of a picture and its copies; raises StoreError if there are more than Milvus allows."""
    digests = sorted({tag(column, value) for column, value in facts_of(item)})
    if len(digests) > MOST_TAGS:
        raise StoreError(
            f"{item.path} has {len(digests):,} labels and values of metadata; Milvus allows {MOST_TAGS:,}."
        )
    return digests


def condition(among: Selection | None, keys: Rows) -> str | None:
    """Return a filter expression for a selection; None if it would be too long.

    Args:
        keys: the keys of all rows, int64 (n,).
    """
    if among is None:
        return ""
    if among.where is not None and len(among.excluded) <= NAMED:
        filters = [f"array_contains_any({TAGS}, {_texts(column, values)})" for column, values in among.where.items()]
        if len(among.excluded):
            filters.append(f"{KEY} not in {_numbers(keys[among.excluded])}")
        return " and ".join(filters)
    if len(among) <= NAMED:
        return f"{KEY} in {_numbers(keys[among.rows])}"
    if len(keys) - len(among) <= NAMED:
        return f"{KEY} not in {_numbers(keys[np.setdiff1d(np.arange(len(keys)), among.rows)])}"
    return None


def _texts(column: str, values: Iterable[str]) -> str:
    written = [(name, form) for name in forms(column) for value in values for form in forms(value)]
    return json.dumps([tag(name, form) for name, form in written])  # a collection may be older than the composed form


def _numbers(keys: Rows) -> str:
    return json.dumps(keys.tolist())


def drop_retagged(before: Before, items: Sequence[Item]) -> Rows:
    """Origins with -1 for items whose labels or metadata have changed, so that they are sent again."""
    from similarity.search.milvus.conditions import tags

    origins = before.origins.copy()
    unchanged = np.flatnonzero(origins >= 0)
    for start in range(0, len(unchanged), TOGETHER):
        rows = unchanged[start : start + TOGETHER]
        then, now = items_at(before.items, origins[rows].tolist()), items_at(items, rows.tolist())
        is_retagged = [tags(old) != tags(new) for old, new in zip(then, now, strict=True)]
        origins[rows[is_retagged]] = -1
    return origins

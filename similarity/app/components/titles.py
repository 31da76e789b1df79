"""The name of a picture for people: what its catalogue calls it, or its file's name if that can be read."""

import re
from functools import lru_cache
from pathlib import Path

from similarity.sources import Item
from similarity.sources.originals import file_name

# Columns of catalogues that hold a name, first come first; compared without case, spaces and signs.
COLUMNS = ("name", "title", "productname", "producttitle", "itemname", "caption")
# UUIDs, and hashes or random ids: a long row of letters and digits in no order that a word or a number has.
UUID = re.compile(r"[0-9a-f]{8}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{4}-?[0-9a-f]{12}", re.IGNORECASE)
LONG, MOST_DIGITS = re.compile(r"[A-Za-z0-9_-]{16,}"), re.compile(r"\d{9,}")


def title_of(item: Item) -> str:
    """Return the name of a picture in its catalogue, else its file's name, else an empty text if no word can be read.

    Args:
        item: as far as the visitor may see it.
    """
    columns = {_plain(column): value for column, value in item.metadata.items()}
    named = next((columns[column] for column in COLUMNS if columns.get(column, "").strip()), "")
    return named.strip() or (name if is_readable(name := file_name(item)) else "")


@lru_cache(maxsize=1_000)
def _plain(column: str) -> str:
    """The name of a column without case, spaces and signs; a grid asks for the same ones again and again."""
    return re.sub(r"[^a-z]", "", column.casefold())


@lru_cache(maxsize=20_000)
def is_readable(name: str) -> bool:
    """Whether a file's name says anything to people, as UUIDs, hashes and numbers of an export do not."""
    stem = Path(name).stem
    if UUID.search(stem):
        return False
    return not any(_is_random(one) for one in LONG.findall(stem)) and not MOST_DIGITS.fullmatch(stem)


def _is_random(text: str) -> bool:
    """Whether a long word changes so often between letters and digits, or is so hexadecimal, that nobody chose it."""
    parts = re.split(r"[_-]", text)
    longest = max(parts, key=len)
    if len(longest) < 16:
        return False
    changes = len(re.findall(r"(?<=\d)(?=[A-Za-z])|(?<=[A-Za-z])(?=\d)", longest))
    return changes >= 4 or bool(re.fullmatch(r"[0-9a-fA-F]{16,}", longest))

"""A list of pictures in chunks that can be embedded one by one, wherever, and told apart by what is in them."""

import hashlib
import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from similarity.paths import full_path
from similarity.sources import LISTINGS, Item, Skipped, Source, Split, open_source
from similarity.sources.locations import stamp_of
from similarity.sources.parquet_table import Listing, open_listing

# Enough that starting and ending one does not count, few enough that little is lost with one.
CHUNK = 512


class Chunk(Protocol):
    """A part of a list; small, so that it can be sent to another process or computer.

    Attributes:
        number: which part, counted from 0.
        digest: stands for all that its shard depends on, in hex.
        count: how many pictures it has.
    """

    @property
    def number(self) -> int: ...
    @property
    def digest(self) -> str: ...
    @property
    def count(self) -> int: ...

    def open(self) -> Source:
        """The pictures, where they are to be embedded; raises SourceError if the list cannot be read there."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A chunk of a source that is in memory."""

    number: int
    digest: str
    source: Source

    @property
    def count(self) -> int:
        """How many pictures it has."""
        return len(self.source.items)

    def open(self) -> Source:
        """The source's own part."""
        return self.source


@dataclass(frozen=True, slots=True)
class Range:
    """A chunk of a Parquet list: some of its rows, which are read where they are embedded.

    Attributes:
        path: of the list.
        start, stop: its rows from `start` to before `stop`, counted from 0.
    """

    number: int
    digest: str
    count: int
    path: str
    start: int
    stop: int

    def open(self) -> Source:
        """Read the rows."""
        return open_listing(Path(self.path)).rows(self.start, self.stop)


def open_list(
    place: str | Path, *, split: Split | None = None, products: int | None = None, seed: int = 0
) -> Source | Listing:
    """As `open_source`, but a Parquet list stays where it is, however long it is; raises SourceError likewise."""
    path = full_path(place)
    if path.suffix.lower() in LISTINGS and path.is_file() and split is None and products is None:
        return open_listing(path)
    return open_source(path, split=split, products=products, seed=seed)


def cut(source: Source | Listing, size: int, terms: dict[str, Any]) -> Iterator[tuple[Chunk | None, list[Skipped]]]:
    """Chunks of `size` pictures, the last one smaller, each with what is wrong with the list where it begins or ends.

    A Parquet list is looked at block by block, and none of it is kept. Rows without a usable picture belong to no
    chunk; a block of nothing else has none.

    Args:
        terms: what a shard depends on beside its pictures, in JSON's own types.
    """
    if isinstance(source, Listing):
        for number, block in enumerate(source.blocks(size)):
            items = list(block.items.values())
            chunk = Range(number, _digest(items, terms), len(items), source.name, block.start, block.stop)
            yield chunk if items else None, block.skipped
        return
    yield None, source.skipped
    for number, start in enumerate(range(0, len(source.items), size)):
        items = source.items[start : start + size]
        yield Listed(number, _digest(items, terms), source.part(items)), []


def _digest(items: Iterable[Item], terms: dict[str, Any]) -> str:
    """What stands for some pictures under some terms: what the list says of them, and the size and time of files."""
    digest = hashlib.sha256(json.dumps(terms, sort_keys=True).encode())
    for item in items:
        stamp = stamp_of(item.path)
        facts: list[Any] = [item.id, item.path, item.label, sorted(item.metadata.items())]
        facts += [stamp.size, stamp.mtime] if stamp else []
        digest.update(json.dumps(facts).encode(errors="surrogatepass"))
    return digest.hexdigest()[:16]

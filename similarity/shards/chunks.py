"""Chunks of a list of pictures, which can be embedded separately on any computer, and are identified by content."""

import hashlib
import json
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol

from similarity.errors import SourceError
from similarity.paths import full_path
from similarity.sources import LISTINGS, Item, Skipped, Source, Split, Stamp, open_source
from similarity.sources.locations import stamp_of
from similarity.sources.object_listing import Objects, scan_objects
from similarity.sources.object_store import is_object
from similarity.sources.parquet_table import Listing, open_listing

# Large enough to make the overhead of a chunk small, small enough to lose little with one.
CHUNK = 512


class Chunk(Protocol):
    """A part of a list; small, so that it can be sent to another process or computer."""

    @property
    def number(self) -> int:
        """Its number in the list, from 0."""

    @property
    def digest(self) -> str:
        """Hash of everything that its shard depends on, in hex."""

    @property
    def count(self) -> int:
        """Number of pictures."""

    def open(self) -> Source:
        """Return the pictures, on the computer that embeds them; raises SourceError if it cannot be read."""


@dataclass(frozen=True, slots=True)
class Listed:
    """A chunk of a source in memory."""

    number: int
    digest: str
    source: Source

    @property
    def count(self) -> int:
        """Number of pictures."""
        return len(self.source.items)

    def open(self) -> Source:
        """The part of the source."""
        return self.source


@dataclass(frozen=True, slots=True)
class Range:
    """A chunk of a Parquet list: a range of rows, which the worker reads.

    Attributes:
        path: path of the list.
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
        return open_listing(self.path).rows(self.start, self.stop)


def open_list(
    place: str | Path, *, split: Split | None = None, products: int | None = None, seed: int = 0
) -> Source | Listing:
    """Open a source as `open_source`, but without reading a Parquet list into memory, or from an object store.

    Raises:
        SourceError: as `open_source`.
    """
    if is_object(str(place)):
        return _open_in_store(str(place), is_drawn=split is not None or products is not None)
    path = full_path(place)
    if path.suffix.lower() in LISTINGS and path.is_file() and split is None and products is None:
        return open_listing(path)
    return open_source(path, split=split, products=products, seed=seed)


def _open_in_store(place: str, *, is_drawn: bool) -> Source | Listing:
    """Open a Parquet list in an object store, or all pictures below a place there."""
    if is_drawn:
        raise SourceError(f"{place} is not Stanford Online Products: only that has a split and products to draw from.")
    return open_listing(place) if place.lower().endswith(LISTINGS) else scan_objects(place)


def cut(source: Source | Listing, size: int, terms: dict[str, Any]) -> Iterator[tuple[Chunk | None, list[Skipped]]]:
    """Cut a list into chunks of `size` pictures, the last one smaller, each with the lines that cannot be used.

    A Parquet list is read block by block, and none of it is kept. Rows without a usable picture belong to no chunk, and
    a block without any usable picture makes none.

    Args:
        terms: the dependencies of a shard beside its pictures, as JSON.
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
        stamp_of_item = source.stamp if isinstance(source, Objects) else _file_stamp
        yield Listed(number, _digest(items, terms, stamp_of_item), source.part(items)), []


def _file_stamp(item: Item) -> Stamp | None:
    return stamp_of(item.path)


def _digest(
    items: Iterable[Item], terms: dict[str, Any], stamp_of_item: Callable[[Item], Stamp | None] = _file_stamp
) -> str:
    """Hash of pictures and terms: of their entries in the list, and of the size and time of files."""
    digest = hashlib.sha256(json.dumps(terms, sort_keys=True).encode())
    for item in items:
        stamp = stamp_of_item(item)
        facts: list[Any] = [item.id, item.path, item.label, sorted(item.metadata.items())]
        facts += [stamp.size, stamp.mtime] if stamp else []
        digest.update(json.dumps(facts).encode(errors="surrogatepass"))
    return digest.hexdigest()[:16]

"""The original picture of an item as it is now: a file, an entry of a zip, an object, or the content of an address."""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from similarity.errors import ImageError, SourceError
from similarity.fetch.redaction import name_in
from similarity.fetch.web import fetch
from similarity.images.picture import QueryFile
from similarity.sources import FileBytes, Item, Skipped, Source, Stamp, open_source
from similarity.sources.base import existing_first, files_of
from similarity.sources.locations import is_remote, read_place, readers_for


class Originals:
    """The pictures of a gallery as a source, to make another gallery of them."""

    def __init__(self, items: Iterable[Item], name: str) -> None:
        """`name` is that of the original source, with which the other gallery can be synced."""
        self.name = name
        self.items = list(files_of(items))
        self.skipped: list[Skipped] = []
        self.readers = readers_for(self.items)

    def read(self, item: Item) -> FileBytes:
        """See `read_original`."""
        return _read(item, fetch)

    def stamp(self, item: Item) -> Stamp | None:
        """The stamp of the file when the gallery was made."""
        return Stamp(item.size, item.mtime)

    def whereabouts(self, item: Item) -> str:
        """Its path or address."""
        return item.path

    def part(self, items: Sequence[Item]) -> "Originals":
        """The source with a subset of its items."""
        return Originals(items, self.name)


def read_original(item: Item, *, fetch: Callable[[str], bytes] = fetch) -> QueryFile:
    """Read the original picture of an item, or the copy of it that is there; a changed file is refused.

    Args:
        fetch: fetches the bytes of an address.

    Raises:
        ImageError: it is gone, cannot be read, or is another file now. FetchError: its address cannot be fetched.
    """
    item = existing_first(item)
    file = QueryFile(_read(item, fetch).data, file_name(item))
    if item.sha256 and file.sha256 != item.sha256:
        raise ImageError(item.path, "has changed since it was indexed: sync the gallery first.")
    return file


def file_name(item: Item) -> str:
    """The name of a picture's file, without its folder or address."""
    return (name_in(item.path) if is_remote(item.path) else Path(item.path).name) or item.public_id


def _read(item: Item, fetch: Callable[[str], bytes]) -> FileBytes:
    if item.source.lower().endswith(".zip") and item.path.startswith(f"{item.source}/"):
        return _read_entry(item)
    return read_place(item.path, fetch)


def _read_entry(item: Item) -> FileBytes:
    try:
        archive = _open_archive(item.source, Path(item.source).stat().st_mtime_ns)
    except OSError as error:
        raise ImageError(item.path, f"cannot be read ({error.strerror or error}).") from error
    except SourceError as error:
        raise ImageError(item.path, f"cannot be read: {error}") from error
    try:
        return archive.read(replace(item, id=item.path.removeprefix(f"{item.source}/")))
    except KeyError as error:
        raise ImageError(item.path, "is not in the zip any more.") from error


@lru_cache(maxsize=2)
def _open_archive(path: str, _changed: int) -> Source:
    """Open a zip, listed once for all reads."""
    return open_source(path)

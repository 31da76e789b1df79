"""The picture behind an item, as it is now: a file, an entry of a zip, or what an address serves."""

from collections.abc import Callable
from dataclasses import replace
from functools import lru_cache
from pathlib import Path

from similarity.errors import ImageError, SourceError
from similarity.fetch import fetch, is_url
from similarity.images import read_file
from similarity.queries import QueryFile
from similarity.sources import Item, Source, open_source


def read_original(item: Item, *, fetch: Callable[[str], bytes] = fetch) -> QueryFile:
    """Read the picture that an item stands for.

    Args:
        fetch: what gets the bytes of an address.

    Raises:
        ImageError: it is gone or cannot be read. FetchError: its address cannot be fetched.
    """
    name = file_name(item)
    if is_url(item.path):
        return QueryFile(fetch(item.path), name)
    if item.source.lower().endswith(".zip") and item.path.startswith(f"{item.source}/"):
        return QueryFile(_read_entry(item), name)
    return QueryFile(read_file(item.path)[0], name)


def file_name(item: Item) -> str:
    """What a picture's file is called, without the place where it is."""
    path = item.path.partition("?")[0] if is_url(item.path) else item.path
    return Path(path).name or item.public_id


def _read_entry(item: Item) -> bytes:
    try:
        archive = _open_archive(item.source, Path(item.source).stat().st_mtime_ns)
    except OSError as error:
        raise ImageError(item.path, f"cannot be read ({error.strerror or error}).") from error
    except SourceError as error:
        raise ImageError(item.path, f"cannot be read: {error}") from error
    try:
        return archive.read(replace(item, id=item.path.removeprefix(f"{item.source}/"))).data
    except KeyError as error:
        raise ImageError(item.path, "is not in the zip any more.") from error


@lru_cache(maxsize=2)
def _open_archive(path: str, _changed: int) -> Source:
    """A zip, listed once for all that is read from it."""
    return open_source(path)

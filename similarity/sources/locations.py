"""Locations of pictures: a path of this computer, an http(s) address, or an object in a store such as `s3://`."""

import os
from collections.abc import Callable, Iterable
from pathlib import Path

from similarity.fetch.http import fetch, is_url
from similarity.images.decoding import read_file
from similarity.paths import full_path
from similarity.sources.base import FileBytes, Item, Stamp
from similarity.sources.folder import file_stamp
from similarity.sources.object_store import is_object, read_object

# Number of remote pictures that are fetched at the same time.
DOWNLOADS_AT_ONCE = 16


def is_remote(place: str) -> bool:
    """Whether a picture is remote: at an address, or in an object store."""
    return is_url(place) or is_object(place)


def place_in(folder: Path, place: str) -> str:
    """A place as a list in a folder names it, in full; raises SimilarityError if it cannot be one."""
    return place if is_remote(place) else str(full_path(folder / place))


def read_place(place: str, fetch: Callable[[str], bytes] = fetch) -> FileBytes:
    """Read the bytes of a picture at any location.

    Args:
        fetch: fetches the bytes of an http(s) address.

    Raises:
        ImageError: a file that is gone or cannot be read. FetchError: an address or an object that cannot be fetched.
    """
    if is_object(place):
        return read_object(place)
    return FileBytes(fetch(place)) if is_url(place) else FileBytes(*read_file(place))


def stamp_of(place: str) -> Stamp | None:
    """A file's size and modification time; None for remote pictures, which are not fetched for it."""
    return None if is_remote(place) else file_stamp(place)


def readers_for(items: Iterable[Item]) -> int:
    """Number of pictures to read at the same time."""
    return DOWNLOADS_AT_ONCE if any(is_remote(item.path) for item in items) else os.cpu_count() or 1

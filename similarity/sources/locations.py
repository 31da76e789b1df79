"""Locations of pictures: a path of this computer, an http(s) address, or an object in a store such as `s3://`."""

import os
import re
from collections.abc import Callable, Iterable
from pathlib import Path
from urllib.parse import unquote

from similarity.errors import SourceError
from similarity.fetch.web import fetch, is_url
from similarity.images.decoding import read_file
from similarity.paths import absolute_path, full_path, on_disk
from similarity.sources.base import FileBytes, Item, Stamp
from similarity.sources.folder import file_stamp
from similarity.sources.object_store import is_object, read_object

# Number of remote pictures that are fetched at the same time.
DOWNLOADS_AT_ONCE = 16
# A path that begins with a drive of Windows.
DRIVE = re.compile(r"/+[a-z]:/", re.IGNORECASE)


def is_remote(place: str) -> bool:
    """Whether a picture is remote: at an address, or in an object store."""
    return is_url(place) or is_object(place)


def is_file_url(place: str) -> bool:
    """Whether a place is a path of this computer, written as an address."""
    return place[:5].lower() == "file:"


def full_place(place: str) -> str:
    """A place as a gallery knows it: an address as it is, or the absolute path, links in it unresolved.

    Raises:
        PathError: it is a path that cannot be one.
    """
    return place if is_remote(place) else str(absolute_path(place))


def unquoted(place: str) -> str:
    """A place without quotation marks around it, which programs put there when they copy a path."""
    bare = place.strip()
    is_quoted = len(bare) > 2 and (bare[0], bare[-1]) in (('"', '"'), ("'", "'"), ("“", "”"))
    return bare[1:-1].strip() if is_quoted else bare


def place_in(folder: Path, place: str) -> str:
    """A place as a list in a folder names it, in full; raises SimilarityError if it cannot be one.

    A path may be quoted, an address with `file:`, or have backslashes between its folders, if there is such a file.
    """
    if is_remote(bare := unquoted(place)):
        return bare
    spellings = _of_file_url(bare) if is_file_url(bare) else [bare, place]
    spellings = [form for spelling in spellings for form in (spelling.replace("\\", "/"), spelling)]
    paths = [full_path(folder / spelling) for spelling in dict.fromkeys(spellings)]
    is_there = os.path.exists  # which never raises
    return str(paths[0] if len(paths) == 1 else next(filter(is_there, paths), paths[0]))


def _of_file_url(url: str) -> list[str]:
    """The paths that an address with `file:` can stand for: decoded, or as it is written."""
    rest = url[5:]
    if rest.startswith("//"):
        host, slash, path = rest[2:].partition("/")
        if host.lower() not in ("", "localhost"):
            raise SourceError(f"{url} is a file of another computer, {host}: give its path on this one.")
        rest = slash + path
    rest = rest.lstrip("/") if DRIVE.match(rest) else rest
    return list(dict.fromkeys((unquote(rest), rest)))


def read_place(place: str, fetch: Callable[[str], bytes] = fetch) -> FileBytes:
    """Read the bytes of a picture at any location.

    Args:
        fetch: fetches the bytes of an http(s) address.

    Raises:
        ImageError: a file that is gone or cannot be read. FetchError: an address or an object that cannot be fetched.
    """
    if is_object(place):
        return read_object(place)
    return FileBytes(fetch(place)) if is_url(place) else FileBytes(*read_file(on_disk(Path(place))))


def stamp_of(place: str) -> Stamp | None:
    """A file's size and modification time; None for remote pictures, which are not fetched for it."""
    return None if is_remote(place) else file_stamp(place)


def readers_for(items: Iterable[Item]) -> int:
    """Number of pictures to read at the same time."""
    return DOWNLOADS_AT_ONCE if any(is_remote(item.path) for item in items) else os.cpu_count() or 1

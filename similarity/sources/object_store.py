"""Pictures in object stores, such as `s3://bucket/shoes/1.jpg`. The only module that uses fsspec.

Credentials and address of a store are found by its own library as usual: for S3 from the environment
(AWS_ACCESS_KEY_ID, AWS_ENDPOINT_URL, …), from `~/.aws`, or from the machine's role. Only the schemes below are opened,
since others of fsspec lead to this computer's own files and network.
"""

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

from similarity.errors import FetchError, SimilarityError
from similarity.images.limits import MAX_FILE_BYTES
from similarity.sources.base import FileBytes, Stamp

SCHEMES = ("s3", "gs", "az")
EXTRA = "pip install fsspec s3fs"

logger = logging.getLogger(__name__)


def is_object(text: str) -> bool:
    """Whether a place is in an object store."""
    scheme, separator, _ = text.partition("://")
    return bool(separator) and scheme.lower() in SCHEMES


def read_object(place: str) -> FileBytes:
    """Read the bytes of an object, and its modification time if the store gives it.

    Raises:
        FetchError: it is not there or may not be read, the store cannot be reached, it is larger than 200 MB, or the
            library for this kind of store is not installed.
    """
    with _explained(place) as (store, key):
        facts = store.info(key)
        if facts.get("type") == "directory":
            raise FetchError(f"{place} is a folder, not a picture.", place)
        size = int(facts.get("size") or 0)
        if size > MAX_FILE_BYTES:
            raise FetchError(f"{place} is too large ({size / 1e6:.0f} MB; the limit is 200 MB).", place)
        return FileBytes(store.cat_file(key), _modified_at(facts))


def list_objects(place: str) -> dict[str, Stamp]:
    """List all objects below a place: address to size and modification time. Raises FetchError as `read_object`."""
    scheme = place.partition("://")[0]
    with _explained(place) as (store, key):
        found = store.find(key, detail=True)
        return {
            f"{scheme}://{name}": Stamp(int(facts.get("size") or 0), _modified_at(facts))
            for name, facts in found.items()
            if facts.get("type") != "directory" and name != key
        }


@contextmanager
def open_object(place: str) -> Iterator[BinaryIO]:
    """Open an object to read parts of it; raises FetchError as `read_object`, also for what fails while it is open."""
    with _explained(place) as (store, key), store.open(key, "rb") as file:
        yield file


def put_object(file: Path, place: str) -> None:
    """Write a file of this computer to a place; raises FetchError as `read_object`."""
    with _explained(place, "written") as (store, key):
        store.put_file(str(file), key)


def remove_object(place: str) -> None:
    """Delete an object; raises FetchError as `read_object`."""
    with _explained(place, "deleted") as (store, key):
        store.rm_file(key)


@contextmanager
def _explained(place: str, done: str = "read") -> Iterator[tuple[Any, str]]:
    """The store of a place and the key in it; errors of its library within become FetchError.

    Args:
        done: what is done with the place, for messages.
    """
    scheme, _, key = place.partition("://")
    try:
        yield _store(scheme.lower()), key
    except SimilarityError:
        raise
    except ImportError as error:
        raise FetchError(
            f"{place} cannot be {done} without a library for it: {_remedy(scheme.lower())}.", place
        ) from error
    except Exception as error:  # each store's library has errors of its own
        logger.info("%s was not %s: %r", place, done, error)
        raise FetchError(_explain(place, done, error), place) from error


@lru_cache
def _store(scheme: str) -> Any:
    """The file system of a store, one for all threads, which share its connections; without cached listings."""
    import fsspec

    return fsspec.filesystem(scheme, use_listings_cache=False)


def _modified_at(facts: dict[str, Any]) -> float:
    """The modification time of an object, in seconds since 1970; 0 if that is not known."""
    when = facts.get("LastModified") or facts.get("last_modified") or facts.get("mtime")
    return when.timestamp() if isinstance(when, datetime) else 0.0


def _remedy(scheme: str) -> str:
    """The remedy if the library for a kind of store is missing."""
    others = {"gs": "pip install gcsfs", "az": "pip install adlfs"}
    return others.get(scheme, EXTRA)


def _explain(place: str, done: str, error: Exception) -> str:
    """An error of the libraries as one sentence."""
    if isinstance(error, FileNotFoundError):
        return f"{place} is not there: check the bucket and the key."
    if isinstance(error, PermissionError) or "credentials" in str(error).lower():
        return f"{place} may not be {done} with the credentials of this computer."
    if isinstance(error, TimeoutError | ConnectionError) or "connect" in type(error).__name__.lower():
        return f"{place} could not be reached: check the network connection, and the store's address."
    return f"{place} could not be {done} ({type(error).__name__})."

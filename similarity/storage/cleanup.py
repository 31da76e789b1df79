"""Deleting what a gallery does not need any more: generations, thumbnails, collections in Milvus, or all of it.

Only what is a gallery's own is deleted, by its name, and never a picture that was indexed.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from similarity.errors import GalleryError, GalleryNotFoundError
from similarity.files import confirm
from similarity.paths import ITEMS, full_path, galleries_folder
from similarity.search import Rows
from similarity.search.engines import FILES
from similarity.search.stores import COLLECTIONS
from similarity.sources.uploads import drop_uploads
from similarity.storage.current import CURRENT, exists, live_number
from similarity.storage.items import read_contents
from similarity.storage.layout import generation_folder
from similarity.storage.locks import OWN_ENTRIES, unless_pinned, writing
from similarity.storage.manifest import read_manifest
from similarity.storage.removal import generation_folders, has_unfinished, remove_entry, remove_generation
from similarity.storage.thumbnails import drop_thumbnails
from similarity.vectors.npy_files import read_array

logger = logging.getLogger(__name__)


def forget_vectors(folder: Path, there: Iterable[Path]) -> bool:
    """Take the vectors of a generation out of its collection, but for those that others have too.

    Args:
        folder: of the generation, which is about to go.
        there: the folders of all generations, also of those that only a reader holds.

    Returns:
        Whether that is done, so that the folder may go.
    """
    try:
        manifest = read_manifest(folder)[0]
    except GalleryError:
        return True  # what it had sent, if anything, is passed over by all searches
    if manifest.store.kind == "faiss":
        return True
    try:
        mine = _collection(folder)
        others = [other for other in there if other != folder and _collection(other) == mine]
        if not others:  # all of the collection goes
            return True

        from similarity.storage.collections import own_collection

        keys = np.setdiff1d(_keys(folder), np.concatenate([_keys(other) for other in others]))
        if collection := own_collection(folder.parents[1], manifest):
            collection.delete_keys(keys)
    except (GalleryError, OSError, ValueError, LookupError) as error:
        logger.warning("What only %s has in its collection could not be taken out: %s", folder, error)
        return False
    return True


def drop_collections(directory: Path, folders: Iterable[Path]) -> None:
    """Drop what a gallery has made in Milvus and does not use any more; it never fails.

    Args:
        folders: its generations.
    """
    if (directory / COLLECTIONS).exists():
        from similarity.storage.collections import drop_unused

        try:
            drop_unused(directory, {used for folder in folders if (used := _collection(folder))})
        except GalleryError as error:  # a generation that cannot be read may still need one
            logger.warning("The collections of %s were left as they are: %s", directory, error)


def _collection(folder: Path) -> tuple[str, str] | None:
    """Address and name of the collection that a generation is in; raises GalleryError if that cannot be told."""
    manifest = read_manifest(folder)[0]
    return (manifest.store.uri, str(manifest.search["collection"])) if manifest.store.kind == "milvus" else None


def _keys(folder: Path) -> Rows:
    return read_array(folder / FILES["milvus"], (read_manifest(folder)[0].count,), np.int64)


def collect(directory: Path, previous: int | None) -> None:
    """Delete what is not needed any more. It never fails: whatever stays is deleted the next time.

    Args:
        previous: the generation to keep beside the live one and those that a reader is in.
    """
    kept = {generation_folder(directory, number) for number in (previous, live_number(directory)) if number is not None}
    for folder in set(generation_folders(directory)) - kept:
        with suppress(OSError), unless_pinned(folder) as is_free:
            if is_free and forget_vectors(folder, generation_folders(directory)):
                remove_generation(folder)
    drop_collections(directory, generation_folders(directory))
    if has_unfinished(directory):
        return  # its thumbnails are needed when it is gone on with
    try:
        used = set[str]().union(*(read_contents(folder / ITEMS) for folder in generation_folders(directory)))
    except (OSError, ValueError, LookupError, pa.ArrowException):
        return  # a generation that cannot be read may still need them
    drop_thumbnails(directory, kept=used)


def delete_gallery(directory: Path) -> None:
    """Delete a gallery, or what is left of one that was not finished, with what was uploaded for it.

    It is gone for everybody at the first step, so whatever interrupts the rest leaves no half of a gallery; deleting it
    again takes the rest away. Whatever else lies in the folder stays.

    Raises:
        GalleryNotFoundError: the folder is not a gallery's. GalleryBusyError: somebody writes it.
        GalleryError: it cannot be deleted.
    """
    directory = full_path(directory)
    if not (exists(directory) or generation_folders(directory) or has_unfinished(directory)):
        raise GalleryNotFoundError(f"There is no gallery in {directory}: nothing was deleted.")
    with writing(directory, "delete", checked=False):
        (directory / CURRENT).unlink(missing_ok=True)
        confirm(directory)
        if directory.parent == galleries_folder():
            drop_uploads(directory.name)
        drop_collections(directory, ())
        for name in OWN_ENTRIES:  # what tells that there was a gallery comes late, the lock last
            remove_entry(directory / name)
        with suppress(OSError):
            directory.rmdir()

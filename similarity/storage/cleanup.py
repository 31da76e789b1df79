"""Deleting generations, thumbnails and collections that a gallery no longer needs, or a whole gallery.

Only a gallery's own files are deleted, which are known by their names, and never a picture that was indexed.
"""

import logging
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import numpy as np
import pyarrow as pa

from similarity.errors import GalleryBusyError, GalleryError, GalleryNotFoundError
from similarity.files import IS_WINDOWS, confirm
from similarity.paths import ITEMS, full_path, galleries_folder
from similarity.search import Rows
from similarity.search.engines import FILES
from similarity.search.stores import COLLECTIONS
from similarity.sources.uploads import drop_uploads
from similarity.storage.checksums import check_files
from similarity.storage.current import CURRENT, exists, live_number, live_state, read_state
from similarity.storage.history import states_to_keep
from similarity.storage.items import read_contents
from similarity.storage.layout import generation_folder
from similarity.storage.live import read_manifest_of
from similarity.storage.locks import LOCK, OWN_ENTRIES, unless_pinned, writing
from similarity.storage.manifest import read_manifest
from similarity.storage.part_files import forget_refined_parts
from similarity.storage.prepared import forget_prepared
from similarity.storage.removal import (
    generation_folders,
    has_unfinished,
    remove_entry,
    remove_generation,
    remove_shard,
    shard_folders,
)
from similarity.storage.thumbnails import drop_thumbnails
from similarity.vectors.npy_files import read_array

logger = logging.getLogger(__name__)


def forget_vectors(folder: Path, folders: Iterable[Path]) -> bool:
    """Delete the vectors of a generation from its collection, except those that other generations share.

    Args:
        folder: the folder of the generation, which is about to be deleted.
        folders: the folders of all generations, including those that only readers still hold.

    Returns:
        Whether they are deleted, so that the folder can be deleted, too.
    """
    try:
        manifest = read_manifest(folder)[0]
    except GalleryError:
        return True  # searches ignore any vectors of it
    if manifest.store.kind == "faiss":
        return True
    try:
        own = _collection(folder)
        others = [other for other in folders if other != folder and _collection(other) == own]
        if not others:  # the whole collection is dropped
            return True

        from similarity.storage.collections import own_collection

        keys = np.setdiff1d(_keys(folder), np.concatenate([_keys(other) for other in others]))
        if collection := own_collection(folder.parents[1], manifest):
            collection.delete_keys(keys)
    except (GalleryError, OSError, ValueError, LookupError) as error:
        logger.warning("Vectors of %s could not be deleted from its collection: %s", folder, error)
        return False
    return True


def drop_collections(directory: Path, folders: Iterable[Path]) -> None:
    """Drop the collections in Milvus that a gallery made and no longer uses; it never fails.

    Args:
        folders: the folders of its generations.
    """
    if (directory / COLLECTIONS).exists():
        from similarity.storage.collections import drop_unused

        try:
            drop_unused(directory, {used for folder in folders if (used := _collection(folder))})
        except GalleryError as error:  # a generation that cannot be read may still need one
            logger.warning("The collections of %s were not dropped: %s", directory, error)


def _collection(folder: Path) -> tuple[str, str] | None:
    """Return address and name of a generation's collection; raises GalleryError if its manifest cannot be read."""
    manifest = read_manifest(folder)[0]
    return (manifest.store.uri, str(manifest.search["collection"])) if manifest.store.kind == "milvus" else None


def _keys(folder: Path) -> Rows:
    return read_array(folder / FILES["milvus"], (read_manifest(folder)[0].count,), np.int64)


def collect(directory: Path, previous: int | None) -> None:
    """Delete all that is no longer needed. It never fails: the rest is deleted the next time.

    Args:
        previous: the generation that was live before; it is kept beside the live one, those that are being read, and a
            few before it. With None no earlier one is.
    """
    numbers = states_to_keep(directory, previous) | {live_number(directory)}
    needed = {generation_folder(directory, number) for number in numbers if number is not None}
    for folder in set(generation_folders(directory)) - needed:
        with suppress(OSError), unless_pinned(folder) as is_free:
            if is_free and forget_vectors(folder, generation_folders(directory)):
                remove_generation(folder)
    drop_collections(directory, generation_folders(directory))
    _drop_shards(directory)
    if has_unfinished(directory):
        return  # the interrupted run needs its thumbnails when it is resumed
    try:
        used = set[str]().union(*(read_contents(folder / ITEMS) for folder in generation_folders(directory)))
    except (OSError, ValueError, LookupError, pa.ArrowException):
        return  # a generation that cannot be read may still need them
    drop_thumbnails(directory, kept=used)


def _drop_shards(directory: Path) -> None:
    """Delete the shards of a set that no state of it has; it never fails."""
    with suppress(OSError, GalleryError):
        manifests = [read_manifest(folder)[0] for folder in generation_folders(directory)]
        used = {shard.folder(directory) for manifest in manifests for shard in manifest.shards}
        for folder in set(shard_folders(directory)) - used:
            with suppress(OSError):
                remove_shard(folder)
                forget_prepared(folder)


def forget_other_states(directory: Path) -> None:
    """Delete all states of a gallery but the live one, and the thumbnails that only those have.

    Raises:
        GalleryNotFoundError: there is no gallery. GalleryBusyError: another process is writing to it, or reads one of
            them, which then stays until the next change. GalleryDamagedError: the live state is damaged, so the others
            are needed. GalleryError: it cannot be written.
    """
    directory = full_path(directory)
    live_state(directory)
    with writing(directory, "forget"):
        state = read_state(directory)
        check_files(generation_folder(directory, state.number), read_manifest_of(directory, state).files)
        collect(directory, None)
        if left := len(generation_folders(directory)) - 1:
            states = "1 earlier state" if left == 1 else f"{left} earlier states"
            raise GalleryBusyError(
                f"{states} could not be deleted, being in use or in a store that cannot be reached: close what has the "
                "gallery open, and delete again."
            )


def delete_gallery(directory: Path) -> None:
    """Delete a gallery, or the remains of an unfinished one, with the pictures that were uploaded for it.

    The first step makes it disappear for everybody, so an interruption never leaves half a gallery; deleting it again
    removes the rest. Other files in the folder are not touched.

    Raises:
        GalleryNotFoundError: the folder has no gallery. GalleryBusyError: another process is writing to it.
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
        forget_refined_parts(directory)
        for folder in (directory, *shard_folders(directory)):
            forget_prepared(folder)
        for name in OWN_ENTRIES:  # in an order that shows until late that this was a gallery; the lock comes last
            if not (IS_WINDOWS and name == LOCK):  # which is deleted there when it is released
                remove_entry(directory / name)
        with suppress(OSError):
            directory.rmdir()
    if IS_WINDOWS:
        with suppress(OSError):
            directory.rmdir()

"""Deleting a gallery: its own files, and never a picture that was indexed."""

from contextlib import suppress
from pathlib import Path

from similarity.errors import GalleryNotFoundError
from similarity.files import confirm
from similarity.paths import full_path, galleries_folder
from similarity.search.engines import drop_collections
from similarity.sources.uploads import drop_uploads
from similarity.storage.current import CURRENT, exists
from similarity.storage.journal import has_unfinished
from similarity.storage.locks import OWN_ENTRIES, writing
from similarity.storage.removal import generation_folders, remove_entry


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

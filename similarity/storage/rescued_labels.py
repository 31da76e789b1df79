"""Labels that the owner of a gallery gave, read on their own from a gallery that cannot be opened.

Only their file is read, and checked against the manifest: indexing makes all else again, but not these.
"""

import logging
from dataclasses import dataclass
from pathlib import Path

from similarity.errors import GalleryError
from similarity.paths import LABELS
from similarity.storage.checksums import check_files
from similarity.storage.current import live_number
from similarity.storage.generations import UNREADABLE
from similarity.storage.given_labels import NONE_GIVEN, GivenLabels, read_given_labels
from similarity.storage.manifest import read_manifest
from similarity.storage.removal import generation_folders

LOST = "Labels that were set by hand are lost: the gallery that is replaced is damaged, and so are they."
OLDER = (
    "Labels that were set by hand are those of generation {}, an earlier one: the gallery that is replaced is damaged, "
    "and so are its own. Labels that were set later are lost."
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class RescuedLabels:
    """What could be read of the labels of a gallery.

    Attributes:
        given: the labels.
        note: what is lost of them, as a sentence; empty if nothing is.
    """

    given: GivenLabels = NONE_GIVEN
    note: str = ""


def rescue_given_labels(directory: Path) -> RescuedLabels:
    """Return the labels of the live generation, or else of the newest one, earlier ones first, whose labels are sound.

    Raises:
        GalleryUnreadableError: this user may not read the folder.
    """
    live, folders = live_number(directory), generation_folders(directory)
    newest = live if live is not None else max((int(folder.name) for folder in folders), default=0)
    were_there = False
    for folder in sorted(folders, key=lambda path: (int(path.name) <= newest, int(path.name)), reverse=True):
        given, number = _read(folder), int(folder.name)
        if given is None:
            were_there = were_there or _had_labels(folder)
        elif given or number == newest:
            return RescuedLabels(given, "" if number == newest else OLDER.format(number))
        else:
            break
    return RescuedLabels(note=LOST if were_there else "")


def _read(folder: Path) -> GivenLabels | None:
    """Return the labels of a generation, none if it has none; None if that cannot be known."""
    try:
        manifest, _ = read_manifest(folder)
        if LABELS not in manifest.files:
            return NONE_GIVEN
        check_files(folder, {LABELS: manifest.files[LABELS]}, thorough=True)
        return read_given_labels(folder)
    except (GalleryError, *UNREADABLE) as error:
        logger.info("The labels of %s cannot be read: %s", folder, error)
        return None


def _had_labels(folder: Path) -> bool:
    """Whether a generation was written with labels, as far as can be known."""
    try:
        return LABELS in read_manifest(folder)[0].files
    except GalleryError:
        return (folder / LABELS).exists()

"""The galleries in SIMILARITY_HOME, sound or not, and the folders that their names stand for."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from similarity.errors import GalleryError
from similarity.paths import full_path, galleries_folder
from similarity.storage.current import exists
from similarity.storage.layout import walk
from similarity.storage.live import read_live_manifest
from similarity.storage.manifest import Manifest
from similarity.storage.removal import generation_folders, has_unfinished

NAME = re.compile(r"\w[\w.-]*")
LONGEST_NAME = 255  # which file systems take; in bytes of UTF-8
Condition = Literal["sound", "damaged", "unfinished"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A gallery in the list.

    Attributes:
        directory: where it lies.
        condition: sound, as far as its manifest tells; damaged; or unfinished: a first run was interrupted, or the
            deletion.
        manifest: of a sound one.
        fault: of a damaged one, a sentence.
    """

    directory: Path
    condition: Condition
    manifest: Manifest | None = None
    fault: str = ""

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.directory.name


def take_inventory() -> list[Entry]:
    """All galleries, by name."""
    folders = (path for path in galleries_folder().glob("*") if path.is_dir())
    return [entry for folder in sorted(folders) if (entry := look_at(folder))]


def look_at(directory: Path) -> Entry | None:
    """Look at the gallery in a folder; None if there is none."""
    if exists(directory):
        try:
            return Entry(directory, "sound", read_live_manifest(directory))
        except GalleryError as error:
            return Entry(directory, "damaged", fault=str(error))
    return Entry(directory, "unfinished") if generation_folders(directory) or has_unfinished(directory) else None


def can_go_back(directory: Path) -> bool:
    """Whether there may be an earlier state to go back to; whether it is sound is found out when one does."""
    return len(generation_folders(directory)) > 1


def disk_bytes(directory: Path) -> int:
    """Bytes that a gallery takes on the disk; files that come and go meanwhile may or may not count."""
    total = 0
    for entry in walk(directory):
        with suppress(OSError):
            total += 0 if entry.is_dir(follow_symlinks=False) else entry.stat(follow_symlinks=False).st_size
    return total


def named_gallery(name: str) -> Path:
    """The folder in SIMILARITY_HOME/galleries that a name stands for, whether it exists or not.

    Raises:
        GalleryError: it has other signs in it than letters, digits, dots, dashes and underscores.
    """
    if len(name) > LONGEST_NAME or len(name.encode(errors="replace")) > LONGEST_NAME:
        raise GalleryError(f"The name of a gallery has {LONGEST_NAME} bytes at most: take a shorter one.")
    if not NAME.fullmatch(name):
        raise GalleryError(f"{name!r} cannot name a gallery: use letters, digits, dots, dashes and underscores.")
    return galleries_folder() / name


def find_gallery(name: str) -> Path:
    """The folder that a gallery's name or path stands for, whether it exists or not.

    A name is letters, digits, dots, dashes and underscores and stands for a folder in SIMILARITY_HOME/galleries;
    anything with a slash, and `.`, `..` and `~`, is a path.
    """
    if os.sep in name or "/" in name or name in (".", "..") or name.startswith("~"):
        return full_path(name)
    return named_gallery(name)


def list_galleries() -> list[Path]:
    """The folders of all galleries in SIMILARITY_HOME, by name."""
    found = sorted(path.parent for path in galleries_folder().glob("*/CURRENT"))
    return [directory for directory in found if NAME.fullmatch(directory.name)]

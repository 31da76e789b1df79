"""The galleries in SIMILARITY_HOME, damaged ones included, and the folders of galleries by name."""

import os
import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from similarity.errors import GalleryDamagedError, GalleryError, GalleryUnreadableError
from similarity.paths import full_path, galleries_folder
from similarity.storage.checksums import check_there
from similarity.storage.current import CURRENT, exists, live_number, live_state
from similarity.storage.layout import generation_folder, walk
from similarity.storage.live import read_live_manifest
from similarity.storage.manifest import Manifest
from similarity.storage.removal import generation_folders, has_unfinished
from similarity.storage.unreadable import unreadable
from similarity.text.unicode import nfc

NAME = re.compile(r"\w(?:[\w. -]*[\w.-])?")
LONGEST_NAME = 255  # bytes in UTF-8, the limit of file systems
Condition = Literal["sound", "damaged", "unreadable", "unfinished"]


@dataclass(frozen=True, slots=True)
class Entry:
    """A gallery in the list.

    Attributes:
        directory: its folder.
        condition: sound, if its manifest is and its files are there; damaged; unreadable for this user; or unfinished,
            after an interrupted first run or deletion.
        manifest: the manifest of a sound gallery.
        fault: the fault of a damaged or unreadable gallery, as a sentence.
        missing_shards: how many shards of a set are not there.
    """

    directory: Path
    condition: Condition
    manifest: Manifest | None = None
    fault: str = ""
    missing_shards: int = 0

    @property
    def name(self) -> str:
        """The name of its folder."""
        return self.directory.name


def take_inventory() -> list[Entry]:
    """Return all galleries, sorted by name; raises GalleryUnreadableError if this user may not list them."""
    return [entry for folder in _folders() if (entry := look_at(folder))]


def look_at(directory: Path) -> Entry | None:
    """Return the condition of the gallery in a folder; None if there is none."""
    try:
        if exists(directory):
            return _look_at_state(directory, live_state(directory))
        is_unfinished = generation_folders(directory) or has_unfinished(directory)
        return Entry(directory, "unfinished") if is_unfinished else None
    except GalleryUnreadableError as error:
        return Entry(directory, "unreadable", fault=str(error))
    except GalleryError as error:
        return Entry(directory, "damaged", fault=str(error))


def _look_at_state(directory: Path, line: str) -> Entry:
    try:
        manifest = read_live_manifest(directory)
        check_there(generation_folder(directory, manifest.generation), manifest.files)
    except GalleryDamagedError:
        if (now := live_state(directory)) != line:  # it was changed meanwhile
            return _look_at_state(directory, now)
        raise
    missing = sum(bool(shard.place) and not exists(shard.folder(directory)) for shard in manifest.shards)
    return Entry(directory, "sound", manifest, missing_shards=missing)


def can_go_back(directory: Path) -> bool:
    """Whether there is an earlier state, which may turn out to be damaged when one goes back to it."""
    with suppress(GalleryUnreadableError):
        return len(generation_folders(directory)) > 1
    return False


def goes_forward(directory: Path) -> bool:
    """Whether `restore` would bring back a state that was undone, since none is before the live one."""
    with suppress(GalleryError):
        numbers = [int(folder.name) for folder in generation_folders(directory)]
        return bool(numbers) and min(numbers) == (live_number(directory) or 0)
    return False


def disk_bytes(directory: Path) -> int:
    """Return the bytes of a gallery on the disk; files that change meanwhile may or may not count."""
    total = 0
    for entry in walk(directory):
        with suppress(OSError):
            total += 0 if entry.is_dir(follow_symlinks=False) else entry.stat(follow_symlinks=False).st_size
    return total


def named_gallery(name: str) -> Path:
    """Return the folder of a name in SIMILARITY_HOME/galleries, whether it exists or not.

    Raises:
        GalleryError: the name has other characters than letters, digits, spaces, dots, dashes and underscores.
    """
    name = nfc(name)
    if len(name) > LONGEST_NAME or len(name.encode(errors="replace")) > LONGEST_NAME:
        raise GalleryError(f"The name of a gallery can have {LONGEST_NAME} bytes at most: choose a shorter one.")
    if not NAME.fullmatch(name):
        raise GalleryError(
            f"{name!r} cannot name a gallery: use letters, digits, spaces, dots, dashes and underscores."
        )
    return galleries_folder() / name


def find_gallery(name: str) -> Path:
    """Return the folder of a gallery by its name or path, whether it exists or not.

    A text with a slash is a path, and so are `.`, `..` and `~`. Others are names of folders in
    SIMILARITY_HOME/galleries, which consist of letters, digits, spaces, dots, dashes and underscores.
    """
    if os.sep in name or "/" in name or name in (".", "..") or name.startswith("~"):
        return full_path(name)
    return named_gallery(name)


def list_galleries() -> list[Path]:
    """Return the folders of all galleries in SIMILARITY_HOME, sorted by name, those that this user may not read too.

    Raises:
        GalleryUnreadableError: this user may not list them.
    """
    return [directory for directory in _folders() if NAME.fullmatch(directory.name) and _is_listed(directory)]


def _is_listed(directory: Path) -> bool:
    try:
        return os.path.lexists(directory / CURRENT) or exists(directory)
    except GalleryUnreadableError:
        return True


def _folders() -> list[Path]:
    """Return the folders in SIMILARITY_HOME/galleries, sorted by name."""
    try:
        return sorted(path for path in galleries_folder().iterdir() if path.is_dir())
    except FileNotFoundError:
        return []
    except OSError as error:
        raise unreadable(galleries_folder(), error) or GalleryError(
            f"{galleries_folder()} cannot be read ({error.strerror or error})."
        ) from error

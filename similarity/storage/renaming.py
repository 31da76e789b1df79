"""Renaming a gallery in SIMILARITY_HOME, and the record by which old links lead to the new name.

SIMILARITY_HOME/renamed.json      {"boots": "shoes"}, the latest last
"""

import json
import os
from contextlib import suppress
from pathlib import Path

from similarity.errors import GalleryError, GalleryNotFoundError
from similarity.files import IS_WINDOWS, confirm, read_json, write_atomically
from similarity.paths import galleries_folder, home
from similarity.storage import events
from similarity.storage.inventory import look_at, named_gallery
from similarity.storage.locks import HOLDER, writing
from similarity.storage.prepared import forget_prepared

FILE = "renamed.json"
MOST_NAMES, MOST_BYTES = 500, 1_000_000


def check_new_name(directory: Path, name: str) -> Path:
    """Return the folder that a gallery would have under another name.

    Raises:
        GalleryNotFoundError: there is no gallery. GalleryError: the name is missing, not one, or taken, or the gallery
            lies elsewhere than in SIMILARITY_HOME.
    """
    if not name:
        raise GalleryError("Give the gallery a name.")
    if directory.parent != galleries_folder():
        raise GalleryError(f"{directory} is not in {galleries_folder()}: rename its folder instead.")
    if look_at(directory) is None:
        raise GalleryNotFoundError(f"There is no gallery named {directory.name}.")
    target = named_gallery(name)
    if target == directory:
        raise GalleryError(f"It is named {name} already.")
    if os.path.lexists(target):
        raise GalleryError(f"There is a gallery named {name} already: choose another name.")
    return target


def rename_gallery(directory: Path, name: str) -> Path:
    """Rename a gallery, at once and as a whole; returns its new folder.

    Whoever has it open goes on, and its own files know nothing of its name.

    Raises:
        GalleryBusyError: another process is writing to it. GalleryError: see `check_new_name`, or it cannot be renamed.
    """
    with writing(directory, "rename", checked=False):
        target = check_new_name(directory, name)
        (directory / HOLDER).unlink(missing_ok=True)
        if not IS_WINDOWS:
            _move(directory, target)
    if IS_WINDOWS:  # which moves no folder with an open file in it, as the lock is
        try:
            _move(directory, target)
        except OSError as error:
            raise GalleryError(
                f"{directory} could not be renamed ({error.strerror or error}): close what has the gallery open."
            ) from error
    _record(directory.name, target.name)
    return target


def _move(directory: Path, target: Path) -> None:
    directory.rename(target)
    confirm(target.parent)
    forget_prepared(directory)
    events.tell("rename", directory, target)


def renamed_to(name: str) -> str | None:
    """Return the present name of a gallery that was renamed; None if none is known."""
    names, now = _read(), name
    for _ in names:
        if now not in names:
            break
        now = names[now]
    with suppress(GalleryError):
        return now if now != name and look_at(named_gallery(now)) else None
    return None


def _record(old: str, new: str) -> None:
    """Note a new name; a record that cannot be written only costs the hint."""
    names = {name: to for name, to in _read().items() if name not in (old, new)} | {old: new}
    with suppress(OSError):
        write_atomically(home() / FILE, json.dumps(dict([*names.items()][-MOST_NAMES:]), indent=2) + "\n")


def _read() -> dict[str, str]:
    with suppress(OSError, ValueError):
        read = read_json(home() / FILE, MOST_BYTES)
        if isinstance(read, dict):
            return {str(old): str(new) for old, new in read.items()}
    return {}

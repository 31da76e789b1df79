"""CURRENT, the file that names the live generation of a gallery.

Its line is the gallery's state: "000003 5c1e…", the generation's number and its manifest's SHA-256.
"""

import re
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from similarity.errors import GalleryDamagedError, GalleryError, GalleryNotFoundError
from similarity.files import read_own, write_atomically
from similarity.storage.unreadable import unreadable, unreadable_or_damaged

CURRENT = "CURRENT"
MOST_BYTES = 1_000  # of the file
AGAIN = "index the gallery again"
SYNC = "`sync` with the source of the set makes its pictures again"


def exists(directory: Path) -> bool:
    """Whether there is a gallery in a folder; raises GalleryUnreadableError if that cannot be known."""
    try:
        return (directory / CURRENT).is_file()
    except OSError as error:
        if reason := unreadable(directory, error):
            raise reason from error
        return False


@dataclass(frozen=True, slots=True)
class State:
    """The state of a gallery: the number of its live generation, and the SHA-256 of that one's manifest in hex."""

    number: int
    checksum: str

    def __str__(self) -> str:
        """Return the line of CURRENT."""
        return f"{self.number:06d} {self.checksum}"

    @classmethod
    def parse(cls, line: str, directory: Path) -> "State":
        """Parse the line of CURRENT in a gallery's folder; raises GalleryDamagedError if it is malformed."""
        number, _, checksum = line.partition(" ")
        if not re.fullmatch("[0-9]{6,9}", number):
            raise GalleryDamagedError(directory / CURRENT, remedy=AGAIN)
        return cls(int(number), checksum)


def read_state(directory: Path) -> State:
    """Read the state of the gallery in a folder.

    Raises:
        GalleryNotFoundError: there is no gallery. GalleryDamagedError: CURRENT is malformed.
        GalleryUnreadableError: this user may not read it.
    """
    return State.parse(live_state(directory), directory)


def live_state(directory: Path) -> str:
    """Return the line of CURRENT: a key that changes with the gallery, even if it is deleted and made again.

    Reading it is cheap enough for every search.

    Raises:
        GalleryNotFoundError: there is no gallery. GalleryDamagedError: CURRENT is not a file that can be read.
        GalleryUnreadableError: this user may not read it.
    """
    try:
        return read_own(directory / CURRENT, MOST_BYTES).decode(errors="replace").removesuffix("\n")
    except (FileNotFoundError, NotADirectoryError):
        raise GalleryNotFoundError(f"There is no gallery in {directory}.") from None
    except OSError as error:
        raise unreadable_or_damaged(directory / CURRENT, error, "cannot be read", AGAIN) from error


def live_number(directory: Path) -> int | None:
    """Return the number of the live generation; None if there is no gallery, or CURRENT is malformed."""
    with suppress(GalleryError):
        return read_state(directory).number
    return None


def make_current(directory: Path, state: State) -> None:
    """Replace CURRENT. If that cannot be synced to disk, the old file is restored, and the change has not happened."""
    path = directory / CURRENT
    before = live_state(directory) if exists(directory) else None
    try:
        write_atomically(path, f"{state}\n", durable=True)
    except OSError:
        if before is None:
            path.unlink(missing_ok=True)
        elif live_state(directory) != before:
            write_atomically(path, f"{before}\n")  # not durable, since syncing has just failed
        raise

"""CURRENT, the file that says which generation of a gallery is live.

Its line is the gallery's state: "000003 5c1e…", the generation's number and its manifest's SHA-256.
"""

import re
from contextlib import suppress
from pathlib import Path

from similarity.errors import GalleryDamagedError, GalleryError, GalleryNotFoundError
from similarity.files import read_own, write_atomically

CURRENT = "CURRENT"
MOST_BYTES = 1_000  # of it
AGAIN = "index the gallery again"


def exists(directory: Path) -> bool:
    """Whether there is a gallery in a folder."""
    return (directory / CURRENT).is_file()


def live_state(directory: Path) -> str:
    """What changes whenever a gallery does, even if it is deleted and made anew; cheap enough to ask at every turn.

    Raises:
        GalleryNotFoundError: there is none.
    """
    try:
        return read_own(directory / CURRENT, MOST_BYTES).decode(errors="replace").removesuffix("\n")
    except (FileNotFoundError, NotADirectoryError):
        raise GalleryNotFoundError(f"There is no gallery in {directory}.") from None
    except OSError as error:
        raise GalleryDamagedError(directory / CURRENT, "cannot be read", AGAIN) from error


def live_number(directory: Path) -> int | None:
    """The number of the live generation; None where there is none, or where it cannot be told."""
    with suppress(GalleryError):
        return parse(directory, live_state(directory))[0]
    return None


def parse(directory: Path, state: str) -> tuple[int, str]:
    """Number and checksum of a state; raises GalleryDamagedError if it is none."""
    number, _, checksum = state.partition(" ")
    if not re.fullmatch("[0-9]{6,9}", number):
        raise GalleryDamagedError(directory / CURRENT, remedy=AGAIN)
    return int(number), checksum


def make_current(directory: Path, state: str) -> None:
    """Replace CURRENT. If the disk does not confirm that, the old one is put back: nothing has been promised yet."""
    path = directory / CURRENT
    before = live_state(directory) if exists(directory) else None
    try:
        write_atomically(path, f"{state}\n", durable=True)
    except OSError:
        if before is None:
            path.unlink(missing_ok=True)
        elif live_state(directory) != before:
            write_atomically(path, f"{before}\n")  # the disk does not confirm, so this is not durable either
        raise

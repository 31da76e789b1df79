"""Telling a file that cannot be read at present, by this user or process, from one that is damaged or missing."""

import errno
from pathlib import Path

from similarity.errors import GalleryDamagedError, GalleryError, GalleryUnreadableError

RIGHTS = frozenset({errno.EACCES, errno.EPERM})
# Too many open files, no memory, or a network drive that is away.
MOMENTARY = frozenset(
    {errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.ESTALE, errno.ENOTCONN, errno.EHOSTDOWN, errno.ETIMEDOUT}
)
GIVE_RIGHTS = "run this as the user who made it, or give this user the right to read it"
TRY_AGAIN = "try again"


def unreadable(place: object, error: BaseException) -> GalleryUnreadableError | None:
    """Return the error for a file or folder, if what reading it raised says nothing of its content; otherwise None."""
    if not isinstance(error, OSError) or error.errno not in RIGHTS | MOMENTARY:
        return None
    remedy = GIVE_RIGHTS if error.errno in RIGHTS else TRY_AGAIN
    return GalleryUnreadableError(f"{error.filename or place} cannot be read ({error.strerror}): {remedy}.")


def is_folder(path: Path) -> bool:
    """Whether there is a folder; raises GalleryUnreadableError if that cannot be known."""
    try:
        return path.is_dir()
    except OSError as error:
        if reason := unreadable(path, error):
            raise reason from error
        raise


def unreadable_or_damaged(
    place: object, error: BaseException, fault: str = "is damaged or missing", remedy: str = ""
) -> GalleryError:
    """Return the error for a file that could not be read; the last two are those of a damaged one."""
    return unreadable(place, error) or GalleryDamagedError(place, fault, remedy)

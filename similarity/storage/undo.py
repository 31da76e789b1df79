"""Undoing one change of a gallery, and no other."""

from pathlib import Path

from similarity.errors import GalleryDamagedError, GalleryError
from similarity.storage.checksums import check_files
from similarity.storage.current import State, live_state, make_current
from similarity.storage.layout import generation_folder
from similarity.storage.live import read_manifest_of
from similarity.storage.locks import writing

CHANGED = "The gallery has changed since: undoing this would undo that change, too. It was left as it is."
GONE = "The state before this change is not there any more, or is damaged: the gallery was left as it is."


def undo_change(directory: Path, *, before: str, after: str) -> None:
    """Make the state before a change the live one again, if nothing has changed since.

    Args:
        before, after: the gallery's states, see `current.live_state`, before and after the change.

    Raises:
        GalleryError: it has changed since, the state before is gone or damaged, or somebody else is writing it.
    """
    with writing(directory, "restore"):
        if live_state(directory) != after:
            raise GalleryError(CHANGED)
        state = State.parse(before, directory)
        folder = generation_folder(directory, state.number)
        try:
            check_files(folder, read_manifest_of(directory, state).files, thorough=True)
        except GalleryDamagedError as error:
            raise GalleryError(GONE) from error
        make_current(directory, state)

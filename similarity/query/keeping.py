"""Which file of a group of duplicates is worth keeping: the largest, the oldest, or one in a folder."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

from similarity.errors import SearchError
from similarity.paths import full_path
from similarity.sources import Item
from similarity.sources.base import files_of

LARGEST, OLDEST = "largest", "oldest"
NEVER = "9999"

Choose = Callable[[Sequence[Item]], Item]


def choose_rule(rule: str, items: Iterable[Item]) -> Choose:
    """Return the function that chooses the file to keep of some files.

    Args:
        rule: `largest`, by pixels; `oldest`, by the camera's date, or else the file's time; or a folder, whose files
            come first, the largest of them. Of equal ones the first by path.
        items: all pictures of the gallery.

    Raises:
        SearchError: it is a folder, or a start of addresses, with no picture of the gallery in it.
    """
    if rule == LARGEST:
        return lambda files: min(files, key=_largest_first)
    if rule == OLDEST:
        return lambda files: min(files, key=_oldest_first)
    starts = _starts(rule)
    if not any(file.path.startswith(starts) for file in files_of(items)):
        raise SearchError(
            f"No picture of the gallery is in {rule!r}: the rule of which to keep is {LARGEST}, {OLDEST}, or a folder "
            "with pictures of the gallery."
        )
    return lambda files: min(files, key=lambda file: (not file.path.startswith(starts), *_largest_first(file)))


def _starts(folder: str) -> tuple[str, ...]:
    """Return what the paths of files in a folder start with, with links resolved and without."""
    if "://" in folder:
        return (f"{folder.rstrip('/')}/",)
    return tuple(f"{str(place).rstrip('/')}/" for place in (full_path(folder), Path(folder).expanduser().absolute()))


def _largest_first(file: Item) -> tuple[Any, ...]:
    return (-file.width * file.height, -file.size, file.path)


def _oldest_first(file: Item) -> tuple[Any, ...]:
    """Put first what the camera says, since copying a file often gives it a new time; both are of a local clock."""
    changed = datetime.fromtimestamp(file.mtime).isoformat(" ") if file.mtime > 0 else NEVER
    return (file.exif.get("taken") or changed, changed, *_largest_first(file))

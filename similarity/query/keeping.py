"""Which file of a group of duplicates is worth keeping: the largest, the oldest, or one in a folder."""

from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from pathlib import Path

from similarity.errors import SearchError
from similarity.paths import SEPARATORS, full_path, without_end
from similarity.sources import Item
from similarity.sources.base import files_of

LARGEST, OLDEST = "largest", "oldest"
NEVER = "9999"
# A file is as large as another from this share of its bytes on: turned or mirrored, it has a few less or more.
NEARLY = 0.98

Choose = Callable[[Sequence[Item]], Item]


def choose_rule(rule: str, items: Iterable[Item]) -> Choose:
    """Return the function that chooses the file to keep of some files.

    Args:
        rule: `largest`, by pixels; `oldest`, by the camera's date, or else the file's time; or a folder, whose files
            come first, the largest of them. Of files as large, to a few bytes, one with a label, or else the first.
        items: all pictures of the gallery.

    Raises:
        SearchError: it is a folder, or a start of addresses, with no picture of the gallery in it.
    """
    if rule == LARGEST:
        return _largest
    if rule == OLDEST:
        return _oldest
    starts = _starts(rule)
    if not any(file.path.startswith(starts) for file in files_of(items)):
        raise SearchError(
            f"No picture of the gallery is in {rule!r}: the rule of which to keep is {LARGEST}, {OLDEST}, or a folder "
            "with pictures of the gallery."
        )
    return lambda files: _largest([file for file in files if file.path.startswith(starts)] or files)


def _starts(folder: str) -> tuple[str, ...]:
    """Return what the paths of files in a folder start with, with links resolved and without."""
    if "://" in folder:
        return (f"{folder.rstrip('/')}/",)
    places = [without_end(str(place)) for place in (full_path(folder), Path(folder).expanduser().absolute())]
    return tuple(f"{place}{separator}" for place in places for separator in SEPARATORS)


def _largest(files: Sequence[Item]) -> Item:
    """Return the largest file: the label is part of what a gallery knows, and lost with a file that only equals it."""
    most = max(_pixels(file) for file in files)
    as_large = [file for file in files if _pixels(file) == most]
    enough = NEARLY * max(file.size for file in as_large)
    return min((file for file in as_large if file.size >= enough), key=lambda file: not file.label)


def _oldest(files: Sequence[Item]) -> Item:
    first = min(map(_age, files))
    return _largest([file for file in files if _age(file) == first])


def _pixels(file: Item) -> int:
    return file.width * file.height


def _age(file: Item) -> tuple[str, str]:
    """Put first what the camera says, since copying a file often gives it a new time; both are of a local clock."""
    changed = datetime.fromtimestamp(file.mtime).isoformat(" ") if file.mtime > 0 else NEVER
    return file.exif.get("taken") or changed, changed

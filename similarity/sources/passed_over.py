"""Folders that are never indexed: recycle bins, snapshots, and thumbnails that network storage and file managers make.

What is left out with them is counted, so that nothing is missing without a word.
"""

import os
from fnmatch import fnmatchcase
from pathlib import Path

# Lower case, since Windows and macOS write them in any: Synology, QNAP, Windows, macOS, Linux, and version control.
FOLDERS = (
    "@eadir",
    "#recycle",
    "#snapshot",
    "@recycle",
    "@recently-snapshot",
    "@tmp",
    ".@__thumb",
    "$recycle.bin",
    "recycler",
    "system volume information",
    ".trash*",
    ".thumbnails",
    "__macosx",
    "lost+found",
    ".git",
)
HIDDEN = "hidden"


def is_passed_over(name: str) -> bool:
    """Whether a folder of this name is never indexed, apart from hidden ones."""
    return any(fnmatchcase(name.lower(), pattern) for pattern in FOLDERS)


def passed_over_part(parts: tuple[str, ...]) -> str:
    """Return the part of a path below a source for which it is left out, `hidden` for other hidden ones, or nothing."""
    named = next(filter(is_passed_over, parts), "")
    return named or (HIDDEN if any(part.startswith(".") for part in parts) else "")


def count_files(folder: Path) -> int:
    """Count the files in a folder and below it; links are not followed."""
    return sum(len(files) for _, _, files in os.walk(folder))

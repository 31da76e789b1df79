"""The differences between files of a group, in plain words. This module draws nothing."""

from similarity.app.wording import wording
from similarity.sources import Item

# Pictures whose sides differ by less are of one size, and of one shape.
NEARLY = 0.02


def facts(file: Item) -> str:
    """Write the size of a picture, and of its file."""
    pixels = f"{file.width:,} × {file.height:,}" if file.width and file.height else ""
    return " · ".join(filter(None, (pixels, wording.size(file.size) if file.size else "")))


def compare(file: Item, kept: Item) -> list[str]:
    """Say how a file differs from the one that is kept; "same size" if there is nothing else to say."""
    if file.sha256 and file.sha256 == kept.sha256:
        return ["same bytes"]
    return _compare_sizes(file, kept) or ["same size"]


def _compare_sizes(file: Item, kept: Item) -> list[str]:
    ours, theirs = (one.width * one.height for one in (file, kept))
    if not (ours and theirs):
        return []
    if abs(ours - theirs) > NEARLY * theirs:
        return ["smaller" if ours < theirs else "larger"]
    if abs(file.size - kept.size) <= NEARLY * kept.size:
        return []
    return ["smaller file" if file.size < kept.size else "larger file"]

"""The differences between files of a group, in plain words. This module draws nothing."""

from typing import TYPE_CHECKING

from similarity.app.wording import wording
from similarity.images.picture import Box
from similarity.query.copy_facts import UPRIGHT, WHOLE, is_part
from similarity.query.near_duplicates import Group
from similarity.sources import Item

if TYPE_CHECKING:
    # It loads OpenCV, which only a second look needs.
    from similarity.query.copies import Copy

# Pictures whose sizes differ by less are of one size.
NEARLY = 0.02
ALL = Box(0, 0, 1, 1)
CROPPED, SHOWS_MORE = "cropped", "shows more"


def facts(file: Item) -> str:
    """Write the size of a picture, and of its file."""
    pixels = f"{file.width:,} × {file.height:,}" if file.width and file.height else ""
    return " · ".join(filter(None, (pixels, wording.size(file.size) if file.size else "")))


def compare(group: Group, file: Item, kept: Item) -> list[str]:
    """Say how a file of a group differs from the one that is kept."""
    if file.sha256 and file.sha256 == kept.sha256:
        return ["same bytes"]
    changes = compare_shown(group, file, kept)
    return [*changes, *_compare_sizes(file, kept, changes)] or ["same size"]


def compare_shown(group: Group, file: Item, kept: Item) -> list[str]:
    """Say how a file of a group shows its picture in another way than the one that is kept, as far as that is known."""
    if not any(group.copies):
        return []
    ours, theirs = (group.copies[group.files.index(one)] for one in (file, kept))
    return [*_compare_parts(ours, theirs), *_compare_turns(ours, theirs)]


def _compare_parts(copy: "Copy | None", kept: "Copy | None") -> list[str]:
    """Compare which part of the first picture of their group two others show, and whether they show more than that."""
    ours, theirs = (one.result_box if one else ALL for one in (copy, kept))
    has_more, kept_has_more = (one is not None and is_part(one.query_box) for one in (copy, kept))
    common = _common_area(ours, theirs)
    lacks = common < WHOLE**2 * _common_area(theirs, theirs) or (kept_has_more and not has_more)
    adds = common < WHOLE**2 * _common_area(ours, ours) or (has_more and not kept_has_more)
    return [*([CROPPED] if lacks else []), *([SHOWS_MORE] if adds else [])]


def _compare_turns(copy: "Copy | None", kept: "Copy | None") -> list[str]:
    """Compare how two pictures are turned and mirrored against the first one of their group.

    Each is turned, and then mirrored; two mirrors undo each other, and in a mirror a turn goes the other way.
    """
    turns = [one.rotation if one else 0.0 for one in (copy, kept)]
    mirrors = [bool(one and one.mirrored) for one in (copy, kept)]
    turn = abs((turns[0] - turns[1] + 180) % 360 - 180)
    right = 90 * round(turn / 90)
    turn = right if abs(turn - right) < UPRIGHT else round(turn)
    return [*(["mirrored"] if mirrors[0] != mirrors[1] else []), *([f"turned {turn:d}°"] if turn else [])]


def _compare_sizes(file: Item, kept: Item, changes: list[str]) -> list[str]:
    """Compare numbers of pixels, or else sizes of the files; what shows less has fewer pixels anyway."""
    ours, theirs = (one.width * one.height for one in (file, kept))
    if not (ours and theirs) or CROPPED in changes or SHOWS_MORE in changes:
        return []
    if abs(ours - theirs) > NEARLY * theirs:
        return ["smaller" if ours < theirs else "larger"]
    if changes or abs(file.size - kept.size) <= NEARLY * kept.size:
        return []
    return ["smaller file" if file.size < kept.size else "larger file"]


def _common_area(one: Box, other: Box) -> float:
    """Return the area that two boxes have in common."""
    width = min(one.right, other.right) - max(one.left, other.left)
    height = min(one.bottom, other.bottom) - max(one.top, other.top)
    return max(0.0, width) * max(0.0, height)

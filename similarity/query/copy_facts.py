"""What a second look found, in words and as JSON has it: the same on the command line, on pages and in files."""

from typing import TYPE_CHECKING, Any

from similarity.images.picture import Box

if TYPE_CHECKING:
    # It loads OpenCV, which only a second look needs.
    from similarity.query.copies import Copy

FOUND = "This very picture is in the gallery."
SAME = "same picture"
# Degrees below which a picture is upright, and the share of a picture's sides from which it is shown whole.
UPRIGHT, WHOLE = 2.0, 0.95


def describe(copy: "Copy | None") -> str:
    """Return `same picture` and what was done to it, as in `same picture: cropped, turned 90°`.

    Empty for another picture.
    """
    if copy is None or not copy.is_proven:
        return ""
    changes = changes_of(copy)
    return f"{SAME}: {', '.join(changes)}" if changes else SAME


def changes_of(copy: "Copy") -> list[str]:
    """Return what was done to the picture of the gallery to make the query of it, each in some words."""
    # Which way it was turned, and from which of the two, is more than some words can say; JSON says it.
    turn = abs(round(copy.rotation))
    return [
        *(["cropped"] if is_part(copy.result_box) else []),
        *(["part of your picture"] if is_part(copy.query_box) else []),
        *(["mirrored"] if copy.mirrored else []),
        *([f"turned {turn}°"] if abs(copy.rotation) >= UPRIGHT else []),
    ]


def to_json(copy: "Copy | None") -> dict[str, Any] | None:
    """Return what was found of a hit as JSON has it; boxes are left, top, right and bottom, as shares of a picture."""
    if copy is None:
        return None
    return {
        "probability": round(copy.probability, 4),
        "rotation": round(copy.rotation, 1),
        "mirrored": copy.mirrored,
        "query_box": corners(copy.query_box),
        "result_box": corners(copy.result_box),
    }


def corners(box: Box) -> list[float]:
    """Return the left, top, right and bottom of a box, as shares of a picture."""
    return [round(share, 4) for share in (box.left, box.top, box.right, box.bottom)]


def is_part(box: Box) -> bool:
    """Whether a box is less than the whole picture."""
    return (box.right - box.left) * (box.bottom - box.top) < WHOLE * WHOLE

"""What a second look found, in words and as JSON has it: the same on the command line, on pages and in files."""

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Sequence

    # They load Pillow and OpenCV, which the command line's start does without.
    from similarity.images.picture import Box
    from similarity.query.copies import Copy

FOUND = "This very picture is in the gallery."
SAME, PART = "same picture", "part of your picture"
# Degrees of half a turn.
HALF = 180
# Degrees below which a picture is upright, and the share of a picture's sides from which it is shown whole.
UPRIGHT, WHOLE = 2.0, 0.95
# The share of a picture's area below which what is shown of it is a part of it, not the picture with its edges cut.
CUT = 0.5


def describe(copy: "Copy | None") -> str:
    """Return what a picture is of the query, and what was done, as in `same picture: cropped, turned 90° left`.

    It is `part of your picture` if the query shows more than it. Empty for another picture.
    """
    if copy is None or not copy.is_proven:
        return ""
    is_within = is_part(copy.query_box)
    return ": ".join(filter(None, (PART if is_within else SAME, ", ".join(changes_of(copy)))))


def changes_of(copy: "Copy") -> list[str]:
    """Return what was done to the picture of the gallery to make the query of it, each in some words."""
    return [
        *(["cropped"] if is_part(copy.result_box) else []),
        *([_describe_turn(copy.rotation)] if abs(copy.rotation) >= UPRIGHT else []),
        *(["mirrored"] if copy.mirrored else []),
    ]


def tell(copies: "Sequence[Copy]") -> str:
    """Return the verdict on a query of which there are proven copies, such as FOUND, without a full stop.

    Where the query and the picture have little in common, they are not called the same: one is a part of the other.
    """
    if all(is_part(copy.query_box) for copy in copies):
        parts = "A part of your picture is" if len(copies) == 1 else "Parts of your picture are"
        return f"{parts} in the gallery"
    if all(_area(copy.result_box) < CUT for copy in copies):
        return "Your picture is part of one in the gallery"
    return FOUND.rstrip(".")


def to_json(copy: "Copy | None") -> dict[str, Any] | None:
    """Return what was found of a hit as JSON has it; boxes are left, top, right and bottom, as shares of a picture."""
    if copy is None:
        return None
    return {
        "probability": round(copy.probability, 4),
        "rotation": round(copy.rotation, 1) + 0.0,  # never -0.0
        "mirrored": copy.mirrored,
        "query_box": corners(copy.query_box),
        "result_box": corners(copy.result_box),
    }


def corners(box: "Box") -> list[float]:
    """Return the left, top, right and bottom of a box, as shares of a picture."""
    return [round(share, 4) for share in (box.left, box.top, box.right, box.bottom)]


def is_part(box: "Box") -> bool:
    """Whether a box is less than the whole picture."""
    return _area(box) < WHOLE * WHOLE


def _area(box: "Box") -> float:
    return (box.right - box.left) * (box.bottom - box.top)


def _describe_turn(rotation: float) -> str:
    """Return how a query is turned, from degrees clockwise."""
    degrees = abs(round(rotation))
    return "upside down" if degrees == HALF else f"turned {degrees}° {'right' if rotation > 0 else 'left'}"

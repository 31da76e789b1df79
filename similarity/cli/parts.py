"""Parts of pictures among the hits of a `search`, in words."""

from typing import TYPE_CHECKING

from similarity.cli import terminal

if TYPE_CHECKING:
    from similarity.gallery import Gallery
    from similarity.images.picture import Box
    from similarity.query.options import SearchOptions

# Centres of a part between these shares of a side are in the middle.
MIDDLE = (0.4, 0.6)


def prepare(gallery: "Gallery", options: "SearchOptions") -> None:
    """Prepare parts that are searched for the first time, with a bar that shows how far that is."""
    if options.parts:
        with terminal.indexing() as progress:
            gallery.prepare_parts(progress)


def describe(part: "Box | None") -> str:
    """Return where in a picture a part is, as in `top left`; empty for the whole picture."""
    if part is None:
        return ""
    down = _side((part.top + part.bottom) / 2, "top", "bottom")
    across = _side((part.left + part.right) / 2, "left", "right")
    return f"{down} {across}".strip() or "middle"


def _side(centre: float, first: str, last: str) -> str:
    return first if centre < MIDDLE[0] else last if centre > MIDDLE[1] else ""

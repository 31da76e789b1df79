"""Objects in the query's picture, as chips to search with."""

import logging
from collections.abc import Callable, Sequence

from similarity.app.components import chips
from similarity.app.search.query_parts import Example
from similarity.app.serving import query_objects
from similarity.app.shell import links
from similarity.app.shell.links import TEXT, Link
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.images.picture import Box, QueryFile

TITLE, ALL = "Search with an object in it", "All of them"
# How far two boxes may differ and be the same: an address keeps four digits.
SAME_BOX = 0.002

logger = logging.getLogger(__name__)


def find(gallery: Gallery, example: Example) -> list[Box]:
    """Find the objects in a picture of the query; none in words, or if this model cannot tell."""
    if example.part.kind == TEXT:
        return []
    try:
        return query_objects.find(gallery, QueryFile(example.preview, example.title))
    except SimilarityError as error:
        logger.info("No objects in a query of %s: %s", gallery.name, error)
        return []


def show_chips(gallery: Gallery, example: Example, on_crop: Callable[[Box | None], None], *, can_group: bool) -> None:
    """Draw a chip for each object in a picture, if there are any.

    Args:
        on_crop: called with the box of an object that was tapped, or None if it is the one searched with.
        can_group: whether all objects can be searched with at once.
    """
    boxes = find(gallery, example)
    if not boxes:
        return
    is_all = can_group and is_grouped(links.read())
    active = next((at for at, box in enumerate(boxes) if _is_same(box, example.part.box)), None)

    def choose(place: int) -> None:
        if place == len(boxes):
            links.ask_with_objects(not is_all)
        else:
            on_crop(None if place == active else boxes[place])

    chips.show(
        query_objects.thumbnails(example.preview, boxes),
        [_name(number, boxes) for number in range(1, len(boxes) + 1)],
        len(boxes) if is_all else active,
        choose,
        title=TITLE,
        key=f"objects-{example.part.kind}-{example.part.value}",
        further=ALL if can_group and len(boxes) > 1 else "",
    )


def is_grouped(link: Link) -> bool:
    """Whether a search asks for results of each object in its only picture."""
    return link.objects and len(link.like) == 1 and not link.unlike and link.like[0].box is None


def are_grouped(gallery: Gallery, example: Example | None, link: Link) -> bool:
    """Whether there are objects in a search's only picture, and results of each are asked for."""
    return bool(example and is_grouped(link) and find(gallery, example))


def _name(number: int, boxes: Sequence[Box]) -> str:
    return f"Object {number:d} of {len(boxes)}"


def _is_same(one: Box, other: Box | None) -> bool:
    if other is None:
        return False
    pairs = ((one.left, other.left), (one.top, other.top), (one.right, other.right), (one.bottom, other.bottom))
    return all(abs(first - second) < SAME_BOX for first, second in pairs)

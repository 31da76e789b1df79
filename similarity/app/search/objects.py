"""Chips for the parts of the query's picture: the whole, one of the objects in it, or each of them."""

import logging
from collections.abc import Callable, Sequence

from similarity.app.components import chips
from similarity.app.search.copies import EVERYTHING
from similarity.app.search.query_parts import Example
from similarity.app.serving import query_objects
from similarity.app.shell import links
from similarity.app.shell.parameters import TEXT, Link
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.images.picture import Box, QueryFile

TITLE, WHOLE, EACH = "Search with", "The whole picture", "Each object"
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


def show_chips(gallery: Gallery, example: Example, on_crop: Callable[[Box | None], None], *, can_group: bool) -> bool:
    """Draw a chip for a picture and one for each object in it; returns whether there are any objects.

    Args:
        on_crop: called with the box of an object that was tapped, or None for the whole picture.
        can_group: whether results of each object can be shown.
    """
    boxes = find(gallery, example)
    if not boxes:
        return False
    is_each = can_group and is_grouped(links.read())
    choices = [None, *boxes]
    active = next((at for at, box in enumerate(choices) if _is_same(box, example.part.box)), None)

    def choose(place: int) -> None:
        if place == len(choices):
            links.ask_with_objects()
        else:
            on_crop(choices[place])

    chips.show(
        query_objects.thumbnails(example.preview, [EVERYTHING, *boxes]),
        [WHOLE, *(_name(number, boxes) for number in range(1, len(boxes) + 1))],
        len(choices) if is_each else active,
        choose,
        title=TITLE,
        key=f"objects-{example.part.kind}-{example.part.value}",
        further=EACH if can_group and len(boxes) > 1 else "",
    )
    return True


def is_grouped(link: Link) -> bool:
    """Whether a search asks for results of each object in its only picture."""
    return link.objects and len(link.like) == 1 and not link.unlike and link.like[0].box is None


def are_grouped(gallery: Gallery, example: Example | None, link: Link) -> bool:
    """Whether there are objects in a search's only picture, and results of each are asked for."""
    return bool(example and is_grouped(link) and find(gallery, example))


def _name(number: int, boxes: Sequence[Box]) -> str:
    return f"Object {number:d} of {len(boxes)}"


def _is_same(one: Box | None, other: Box | None) -> bool:
    if one is None or other is None:
        return one is other
    pairs = ((one.left, other.left), (one.top, other.top), (one.right, other.right), (one.bottom, other.bottom))
    return all(abs(first - second) < SAME_BOX for first, second in pairs)

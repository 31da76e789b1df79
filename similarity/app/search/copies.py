"""Copies among the results: the second look at the first of them, their order, and the words on a page."""

import io
import logging
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

import streamlit as st
from PIL import Image, ImageOps

from similarity.app.components.tiles import Tile
from similarity.app.search.query_parts import Example
from similarity.app.serving import previews
from similarity.app.serving.computing import take_turn
from similarity.app.serving.resources import gallery_key
from similarity.app.shell.parameters import TEXT, Link
from similarity.errors import SimilarityError
from similarity.exports.outline import outline
from similarity.gallery import Gallery
from similarity.images.decoding import thumbnail
from similarity.images.keypoints import MAX_QUERY
from similarity.images.picture import Box
from similarity.query import copy_facts
from similarity.query.copies import Copy, QueryKeypoints, put_copies_first
from similarity.query.gallery_copies import look_again
from similarity.query.turns import turn_box
from similarity.search import Hit

# Results that are looked at a second time: 250 ms at most for these, where their local features are stored.
CANDIDATES = 50

logger = logging.getLogger(__name__)


@dataclass(slots=True, eq=False)
class Found:
    """What a second look found, or has found so far: downloads of results that are shown before it have what it adds.

    Attributes:
        is_made: whether there was one.
        copies: what was found, by the id of a picture; of others, nothing was.
    """

    is_made: bool = False
    copies: Mapping[str, Copy] = field(default_factory=dict)

    @property
    def proven(self) -> list[Copy]:
        """The copies that are called the same picture."""
        return [copy for copy in self.copies.values() if copy.is_proven]

    def of(self, item_id: str) -> Copy | None:
        """The proven copy that a picture is; None for another picture."""
        copy = self.copies.get(item_id)
        return copy if copy and copy.is_proven else None


NOT_LOOKED = Found()
EVERYTHING = Box(0.0, 0.0, 1.0, 1.0)


def known_at_once(hits: Sequence[Hit], like: Sequence[Example]) -> Found:
    """Return the hits that are the query's very file, which need no second look."""
    contents = {one.sha256 for one in like[:1] if one.sha256 and not one.part.box}
    exact = Copy(1.0, 0.0, False, EVERYTHING, EVERYTHING, inliers=MAX_QUERY)
    return Found(copies={hit.item.id: exact for hit in hits[:CANDIDATES] if hit.item.sha256 in contents})


def put_first(
    gallery: Gallery, hits: Sequence[Hit], like: Sequence[Example], link: Link
) -> tuple[Sequence[Hit], Found]:
    """Look at the first results a second time, and put those first that are the query's very picture.

    If it cannot be done, or is turned off, results stay as they are.
    """
    if not can_be_among(hits, link):
        return hits, NOT_LOOKED
    looked_at, known = hits[:CANDIDATES], known_at_once(hits, like)
    try:
        # As it was given: local features do not mind a turn, and what is said of a copy is about that picture.
        copies = _look(gallery, replace(like[0], turned=0), looked_at)
    except (SimilarityError, OSError) as error:
        logger.warning("The results of %s cannot be looked at a second time: %s", gallery.directory, error)
        return hits, known
    copies = [known.of(hit.item.id) or copy for hit, copy in zip(looked_at, copies, strict=True)]
    ordered = put_copies_first(hits, [*copies, *[None] * (len(hits) - len(looked_at))])
    return [hit for hit, _ in ordered], Found(True, {hit.item.id: copy for hit, copy in ordered if copy})


def can_be_among(hits: Sequence[Hit], link: Link) -> bool:
    """Whether the query's very picture may be among results, and is to be looked for."""
    return bool(hits) and link.copies and can_have_copies(link)


def can_have_copies(link: Link) -> bool:
    """Whether the query is of pictures: words have no pixels, and ask for something else than the picture itself."""
    return bool(link.like) and all(part.kind != TEXT for part in (*link.like, *link.unlike))


def mark_tile(tile: Tile, copy: Copy) -> Tile:
    """Mark the tile of a proven copy, in place of a probability, which says less."""
    return tile | {"copy": badge(copy), "hint": f"{tile['hint']} ({copy_facts.describe(copy)})"}


def badge(copy: Copy) -> str:
    """Return the words on a proven copy, as in `Same picture: yours is cropped, turned 90° left`."""
    changes = ", ".join(copy_facts.changes_of(copy))
    if copy_facts.is_part(copy.query_box):
        return ": ".join(filter(None, (copy_facts.PART.capitalize(), changes)))
    return f"{copy_facts.SAME.capitalize()}: yours is {changes}" if changes else copy_facts.SAME.capitalize()


def explain(copy: Copy) -> str:
    """Return what the outlines on a query and a result are, as Markdown."""
    is_within = copy_facts.is_part(copy.query_box)
    is_whole = not (is_within or copy_facts.is_part(copy.result_box))
    shown = "Both show the whole picture." if is_whole else "The outlines show what both have in common."
    title, whose = (copy_facts.PART, "There it is") if is_within else (copy_facts.SAME, "Yours is")
    changes = ", ".join(copy_facts.changes_of(copy))
    return f"**{title.capitalize()}.** {f'{whose} {changes}. ' if changes else ''}{shown}"


def query_box(copy: Copy, example: Example) -> Box:
    """Return the part of the query that a copy shows, in the turn in which the query is drawn."""
    return turn_box(copy.query_box, example.turned)


def outlined(jpeg: bytes, box: Box | None) -> bytes:
    """Draw an outline around a part of a JPEG, if there is one; enlarged, so that the line is a fine one."""
    if box is None:
        return jpeg
    with Image.open(io.BytesIO(jpeg), formats=["JPEG"]) as picture:
        enlarged = ImageOps.contain(picture, (previews.PREVIEW_SIDE, previews.PREVIEW_SIDE))
        return thumbnail(outline(enlarged, box), side=previews.PREVIEW_SIDE)


def _picture_key(example: Example) -> object:
    """Return the cache key of the picture that is searched with, whatever its name."""
    return example.preview, example.part.box


def _hit_key(hit: Hit) -> str:
    return hit.item.id


KEYS: dict[str | type[Any], Callable[[Any], Any]] = {Gallery: gallery_key, Example: _picture_key, Hit: _hit_key}


@st.cache_resource(max_entries=64, show_spinner=False, hash_funcs=KEYS)
def _look(gallery: Gallery, example: Example, hits: Sequence[Hit]) -> list[Copy | None]:
    """Look at hits a second time, once for all times that they are drawn."""
    keypoints = _find_keypoints(example)
    with take_turn():
        return look_again(gallery, keypoints, [hit.item for hit in hits])


@st.cache_resource(max_entries=16, show_spinner=False, hash_funcs=KEYS)
def _find_keypoints(example: Example) -> QueryKeypoints:
    """Find the local features of the picture that is searched with."""
    with take_turn(), Image.open(io.BytesIO(example.cropped), formats=["JPEG"]) as image:
        return QueryKeypoints.of(image)

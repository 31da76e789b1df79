"""One query in several galleries: what each finds, and on what they agree."""

from collections.abc import Sequence
from dataclasses import dataclass

from similarity.app.links import ITEM, Link, Part
from similarity.app.search import examples
from similarity.errors import SearchError
from similarity.gallery import Gallery
from similarity.originals import read_original
from similarity.search import Hit

RESULTS = 10


@dataclass(frozen=True, slots=True)
class Side:
    """A gallery with its answer, best first."""

    gallery: Gallery
    hits: Sequence[Hit]

    def rank_of(self, content: str) -> int | None:
        """The rank of the picture with a SHA-256, if it is in the answer."""
        return next((hit.rank for hit in self.hits if hit.item.sha256 == content), None)


def hold(galleries: Sequence[Gallery], link: Link) -> list[Side]:
    """Search all galleries for the same.

    Args:
        galleries: the first is the one that pictures in the link are of.

    Raises:
        SimilarityError: a picture of the query cannot be had, or a model cannot be loaded.
    """
    return [Side(gallery, _search(galleries[0], gallery, link)) for gallery in galleries]


def in_common(sides: Sequence[Side]) -> set[str]:
    """The SHA-256 of the pictures that all answers have."""
    found = [{hit.item.sha256 for hit in side.hits} for side in sides]
    return set.intersection(*found)


def _search(first: Gallery, gallery: Gallery, link: Link) -> list[Hit]:
    like, unlike = (
        [examples.find(gallery, _there(first, gallery, part)) for part in parts] for parts in (link.like, link.unlike)
    )
    vector = examples.query_vector(gallery, like, unlike)
    return gallery.search_vector(vector, RESULTS, accuracy=link.accuracy)


def _there(first: Gallery, gallery: Gallery, part: Part) -> Part:
    """A picture of one gallery as another one knows it: by its content; if it is not there, it is shown to it."""
    if part.kind != ITEM or gallery is first:
        return part
    item = first.find(part.value)
    try:
        return Part(ITEM, gallery.find(item.sha256).public_id, part.box)
    except SearchError:
        shown = examples.keep_upload(read_original(item))
        return Part(shown.kind, shown.value, part.box)

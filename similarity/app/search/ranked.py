"""Ranked results of a query: searched with what the address asks for, put in its order, and drawn as tiles."""

from collections.abc import Callable, Sequence

from similarity.app.components import tiles
from similarity.app.components.tiles import Tile
from similarity.app.search import confidence, copies, parts
from similarity.app.search.copies import Found
from similarity.app.search.query_parts import Example
from similarity.app.serving import resources
from similarity.app.serving.access import item_for_visitor, redactor
from similarity.app.shell.parameters import ITEM, Link
from similarity.evaluation.confidence.estimate import Chances
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.vectors.arrays import Vectors

# The last rank that can be reached by paging.
MAX_RESULTS = 1000


def search(
    gallery: Gallery,
    vector: Vectors,
    link: Link,
    like: Sequence[Example] = (),
    unlike: Sequence[Example] = (),
    *,
    most: int = MAX_RESULTS,
) -> list[Hit]:
    """Search with a vector, and the filters of an address.

    Args:
        like: examples, whose own files come first among equals.
        unlike: counter-examples, which are left out.
        most: the number of results.

    Raises:
        SearchError: a filter makes no sense. StoreError: the gallery's store cannot be asked.
    """
    unwanted = [example.part.value for example in unlike if example.part.kind == ITEM and not example.part.box]
    if link.exclude_query:
        unwanted += [
            example.sha256 for example in like if example.sha256 and gallery.items.find(example.sha256) is not None
        ]
    parts.prepare(gallery, link)
    return gallery.search_vector(
        vector,
        most,
        where=resources.facets(gallery).original(link.where),
        exclude_ids=unwanted,
        min_score=link.min_score or -1.0,
        distinct=link.distinct,
        one_per_product=link.one_per_product,
        parts=parts.are_searched(gallery, link),
        accuracy=link.accuracy,
        query_contents=[example.sha256 for example in like if example.sha256 and not example.part.box],
    )


def in_order(gallery: Gallery, hits: Sequence[Hit], by: str) -> Sequence[Hit]:
    """Put results in the order of a column, as the visitor sees it."""
    if not by:
        return hits
    redact = redactor()
    places = resources.facets(gallery).sort([item_for_visitor(hit.item, redact) for hit in hits], by)
    return [hits[place] for place in places]


def tile(
    gallery: Gallery,
    hit: Hit,
    chances: Chances | None,
    precision: float | None,
    found: Found,
    redact: Callable[[str], str] | None = None,
    *,
    effect: str = tiles.LOOK,
) -> Tile:
    """Make the tile of a result: of a copy it says so, and of others how likely they are right; see `tiles.of_hit`."""
    made, copy = tiles.of_hit(gallery, hit, redact, effect), found.of(hit.item.id)
    marked = copies.mark_tile(made, copy) if copy else confidence.label_tile(made, hit, chances, precision)
    return parts.hint_at(marked, hit, copy)

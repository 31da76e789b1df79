"""What is searched for, in one strip above the results: on a telephone the query, and everywhere the filters."""

from collections.abc import Sequence

from similarity.app.components import query_strip
from similarity.app.components.query_strip import Thumb
from similarity.app.search.active_filters import list_filters
from similarity.app.search.query_parts import Example
from similarity.app.serving import previews
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell.parameters import Link

SIDE = 96  # pixels, for 48 of a screen that has two for each


def show(like: Sequence[Example], unlike: Sequence[Example], link: Link) -> None:
    """Draw the strip; without examples only the filters."""
    active = list_filters(link)

    def remove(place: int) -> None:
        if place < len(active):
            active[place].remove()

    thumbs = [*(_thumb(one, is_wanted=True) for one in like), *(_thumb(one, is_wanted=False) for one in unlike)]
    query = "\n".join(map(str, (*link.like, *link.unlike, link.objects, link.turned)))
    query_strip.show(thumbs, [one.text for one in active], remove, query=query)


def _thumb(example: Example, *, is_wanted: bool) -> Thumb:
    name = example.name or "A picture"
    return Thumb(
        src=previews.small_address(example.cropped, SIDE),
        alt=text_for_visitor(name if is_wanted else f"Not like {name}"),
        wanted=is_wanted,
    )

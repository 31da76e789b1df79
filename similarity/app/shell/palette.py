"""The palette of every page: its galleries, pages, samples and actions, and what choosing one does."""

from collections import Counter
from collections.abc import Iterator, Mapping

import streamlit as st
from streamlit.navigation.page import StreamlitPage

from similarity.app.components import palette
from similarity.app.components.palette import Choice, Entry
from similarity.app.serving.access import may_manage, text_for_visitor
from similarity.app.shell import links, navigation, parameters
from similarity.app.shell.gallery_choice import CHOSEN
from similarity.app.shell.parameters import Link, Part
from similarity.errors import SimilarityError
from similarity.sample import SAMPLE, sample_queries
from similarity.storage.inventory import list_galleries

START_OVER, NEW_GALLERY = "start-over", "new-gallery"
# Pages that show the gallery of their address; from the others, a gallery opens in the search.
SHOW_A_GALLERY = ("", "map", "evaluate", "train", "faceoff", "everywhere", "duplicates")


def show(pages: Mapping[str, StreamlitPage]) -> None:
    """Draw the palette, closed, and do what has just been chosen in it.

    Args:
        pages: all pages by name; those that are hidden from the visitor are not offered.
    """
    names = _gallery_names()
    chosen = palette.show([*_entries(pages, names)])
    if chosen:
        _do(chosen, pages, names)


def _gallery_names() -> list[str]:
    """Return the names of the galleries, none of which is opened for it."""
    try:
        return [directory.name for directory in list_galleries()]
    except SimilarityError:  # the page says what is wrong
        return []


def _entries(pages: Mapping[str, StreamlitPage], galleries: list[str]) -> Iterator[Entry]:
    for name, page in pages.items():
        if page.visibility == "visible":
            yield Entry(kind="page", value=name, group="Pages", name=page.title)
    for name in galleries:
        yield Entry(kind="gallery", value=name, group="Galleries", name=text_for_visitor(name))
    yield Entry(kind="action", value=START_OVER, group="Actions", name="Start over")
    if may_manage():
        yield Entry(kind="action", value=NEW_GALLERY, group="Actions", name="New gallery…")
    if SAMPLE in galleries:
        yield from _samples()


def _samples() -> Iterator[Entry]:
    """Yield the samples, numbered where several have one label."""
    seen: Counter[str] = Counter()
    for item in sample_queries():
        title = (item.label or item.id).replace("-", " ").capitalize()
        seen[title] += 1
        name = f"{title} {seen[title]}" if seen[title] > 1 else title
        yield Entry(kind="sample", value=item.id, group="Samples", name=text_for_visitor(name))


def _do(choice: Choice, pages: Mapping[str, StreamlitPage], galleries: list[str]) -> None:
    match choice:
        case "page", name if name in pages:
            navigation.go(name)
        case "gallery", name if name in galleries:
            _change_gallery(name)
        case "sample", sample:
            navigation.go("search", Link(gallery=SAMPLE, like=(Part(parameters.SAMPLE, sample),)).parameters())
        case "action", str(action) if action == START_OVER:
            navigation.forget_search()
            navigation.go("search", Link(gallery=links.read().gallery or st.session_state.get(CHOSEN)).parameters())
        case "action", str(action) if action == NEW_GALLERY:
            navigation.go("galleries", {"new": "1"})


def _change_gallery(name: str) -> None:
    """Show another gallery on the same page, or in the search, with the query that there is."""
    if st.session_state.get(navigation.ON) in SHOW_A_GALLERY:
        links.change_gallery(name)
    else:
        navigation.go("search", parameters.in_gallery(navigation.last_link(), name).parameters())

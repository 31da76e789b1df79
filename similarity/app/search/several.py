"""Several queries at once: a table of them with their first results, each with a way to open it as a search."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

import streamlit as st

from similarity.app.components import tiles
from similarity.app.components.tiles import Tile
from similarity.app.components.titles import is_readable
from similarity.app.search import confidence, copies, filters, notices, query_panel, query_parts, query_strip, ranked
from similarity.app.search.exports import Download, show_downloads
from similarity.app.search.query_parts import Example
from similarity.app.serving import drawing, previews, resources, session_uploads
from similarity.app.serving.access import item_for_visitor, place_for_visitor, redactor, text_for_visitor
from similarity.app.shell import links
from similarity.app.shell.parameters import MAX_EACH, UPLOAD, Link, Part
from similarity.app.wording.messages import as_markdown, error_as_markdown
from similarity.errors import ImageError, SearchError, SimilarityError, StoreError
from similarity.evaluation.confidence.estimate import Chances
from similarity.exports import queries
from similarity.exports.queries import Answered
from similarity.exports.results import to_rows
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.text import plain

# Results of each query, and the longer side of its picture in pixels.
SHOWN, SIDE = 5, 300
OPENS = "open the search"  # what a click does


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a query.

    Attributes:
        part: the query, as it is in the address.
        title: its name.
        example: the query, loaded; None if it cannot be.
        hits: its first results.
        chances: what is known of how likely they are right.
        error: why there are none; None if it was searched with.
    """

    part: Part
    title: str
    example: Example | None = None
    hits: Sequence[Hit] = ()
    chances: Chances | None = None
    error: SimilarityError | None = None


@drawing.fragment
def show(gallery: Gallery) -> None:
    """Draw the table."""
    link = links.read()
    if not link.each:  # one was opened, or all are left: the rest of the page is drawn anew, too
        st.rerun()
    st.subheader(f"{len(link.each)} searches" if len(link.each) > 1 else "1 search", anchor=False)
    if len(link.each) == MAX_EACH:
        st.caption(f"{MAX_EACH} pictures at most are searched at once.")
    outcomes = _search_all(gallery, link)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="toolbar"):
        st.button("Start over", icon=":material/restart_alt:", on_click=query_panel.start_over)
        filters.show(resources.facets(gallery), link, is_exact=gallery.is_exact, has_parts=gallery.manifest.parts)
        _show_export(gallery, outcomes)
        query_strip.show((), (), link)
    for number, outcome in enumerate(outcomes, 1):
        _show_row(gallery, outcome, number, link)
    notices.show(gallery, link)


def _search_all(gallery: Gallery, link: Link) -> list[Outcome]:
    """Search with each query in turn; one that fails does not stop the others."""
    place, outcomes = st.empty(), []
    for number, part in enumerate(link.each):
        place.progress(number / len(link.each), f"Searching {number + 1:d} of {len(link.each):d} …")
        outcomes.append(_search(gallery, part, link))
    place.empty()
    return outcomes


def _search(gallery: Gallery, part: Part, link: Link) -> Outcome:
    try:
        example = query_parts.load(gallery, part)
    except SimilarityError as error:
        file = session_uploads.find_upload(part.value) if part.kind == UPLOAD else None
        return Outcome(part, file.name if file else "Picture", error=error)
    try:
        vector = query_parts.query_vector(gallery, [example], ())
        chances = confidence.estimate(gallery, [example], (), vector, link)
        hits = ranked.search(gallery, vector, link, [example], most=SHOWN)
    except (SearchError, StoreError) as error:
        return Outcome(part, example.title, example, error=error)
    return Outcome(part, example.title, example, hits, chances)


def _show_row(gallery: Gallery, outcome: Outcome, number: int, link: Link) -> None:
    """Draw a query and its first results."""

    def open_search(_: str = "") -> None:
        links.set_query((outcome.part,), ())

    is_named = is_readable(outcome.title)
    with st.container(border=True, key=f"several-{number}"):
        left, right = st.columns([1, 5])
        with left:
            st.markdown(f"**{as_markdown(plain.short(outcome.title if is_named else f'Picture {number:d}'))}**")
            if outcome.example:
                icon, key = ":material/search:", f"open-{number}"
                st.button("Open search", icon=icon, key=key, on_click=open_search)
        with right:
            if outcome.error:
                st.error(_explain(outcome.error), icon=":material/error:")
            if outcome.example:
                drawn = [_query_tile(outcome.example), *_result_tiles(gallery, outcome, link)]
                tiles.show(drawn, open_search, key=f"results-{number}", is_small=True)
                if not (outcome.hits or outcome.error):
                    st.caption("No picture meets these conditions.")


def _explain(error: SimilarityError) -> str:
    """Return why a query cannot be used, without its name, which stands above."""
    if isinstance(error, ImageError):
        return as_markdown(f"This file {error.reason}")
    return error_as_markdown(error)


def _query_tile(example: Example) -> Tile:
    title = text_for_visitor(example.name)
    return Tile(
        id="query",
        src=previews.small_address(example.cropped, SIDE),
        alt=f"Your picture: {title}" if title else "Your picture",
        rank="",
        score=None,
        label="Your picture",
        name="",
        note="",
        mark="query",
        hint=text_for_visitor(tiles.hint(title, OPENS)),
    )


def _result_tiles(gallery: Gallery, outcome: Outcome, link: Link) -> list[Tile]:
    like = [outcome.example] if outcome.example and link.copies else []
    found = copies.known_at_once(outcome.hits, like)
    return [ranked.tile(gallery, hit, outcome.chances, link.precision, found, effect=OPENS) for hit in outcome.hits]


def _show_export(gallery: Gallery, outcomes: Sequence[Outcome]) -> None:
    """Draw the menu of downloads."""
    answers, name, model = [_answer(outcome) for outcome in outcomes], gallery.name, gallery.manifest.model
    files = (
        Download("Table (CSV)", "csv", lambda: queries.to_csv(answers)),
        Download("Data (JSON)", "json", lambda: queries.to_json(answers, name, model)),
    )
    with st.popover("Export", icon=":material/download:"):
        st.caption(f"The first {SHOWN} results of each picture")
        show_downloads(f"{name}-searches", files, "export-each")


def _answer(outcome: Outcome) -> Answered:
    """Return an outcome as it is exported, redacted for the visitor."""
    title = text_for_visitor(outcome.title)
    if outcome.error:
        return Answered(title, error=str(_explain(outcome.error)).replace("\\", ""))
    redact = redactor()
    hits = [replace(hit, item=item_for_visitor(hit.item, redact)) for hit in outcome.hits]
    rows: list[dict[str, Any]] = to_rows(hits, [place_for_visitor(hit.item) for hit in outcome.hits])
    return Answered(title, rows, outcome.chances.belongs if outcome.chances else None)

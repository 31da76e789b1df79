"""The line above the results: whether they show the query's very picture and where, or how sure they are."""

from collections.abc import Sequence

import streamlit as st

from similarity.app.search import confidence
from similarity.app.search.copies import Found
from similarity.app.shell import links
from similarity.app.shell.parameters import Link
from similarity.app.wording.messages import as_markdown
from similarity.evaluation.confidence.estimate import Chances
from similarity.evaluation.confidence.verdict import Kind, find_verdict
from similarity.query import copy_facts
from similarity.search import Hit

# Places that are listed; of more copies than these, only their number is said.
LISTED = 3
# Results that most screens show without scrolling.
IN_SIGHT = 10


def show(ordered: Sequence[Hit], link: Link, chances: Chances | None, found: Found) -> None:
    """Draw the line for all results, in the order that the visitor sees."""
    if not found.proven:
        confidence.show_verdict(sorted(ordered, key=lambda hit: hit.rank), chances, link.precision)
        return
    places = [place for place, hit in enumerate(ordered, 1) if found.of(hit.item.id)]
    where = f", {_list(places)} in this order" if link.sort else ""
    title = copy_facts.tell(found.proven)
    count = "one result shows it"
    if len(places) > 1:
        count = f"{len(places):d} results show {'them' if title.startswith('Parts') else 'it'}"
    st.markdown(f":green[:material/check_circle:] **{title}:** {count}{where}.", width="content")
    page = (places[0] - 1) // link.k + 1
    if places[0] > IN_SIGHT and page != link.page:
        st.button(f"Go to number {places[0]:d}", key="place-of-copy", on_click=links.change, kwargs={"page": page})


def is_lasting(hits: Sequence[Hit], chances: Chances | None, precision: float | None, found: Found) -> bool:
    """Whether the line is as good if copies are found later: it says that something like the query is here."""
    verdict = find_verdict(hits, chances, precision)
    return bool(found.proven) or (verdict is not None and verdict.kind in (Kind.SAME, Kind.STRONG))


def summarize(hits: Sequence[Hit], chances: Chances | None, precision: float | None, found: Found) -> str:
    """Return the verdict in some words, as Markdown; empty if nothing is known."""
    if found.proven:
        return f":green[:material/check_circle:] {copy_facts.tell(found.proven)}"
    if (verdict := find_verdict(hits, chances, precision)) is None:
        return ""
    icon = ":green[:material/check_circle:]" if verdict.kind in (Kind.SAME, Kind.STRONG) else ":material/help:"
    return f"{icon} {as_markdown(verdict.title)}: {as_markdown(verdict.detail)}"


def _list(places: Sequence[int]) -> str:
    """Write the places of copies, such as `number 3` or `the first at number 3`."""
    if len(places) > LISTED:
        return f"the first at number {places[0]:d}"
    return "number " + " and ".join(f"{place:d}" for place in places)

"""Notices below the results: a mark that ranked them anew, and filters that stay on for another picture."""

import secrets
from dataclasses import dataclass

import streamlit as st

from similarity.app.components import notice
from similarity.app.search import feedback, filters
from similarity.app.search.active_filters import list_filters
from similarity.app.serving import resources
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import links
from similarity.app.shell.parameters import Link
from similarity.gallery import Gallery

SEEN = "seen_filters"
# More of them are counted.
MOST_NAMED = 3


@dataclass(frozen=True, slots=True)
class Seen:
    """The filters and the order of the last search of the session.

    Attributes:
        gallery: its name.
        query: the kind and the value of its first picture, of which a part is no other query.
        texts: the filters and the order in a few words each.
        notice: names the notice that they stayed on; empty if they were chosen for this query.
    """

    gallery: str
    query: tuple[str, str] | None
    texts: tuple[str, ...]
    notice: str = ""


def show(gallery: Gallery, link: Link) -> None:
    """Draw the notice of the last mark, or else that of filters that stay on; nothing if there is neither."""
    kept = _kept_filters(gallery, link)
    if change := feedback.last_change(link):
        notice.show(change.text, "Undo", lambda: feedback.undo(gallery, change), name=change.name)
    elif kept.notice:
        more = len(kept.texts) - MOST_NAMED
        named = " · ".join(kept.texts[:MOST_NAMED]) + (f" · {more:d} more" if more > 0 else "")
        notice.show(f"Still on: {named}", "Clear", filters.clear_filters, name=kept.notice)


def _kept_filters(gallery: Gallery, link: Link) -> Seen:
    """Compare a search with the last one: filters that are the same for another picture were perhaps forgotten."""
    texts = [one.text for one in list_filters(link)]
    if link.sort:
        texts.append(text_for_visitor(filters.order_name(link.sort, resources.facets(gallery))))
    first = next(iter([*link.like, *link.each]), None)
    query = (first.kind, first.value) if first else None
    now, last = Seen(gallery.name, query, tuple(texts)), st.session_state.get(SEEN)
    is_chosen = links.was_chosen(query)  # whoever goes back or forward has seen it as it is
    if isinstance(last, Seen) and (last.gallery, last.texts) == (now.gallery, now.texts):
        kept = last.notice if last.query == now.query else ""
        is_another = bool(texts) and last.query != now.query and is_chosen
        now = Seen(now.gallery, now.query, now.texts, secrets.token_hex(4) if is_another else kept)
    st.session_state[SEEN] = now
    return now

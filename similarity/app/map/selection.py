"""The pictures that a visitor has selected on the map, and what can be done with them."""

from collections.abc import Sequence

import numpy as np
import streamlit as st

from similarity.app.duplicates import relabelling
from similarity.app.map.layout import GalleryMap
from similarity.app.map.message import decode_places
from similarity.app.search.exports import ABOUT_ZIP, Download, Export, show_downloads
from similarity.app.serving import access, visitors
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import navigation
from similarity.app.shell.parameters import ITEM, MAX_PARTS, Link, Part
from similarity.app.wording import wording
from similarity.app.wording.messages import sentence_as_markdown
from similarity.errors import GalleryError
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.sources import Item
from similarity.sources.base import LABEL
from similarity.storage.given_labels import check_label

SELECTED, LABEL_KEY = "map_selected", "map-label"
# Labels that are offered.
OFFERED = 200


def keep(on: str, count: int, text: str) -> None:
    """Keep a selection that a browser has sent, if it is valid.

    Args:
        on: which map it is about, see `background.sheets_name`.
        count: pictures on that map.
    """
    if (places := decode_places(text, count)) is not None:
        st.session_state[SELECTED] = (on, places)


def selected(on: str) -> tuple[int, ...]:
    """Return the places of the selected pictures on a map, in its order."""
    kept: tuple[str, tuple[int, ...]] = st.session_state.get(SELECTED, ("", ()))
    return kept[1] if kept[0] == on else ()


def show(gallery: Gallery, on: GalleryMap, places: Sequence[int]) -> None:
    """Draw how many pictures are selected, and what can be done with them."""
    hits = rank_by_typicality(gallery, on, places)
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="map-selection"):
        st.markdown(f"**{len(places):,} selected**", width="content")
        if len(hits) > MAX_PARTS:
            label = f"Search with the {MAX_PARTS} most typical"
        else:
            label = "Search with them" if len(hits) > 1 else "Search with it"
        if st.button(label, key="map-search", icon=":material/image_search:", type="primary"):
            like = tuple(Part(ITEM, hit.item.public_id) for hit in hits[:MAX_PARTS])
            navigation.go("search", Link(gallery=gallery.name, like=like).parameters())
        if access.may_manage():
            _show_labelling(gallery, [hit.item for hit in hits])
        _show_exports(gallery, hits)
        st.button("Clear", key="map-clear", icon=":material/close:", type="tertiary", on_click=_clear)


def rank_by_typicality(gallery: Gallery, on: GalleryMap, places: Sequence[int]) -> list[Hit]:
    """Return pictures of a map as hits, those nearest to the mean of their embeddings first.

    The score is the cosine similarity to that mean.
    """
    rows = on.rows[list(places)]
    vectors = gallery.vectors[rows]
    mean = vectors.mean(axis=0)
    scores = vectors @ (mean / max(float(np.linalg.norm(mean)), 1e-12))
    order = np.argsort(-scores, kind="stable")
    items = gallery.items.at(rows[order].tolist())
    found = zip(scores[order].tolist(), items, strict=True)
    return [Hit(rank, score, item) for rank, (score, item) in enumerate(found, 1)]


def _clear() -> None:
    st.session_state.pop(SELECTED, None)


def _show_labelling(gallery: Gallery, items: Sequence[Item]) -> None:
    """Draw a menu that gives the pictures a label."""
    with st.popover("Label", icon=":material/sell:"):
        known = gallery.facets.counts(LABEL)
        st.selectbox(
            "Label",
            sorted(known, key=lambda label: -known[label])[:OFFERED],
            index=None,
            format_func=text_for_visitor,
            accept_new_options=True,
            placeholder="Choose or type one",
            key=LABEL_KEY,
        )
        st.button(
            f"Label {wording.pictures(len(items))}",
            key="map-give",
            type="primary",
            on_click=_give,
            args=(gallery, items),
        )


def _give(gallery: Gallery, items: Sequence[Item]) -> None:
    """Start to give pictures the label in the field; for the callback of a button."""
    label = st.session_state.get(LABEL_KEY)
    try:
        label = label if label in gallery.facets.counts(LABEL) else check_label(str(label or ""))
    except GalleryError as error:
        st.toast(sentence_as_markdown(str(error)), icon=":material/error:", duration="long")
        return
    relabelling.give(gallery, items, label)
    _clear()


def _show_exports(gallery: Gallery, hits: Sequence[Hit]) -> None:
    """Draw the menu of downloads."""
    redact = access.redactor()
    places = [access.place_for_visitor(hit.item, redact) for hit in hits]
    export = Export(gallery, hits, (), places, redact, visitors.current())
    files = (
        Download("Table (CSV)", "csv", export.csv),
        Download("Data (JSON)", "json", export.json),
        Download("Pictures (ZIP)", "zip", export.zip, ABOUT_ZIP),
    )
    with st.popover("Export", icon=":material/download:"):
        show_downloads(f"{gallery.name}-selected", files, "map-export")

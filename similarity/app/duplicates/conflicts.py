"""Label conflicts: pictures whose labels contradict each other, worst first, and their labels changed in place."""

import math
from collections.abc import Sequence
from functools import partial

import streamlit as st

from similarity.app.components import tiles
from similarity.app.duplicates import conflict_lists, conflict_search, relabelling
from similarity.app.serving import access
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import navigation
from similarity.app.wording.messages import as_markdown
from similarity.evaluation.label_conflicts import Conflict
from similarity.gallery import Gallery
from similarity.sources import Item
from similarity.sources.base import LABEL
from similarity.text.plain import short

PAGE, PAGE_SIZE, CLICKED = "conflicts_page", 10, "conflicts_clicked"
# Pictures with the suggested label that are shown beside one that lies among them, and labels that are offered.
SHOWN, OFFERED = 4, 200
# What a click labels, and what it says when all is right.
WHICH = {"pair": "both ", "copies": "all ", "neighbours": ""}
RIGHT = {"pair": "Both are right", "copies": "All are right", "neighbours": "It is right"}
ABOUT = "Pictures that look the same under different labels, and pictures that lie among those of another label."
# What was done takes the place of these sentences, so that nothing below them moves.
CSS = "<style>.st-key-conflicts-line { min-height: 2.75rem; justify-content: center; }</style>"
AT_ONCE = "A label is set as soon as you choose it. It can be undone."
KEPT = "A label that you set or confirm here stays when the gallery is synced."


def show(gallery: Gallery) -> None:
    """Draw the conflicts of a gallery; raises as `find_label_conflicts`."""
    with st.container(key="conflicts-line"):
        if not relabelling.show_outcome(gallery):
            st.caption(f"{ABOUT} {KEPT}" if access.may_manage() else ABOUT)
    if relabelling.show(gallery):
        return
    found = conflict_search.find(gallery)
    if found is None:
        return
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        st.markdown(_count(found), width="content")
        if access.may_manage():
            conflict_lists.show(gallery, found)
    pages = max(1, math.ceil(len(found) / PAGE_SIZE))
    page = min(_pages().get(gallery.name, 1), pages)
    first = (page - 1) * PAGE_SIZE
    for number, conflict in enumerate(found[first : first + PAGE_SIZE], start=first + 1):
        _show_conflict(gallery, conflict, number)
    if pages > 1:
        # A new key for every page, since the value of this widget cannot be set from outside.
        key = f"conflicts-page-{page}-of-{pages}"
        with st.container(horizontal_alignment="center"):
            st.pagination(pages, default=page, key=key, on_change=partial(_turn_to, gallery.name, key))


def _count(found: Sequence[Conflict]) -> str:
    if not found:
        return ":material/check_circle: **No conflicts.** No labels of this gallery contradict each other."
    return f"**{len(found):,} {'conflict' if len(found) == 1 else 'conflicts'},** worst first"


def _show_conflict(gallery: Gallery, conflict: Conflict, number: int) -> None:
    """Draw a conflict: what it is, its pictures, and what can be done."""
    # In the order of the gallery, since which of two labels is less likely changes with each that is given.
    items = gallery.items.at(sorted(conflict.rows))
    key = f"conflict-{'-'.join(item.sha256[:12] for item in items)}"
    with st.container(border=True, key=f"{key}-box"):
        st.markdown(f"**{number:,}** · {_describe(conflict)}")
        drawn = [_tile(gallery, item) for item in items]
        if conflict.kind == "neighbours":
            drawn += [_neighbour(gallery, item) for item in gallery.items.at(conflict.nearest[:SHOWN])]
        if tiles.show(drawn, _note_click, key=key):
            navigation.go_to_item(gallery.name, gallery.find(st.session_state.pop(CLICKED)))
        if access.may_manage():
            with st.container(horizontal=True, vertical_alignment="center", gap="small"):
                _show_actions(gallery, conflict, items, key)


def _describe(conflict: Conflict) -> str:
    if conflict.kind == "pair":
        return f"Two that look nearly the same, similarity {conflict.score:.3f}"
    if conflict.kind == "copies":
        return "One picture whose exact copies have different labels"
    suggested = as_markdown(short(conflict.suggested))
    share = "All pictures" if conflict.share == 1 else f"{conflict.share * 100:.0f}\u00a0% of the pictures"
    return f"{share} nearest to it have another label, most of them **{suggested}**"


def _show_actions(gallery: Gallery, conflict: Conflict, items: Sequence[Item], key: str) -> None:
    """Draw the labels that can be chosen with a click, any other, and that all is right."""
    is_pair, is_one = conflict.kind == "pair", conflict.kind == "neighbours"
    labels = [conflict.suggested] if is_one else [label for item in items for label in item.labels]
    for place, label in enumerate(dict.fromkeys(labels)):  # as the pictures are
        wrong = [item for item in items if item.labels != [label]]
        st.button(
            f"Label {WHICH[conflict.kind]}as {as_markdown(label[:60])}",
            key=f"{key}-label-{place}",
            on_click=relabelling.give,
            args=(gallery, wrong, label),
        )
    with st.popover("Another label", key=f"{key}-other"):
        st.caption(AT_ONCE)
        options = _options(gallery, labels)
        for place, item in enumerate(items):
            _choose_label(gallery, item, options, f"{key}-choice-{place}", ("Left", "Right")[place] if is_pair else "")
    st.button(
        RIGHT[conflict.kind],
        key=f"{key}-right",
        type="tertiary",
        icon=":material/check:",
        help="It is not shown again, and the labels stay as they are.",
        on_click=relabelling.give,
        args=(gallery, items),
    )


def _choose_label(gallery: Gallery, item: Item, options: Sequence[str], key: str, side: str) -> None:
    """Draw a field for the label of a picture, one of the gallery's or a new one."""
    st.selectbox(
        f"{side}: label" if side else "Label",
        options,
        index=options.index(item.labels[0]) if item.labels[0] in options else None,
        format_func=text_for_visitor,
        accept_new_options=True,
        placeholder="Choose or type one",
        key=key,
        on_change=relabelling.give_chosen,
        args=(gallery, item, key),
    )


def _options(gallery: Gallery, labels: Sequence[str]) -> list[str]:
    """Return the labels that are offered: all of the gallery, or those of the conflict where there are too many."""
    known = gallery.facets.counts(LABEL)
    return sorted(known) if len(known) <= OFFERED else sorted(dict.fromkeys(labels))


def _tile(gallery: Gallery, item: Item) -> tiles.Tile:
    """Make the tile of a picture in conflict."""
    tile = tiles.of_item(gallery, item)
    if gallery.given_labels.has(item.sha256):
        tile["note"] = "label set by hand"
    return tile


def _neighbour(gallery: Gallery, item: Item) -> tiles.Tile:
    """Make the tile of a picture that it lies among."""
    tile = tiles.of_item(gallery, item)
    tile["rank"], tile["name"], tile["note"] = "near", "", ""
    tile["alt"] = text_for_visitor(f"Near it: {', '.join(item.labels)}")
    return tile


def _note_click(item_id: str) -> None:
    st.session_state[CLICKED] = item_id


def _pages() -> dict[str, int]:
    """Return the page that the visitor is on, by gallery."""
    pages: dict[str, int] = st.session_state.setdefault(PAGE, {})
    return pages


def _turn_to(name: str, key: str) -> None:
    _pages()[name] = st.session_state[key]

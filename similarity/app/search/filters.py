"""Filters of the results: by label, by metadata, by score, and without copies."""

from collections.abc import Callable
from functools import partial
from heapq import nlargest
from typing import get_args

import streamlit as st

from similarity.app.search import copies, parts, spans
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import links
from similarity.app.shell.links import BALANCED, PRECISIONS, Link
from similarity.app.wording.messages import as_markdown
from similarity.images.exif import PLACE
from similarity.query.filters import Facets
from similarity.search import Accuracy
from similarity.sources.base import LABEL

# A longer list of values is no help; the most frequent are offered.
MAX_VALUES = 500
# What becomes of pictures that repeat a better result.
SHOW_ALL, HIDE_COPIES, ONE_PER_PRODUCT = "Show all", "Hide copies", "One per product"
# Columns that nobody wants results in the order of.
UNSORTED = ("orientation", *PLACE)


def show(facets: Facets, link: Link, *, is_exact: bool = True, has_parts: bool = False) -> None:
    """Draw the menu of filters; each change goes into the address.

    Args:
        is_exact: whether all pictures are compared, so that no accuracy can be chosen.
        has_parts: whether parts of pictures can be searched.
    """
    active = len(link.where) + bool(link.min_score) + link.distinct
    with st.popover(f"Filter · {active:d}" if active else "Filter", icon=":material/filter_alt:"):
        spanned = facets.spans
        for column in facets.columns:
            if column in spanned and column not in link.where:
                continue
            _choose_values(facets, column, link)
        for column in spanned:
            spans.choose(facets.column(column).kind, column, link)
        left, right = st.columns(2)
        with left:
            _choose_order(facets, link)
        st.session_state["min"] = round(link.min_score, 2)
        right.slider("Lowest score", 0.0, 1.0, step=0.05, key="min", on_change=_on_change("min", "min_score"))
        _choose_repeats(link)
        if copies.can_have_copies(link):
            _choose_copies(link)
        if has_parts:
            parts.choose(link)
        if facets.counts(LABEL):
            _choose_precision(link)
        if not is_exact:
            st.session_state["accuracy"] = link.accuracy
            st.segmented_control(
                "Accuracy",
                get_args(Accuracy),
                format_func=str.capitalize,
                key="accuracy",
                on_change=_choose_accuracy,
                help="In a large gallery only likely pictures are compared. High misses fewest and takes longest.",
            )
        if active:
            st.button("Clear all filters", icon=":material/close:", key="clear-filters", on_click=clear_filters)


def describe_order(facets: Facets, link: Link, *, has_copies: bool) -> str:
    """Return the order of the results in words, as in `copies first, then most similar`."""
    if link.sort:
        return f"ordered by {as_markdown(text_for_visitor(_order_name(link.sort, facets).lower()))}"
    return "copies first, then most similar" if has_copies else "most similar first"


def clear_filters() -> None:
    """Remove all filters; for the callback of a button."""
    links.change(where={}, min_score=0.0, distinct=False, one_per_product=False, parts=False, sort="")


def _choose_values(facets: Facets, column: str, link: Link) -> None:
    counts = facets.counts(column)
    options = list(counts)
    if len(options) > MAX_VALUES:
        options = sorted(nlargest(MAX_VALUES, options, key=counts.__getitem__))
    chosen = [value for value in link.where.get(column, ()) if value in counts]
    key = f"{links.WHERE}{column}"
    st.session_state[key] = chosen
    st.multiselect(
        "Label" if column == LABEL else as_markdown(column.capitalize()),
        list(dict.fromkeys([*options, *chosen])),
        format_func=lambda value: text_for_visitor(f"{value} ({counts[value]:,})"),
        key=key,
        placeholder="Any",
        on_change=partial(_choose, column, key),
    )


def _choose(column: str, key: str) -> None:
    links.change_where(column, tuple(st.session_state[key]))


def _choose_order(facets: Facets, link: Link) -> None:
    columns = [name for name in dict.fromkeys([*facets.names, *facets.columns]) if name not in UNSORTED]
    st.session_state["sort"] = link.sort
    st.selectbox(
        "Order",
        list(dict.fromkeys(["", *(way + name for name in columns for way in ("", "-")), link.sort])),
        format_func=lambda by: text_for_visitor(_order_name(by, facets)),
        key="sort",
        on_change=_on_change("sort", "sort"),
        help="Of the results found; their scores stay.",
    )


def _order_name(by: str, facets: Facets) -> str:
    """The name of an order, such as `Taken, falling`."""
    if not by:
        return "Most similar first"
    name, is_falling = facets.sorted_by(by)
    return f"{name.capitalize()}, {'falling' if is_falling else 'rising'}"


def _choose_copies(link: Link) -> None:
    st.session_state["copies"] = link.copies
    st.toggle(
        "Put the same picture first",
        key="copies",
        on_change=_on_change("copies", "copies"),
        help=f"The first {copies.CANDIDATES:d} results are looked at once more: is one of them your very picture, or a "
        "cropped, turned or mirrored one?",
    )


def _choose_repeats(link: Link) -> None:
    st.session_state["repeats"] = (
        ONE_PER_PRODUCT if link.one_per_product else HIDE_COPIES if link.distinct else SHOW_ALL
    )
    st.segmented_control(
        "Repeats",
        (SHOW_ALL, HIDE_COPIES, ONE_PER_PRODUCT),
        key="repeats",
        required=True,
        on_change=_on_repeats,
        help="A copy is the same picture again: mirrored, resized, cropped a little or saved again. Pictures of one "
        "product are those with the same value in the column product, or that look alike where there is none.",
    )


def _on_repeats() -> None:
    chosen = st.session_state["repeats"]
    links.change(distinct=chosen != SHOW_ALL, one_per_product=chosen == ONE_PER_PRODUCT)


def _choose_precision(link: Link) -> None:
    st.session_state["precision"] = link.precision or 0.0
    st.segmented_control(
        "Confident from",
        (0.0, *PRECISIONS),
        format_func=lambda share: f"{share:.0%}".replace("%", " %") if share else "Off",
        key="precision",
        required=True,
        on_change=lambda: links.change(precision=st.session_state["precision"] or None),
        help="A result is a confident match if results like it are right this often, estimated from the gallery's own "
        "pictures. Other results stay, and are marked.",
    )


def _choose_accuracy() -> None:
    links.change(accuracy=st.session_state["accuracy"] or BALANCED)


def _on_change(key: str, name: str) -> Callable[[], None]:
    return lambda: links.change(**{name: st.session_state[key]})

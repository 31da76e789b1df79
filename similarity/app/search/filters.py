"""Filters of the results, by label, by metadata, by score, and without copies; and the order of the results."""

from collections.abc import Callable
from functools import partial
from typing import Any, get_args

import streamlit as st

from similarity.app.components import histogram
from similarity.app.components.histogram import Bar, Histogram
from similarity.app.search import copies, parts, spans
from similarity.app.search.tally import Tally
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import links, parameters
from similarity.app.shell.parameters import BALANCED, PRECISIONS, TEXT, Link
from similarity.app.wording.messages import as_markdown
from similarity.errors import SearchError
from similarity.images.exif import PLACE
from similarity.query.columns import Kind
from similarity.query.filters import Facets
from similarity.search import Accuracy
from similarity.sources.base import LABEL

# A longer list of values is no help; the most frequent are offered.
MAX_VALUES = 500
# Columns of more values, other than the label, have no bars.
MAX_BARS = 60
# What becomes of pictures that repeat a better result.
SHOW_ALL, HIDE_COPIES, ONE_PER_PRODUCT = "Show all", "Hide copies", "One per product"
# Columns that nobody wants results in the order of.
UNSORTED = ("orientation", *PLACE)
# How an order is named by what its values are: the one way, and the other.
WAYS: dict[Kind | None, tuple[str, str]] = {
    None: (" A–Z", " Z–A"),
    "number": (", low to high", ", high to low"),
    "date": (", oldest first", ", newest first"),
}
# Fields of a search without filters, in the order of likeness.
NO_FILTERS: dict[str, Any] = {
    "where": {},
    "min_score": 0.0,
    "distinct": False,
    "one_per_product": False,
    "exclude_query": False,
    "parts": False,
    "sort": "",
}
# Of more columns, that of the order is looked for by its name.
FEW_COLUMNS = 12


def show(
    facets: Facets,
    link: Link,
    tally: Tally | None = None,
    *,
    is_exact: bool = True,
    has_parts: bool = False,
    is_sorted: bool = True,
) -> None:
    """Draw the menu of filters, and the choice of the order beside it; each change goes into the address.

    Args:
        tally: counts the present results by the values of a column; by default the gallery's pictures are counted.
        is_exact: whether all pictures are compared, so that no accuracy can be chosen.
        has_parts: whether parts of pictures can be searched.
        is_sorted: whether an order can be chosen.
    """
    active = len(link.where) + bool(link.min_score) + link.distinct + link.exclude_query + link.parts
    with st.popover(f"Filter · {active:d}" if active else "Filter", icon=":material/filter_alt:"):
        _choose_columns(facets, link, tally or Tally(facets.counts))
        st.session_state["min"] = round(link.min_score, 2)
        st.slider("Lowest score", 0.0, 1.0, step=0.05, key="min", on_change=_on_change("min", "min_score"))
        _choose_repeats(link)
        if any(part.kind != TEXT for part in link.like):
            _choose_own(link)
        if copies.can_have_copies(link):
            _choose_copies(link)
        if has_parts:
            parts.choose(link)
        if facets.counts(LABEL):
            _choose_precision(link)
        if not is_exact:
            _choose_accuracy(link)
        # Always there: where the menu opens upwards, all of it would move when the first filter is chosen.
        icon, is_off = ":material/close:", not active
        st.button("Clear all filters", icon=icon, key="clear-filters", on_click=clear_filters, disabled=is_off)
    if is_sorted:
        _choose_order(facets, link)


def describe_order(facets: Facets, link: Link, *, has_copies: bool) -> str:
    """Return the order of the results in words, as in `copies first, then most similar`."""
    if link.sort:
        name = order_name(link.sort, facets)
        return f"ordered by {as_markdown(text_for_visitor(name[:1].lower() + name[1:]))}"
    return "copies first, then most similar" if has_copies else "most similar first"


def order_name(by: str, facets: Facets) -> str:
    """Return the name of an order, such as `Taken, newest first`, not yet made text for the visitor."""
    if not by:
        return "Most similar"
    name, is_falling = facets.sorted_by(by)
    return f"{name.capitalize()}{WAYS[_kind(facets, name)][is_falling]}"


def _kind(facets: Facets, name: str) -> Kind | None:
    """Return what most values of a column are, None for texts; the name may be any, from an address."""
    try:
        return facets.column(name).kind
    except SearchError:
        return None


def clear_filters() -> None:
    """Remove all filters; for the callback of a button."""
    links.change(**NO_FILTERS)


def _choose_columns(facets: Facets, link: Link, tally: Tally) -> None:
    """Draw bars of the columns with few values, and fields for the others."""
    spanned = facets.spans
    chosen = [column for column in facets.columns if column not in spanned or column in link.where]
    drawn = [column for column in chosen if facets.value_count(column) <= (MAX_VALUES if column == LABEL else MAX_BARS)]
    if drawn:
        histogram.show([_histogram(facets, column, link, tally) for column in drawn], _toggle, key="histogram")
    for column in chosen:
        if column not in drawn:
            _choose_values(facets, column, link)
    for column in spanned:
        spans.choose(facets.column(column).kind, column, link)


def _histogram(facets: Facets, column: str, link: Link, tally: Tally) -> Histogram:
    """Make the bars of a column, the longest first; of equal ones that of the first result."""
    counts, wanted = tally.count(column), link.where.get(column, ())
    first = {value: place for place, value in enumerate(counts)}
    values = sorted(facets.counts(column), key=lambda value: (-counts.get(value, 0), first.get(value, 0), value))
    bars = [Bar(value, text_for_visitor(value), counts.get(value, 0), value in wanted) for value in values]
    note = f"among the {tally.most:,} most similar" if tally.most else ""
    return Histogram(column, "Label" if column == LABEL else text_for_visitor(column.capitalize()), bars, note)


def _toggle(column: str, value: str) -> None:
    """Let results have a value of a column, too, or no longer; for a callback."""
    chosen = links.read().where.get(column, ())
    links.change_where(column, tuple(one for one in chosen if one != value) if value in chosen else (*chosen, value))


def _choose_values(facets: Facets, column: str, link: Link) -> None:
    wanted = link.where.get(column, ())
    counts = facets.most_common(column, MAX_VALUES, wanted)
    chosen = [value for value in wanted if value in counts]
    key = f"{parameters.WHERE}{column}"
    st.session_state[key] = chosen
    st.multiselect(
        "Label" if column == LABEL else as_markdown(column.capitalize()),
        list(counts),
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
        format_func=lambda by: text_for_visitor(order_name(by, facets)),
        key="sort",
        on_change=_on_change("sort", "sort"),
        label_visibility="collapsed",
        filter_mode="fuzzy" if len(columns) > FEW_COLUMNS else None,
        width=170,
    )


def _choose_copies(link: Link) -> None:
    st.session_state["copies"] = link.copies
    st.toggle(
        "Show copies of your picture first",
        key="copies",
        on_change=_on_change("copies", "copies"),
        help=f"Checks the first {copies.CANDIDATES:d} results for your very picture, even cropped, turned or mirrored.",
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
        "Fade results less sure than",
        (0.0, *PRECISIONS),
        format_func=lambda share: f"{share:.0%}".replace("%", "\u00a0%") if share else "Off",
        key="precision",
        required=True,
        on_change=lambda: links.change(precision=st.session_state["precision"] or None),
        help="Results like these are right less often than this, as far as the gallery's own pictures tell. They stay, "
        "but faded.",
    )


def _choose_own(link: Link) -> None:
    st.session_state["exclude_query"] = link.exclude_query
    st.toggle("Hide the query itself", key="exclude_query", on_change=_on_change("exclude_query", "exclude_query"))


def _choose_accuracy(link: Link) -> None:
    st.session_state["accuracy"] = link.accuracy
    st.segmented_control(
        "Accuracy",
        get_args(Accuracy),
        format_func=str.capitalize,
        key="accuracy",
        on_change=lambda: links.change(accuracy=st.session_state["accuracy"] or BALANCED),
        help="In a large gallery only likely pictures are compared. High misses fewest and takes longest.",
    )


def _on_change(key: str, name: str) -> Callable[[], None]:
    return lambda: links.change(**{name: st.session_state[key]})

"""Queries of an evaluation with their results, marked as right or wrong."""

import base64
from collections.abc import Sequence

import streamlit as st

from similarity.app.components import tiles
from similarity.app.components.tiles import Tile
from similarity.app.serving import drawing, resources
from similarity.app.serving.access import text_for_visitor
from similarity.app.serving.session_uploads import keep_upload
from similarity.app.shell import navigation
from similarity.app.shell.parameters import Link
from similarity.app.wording.messages import show_error
from similarity.errors import SimilarityError
from similarity.evaluation import Evaluation
from similarity.evaluation.findings import Answer, Case
from similarity.evaluation.report.page import query_thumbnail
from similarity.evaluation.results import LEAVE_ONE_OUT
from similarity.gallery import Gallery
from similarity.sources.originals import file_name, read_original

WORST, BEST, RANDOM = "Worst", "Best", "Random"
ABOUT = {
    WORST: "Worst queries first: those whose first result is wrong and that find fewest right ones.",
    BEST: "Queries that find most of the right results.",
    RANDOM: "Some queries, as they come.",
}
STEP, SHOWN = 6, "cases_shown"
ANY = "Any"


@drawing.fragment
def show(gallery: Gallery, evaluation: Evaluation) -> None:
    """Draw queries by choice: the worst, the best or random ones, of any label or of one."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        kind = st.segmented_control(
            "Queries", list(ABOUT), default=WORST, required=True, key="cases_kind", on_change=_begin_anew
        )
        labels = list(dict.fromkeys(row.label for row in evaluation.per_label))
        label = ANY
        if len(labels) > 1:
            label = st.selectbox(
                "Of the label",
                [ANY, *labels],
                format_func=text_for_visitor,
                key="cases_label",
                width=220,
                on_change=_begin_anew,
            )
    numbers = _choose_queries(evaluation, kind or WORST, label)
    st.caption(f"{ABOUT[kind or WORST]} Choose a row to search with its query.")
    shown = st.session_state.get(SHOWN, STEP)
    for case in evaluation.cases(numbers[:shown]):
        _show_case(gallery, evaluation, case)
    if len(numbers) > shown:
        st.button("Show more", icon=":material/expand_more:", on_click=_show_more)


def _begin_anew() -> None:
    st.session_state.pop(SHOWN, None)


def _show_more() -> None:
    st.session_state[SHOWN] = st.session_state.get(SHOWN, STEP) + STEP


def _choose_queries(evaluation: Evaluation, kind: str, label: str) -> Sequence[int]:
    """Return the numbers of the queries of a label, in the chosen order."""
    order = {WORST: evaluation.worst, BEST: evaluation.best, RANDOM: evaluation.random}[kind](evaluation.queries)
    if label == ANY or label not in evaluation.labels:
        return order
    codes = {code for code, name in enumerate(evaluation.labels) if name == label}  # redacted labels may be equal
    return [number for number in order if int(evaluation.query_labels[number]) in codes]


def _show_case(gallery: Gallery, evaluation: Evaluation, case: Case) -> None:
    right = sum(answer.is_right for answer in case.answers)
    st.markdown(
        f"**{right} of the first {len(case.answers)} right**, the first right one at rank {case.first_right:,} · "
        f"average precision {case.average_precision:.2f} · {case.relevant:,} to be found"
    )
    drawn = [_query(gallery, evaluation, case), *(_answer(gallery, answer) for answer in case.answers)]
    if tiles.show(drawn, lambda _: None, key=f"case-{case.number}", is_small=True):
        _search(gallery, evaluation, case)


def _query(gallery: Gallery, evaluation: Evaluation, case: Case) -> Tile:
    tile = tiles.of_item(gallery, case.item)
    if evaluation.protocol != LEAVE_ONE_OUT and gallery.items.find(case.item.sha256) is None:
        tile["src"] = f"data:image/jpeg;base64,{base64.b64encode(_thumbnail(case)).decode()}"
    name = text_for_visitor(file_name(case.item))
    tile["alt"], tile["hint"] = f"Query: {text_for_visitor(case.label)}, {name}", f"{name}: search with it"
    tile["label"], tile["name"], tile["note"], tile["mark"] = text_for_visitor(case.label), "", "Query", "query"
    return tile


def _answer(gallery: Gallery, answer: Answer) -> Tile:
    verdict = "right" if answer.is_right else "wrong"
    tile = tiles.of_item(gallery, answer.item)
    tile["alt"] = f"Rank {answer.rank:d}, {verdict}: {text_for_visitor(answer.label or file_name(answer.item))}"
    name = text_for_visitor(file_name(answer.item))
    tile["hint"] = f"Rank {answer.rank:d}: {name}, score {answer.score:.3f}, {verdict}"
    # A badge would cover a narrow picture, and a row is in the order of ranks anyway.
    tile["rank"], tile["label"], tile["name"] = "", text_for_visitor(answer.label), ""
    tile["mark"], tile["note"] = verdict, ""
    return tile


def _search(gallery: Gallery, evaluation: Evaluation, case: Case) -> None:
    """Search with a query on the search page."""
    if evaluation.protocol == LEAVE_ONE_OUT:
        navigation.go_to_item(gallery.name, case.item)
    try:
        part = keep_upload(read_original(case.item, fetch=resources.fetch_picture))
    except SimilarityError as error:
        show_error(error)
        return
    navigation.go("search", Link(gallery=gallery.name, like=(part,)).parameters())


@st.cache_data(max_entries=256, show_spinner=False, hash_funcs={Case: lambda case: case.item.sha256})
def _thumbnail(case: Case) -> bytes:
    jpeg: bytes = query_thumbnail(case.item)
    return jpeg

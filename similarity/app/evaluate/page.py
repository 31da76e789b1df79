"""The evaluate page: the metrics of a gallery, plots of its errors, and single queries."""

from dataclasses import replace

import streamlit as st

from similarity.app.components.waiting import was_cancelled
from similarity.app.evaluate import background, cases, metrics, plots, redacted
from similarity.app.evaluate.background import EvaluationRequest
from similarity.app.serving import access, resources
from similarity.app.shell import fields, gallery_choice, navigation
from similarity.app.wording import messages, wording
from similarity.errors import SimilarityError
from similarity.evaluation.held_out import UNSEEN, phrase
from similarity.gallery import Gallery
from similarity.sources.base import LABEL

OWN, OTHERS = "Its own pictures", "Other pictures"
TURN, REQUESTED = "evaluate_turn", "evaluate_requested"
ABOUT_PLACE = "A folder with a folder for each label, a zip of such a folder, or a CSV with a column for it."


def show() -> None:
    """Draw the page."""
    st.title("Evaluate", anchor=False)
    st.caption("How often are the results of a gallery right? Metrics, and the worst queries.")
    directories = gallery_choice.available_galleries()
    if not directories:
        return
    left, right = st.columns([2, 5], gap="large")
    try:
        with left:
            gallery = resources.load_gallery(gallery_choice.choose_by_address(directories))
            st.caption(_facts(gallery))
            request = _choose_what(gallery) if gallery.facets.counts(LABEL) or gallery.facets.columns else None
        with right:
            if request is None:
                _say_how_to_label()
            else:
                _show_evaluation(gallery, request)
    except SimilarityError as error:
        with right:
            messages.show_error(error)


def _facts(gallery: Gallery) -> str:
    model = wording.model_title(gallery.manifest.model)
    return f"{wording.pictures(len(gallery))} · {messages.as_markdown(model)}"


def _choose_what(gallery: Gallery) -> EvaluationRequest:
    """Draw the choice of the column that makes results right, and of the queries."""
    columns = list(dict.fromkeys([*([LABEL] if gallery.facets.counts(LABEL) else []), *gallery.facets.columns]))
    by = st.selectbox(
        "A result is right if it has the same",
        columns,
        format_func=lambda name: access.text_for_visitor(name.replace("_", " ")),
        key=f"evaluate-by-{gallery.name}",
    )
    place = ""
    if access.may_manage():
        way = st.segmented_control("Queries", [OWN, OTHERS], default=OWN, required=True, key="evaluate_way")
        if way == OTHERS:
            place = fields.text_line(
                "Path of a folder, a zip or a CSV", placeholder="For example: ~/Pictures/queries", key="evaluate_place"
            )
            st.caption(ABOUT_PLACE)
            return EvaluationRequest(by, place or " ", st.session_state.get(TURN, 0))
    st.caption("Leave-one-out: each picture is a query, searched among all others.")
    return EvaluationRequest(by)


def _show_evaluation(gallery: Gallery, request: EvaluationRequest) -> None:
    if not _is_requested(gallery, request):
        return
    try:
        evaluation = background.wait_for(gallery, request)
    except SimilarityError:
        st.session_state.pop(REQUESTED, None)  # or every click would try again
        raise
    if evaluation is None:
        st.error("The gallery could not be evaluated; the log of the app says why.", icon=":material/error:")
        st.button("Try again", icon=":material/refresh:")
        return
    if request.place and st.button("Measure again", icon=":material/refresh:"):
        _ask_again(gallery, request)
        st.rerun()
    if held_out := phrase(evaluation.held_out):
        st.markdown(f"**On {UNSEEN}:** {held_out}")
    if evaluation.caution:
        st.warning(messages.sentence_as_markdown(evaluation.caution), icon=":material/model_training:")
    metrics.show(gallery, evaluation)
    evaluation = redacted.redact_evaluation(evaluation, access.text_for_visitor)
    plots.show(evaluation)
    st.subheader("Query by query", anchor=False)
    cases.show(gallery, evaluation)


def _is_requested(gallery: Gallery, request: EvaluationRequest) -> bool:
    """Whether to evaluate: at once if that is fast, otherwise when the visitor requests it with a button."""
    name = request.name(gallery)
    if request.place == " ":
        st.info("Give the path of the queries.", icon=":material/arrow_back:")
        return False
    is_small = not request.place and len(gallery) <= background.AT_ONCE and not was_cancelled(name)
    is_asked = st.session_state.get(REQUESTED) == name and not was_cancelled(name)
    if is_small or is_asked or background.evaluations().find(name):
        return True
    if not request.place and not background.may_start(gallery):
        st.info(
            f"Measuring a gallery of {wording.pictures(len(gallery))} takes long. It can be started on the computer "
            "that this app runs on, and is then shown to everybody.",
            icon=":material/hourglass:",
        )
        return False
    if request.place:
        st.markdown("The queries are embedded first, which takes the same time as indexing them.")
    else:
        seconds = wording.duration(background.expected_seconds(gallery))
        queries = f"{background.MOST:,} of the" if len(gallery) > background.MOST else "Each of"
        st.markdown(f"{queries} {len(gallery):,} pictures is compared with all others, which takes about {seconds}.")
    # Not a callback: the last run would give it the choices of before, also when another was made just now.
    if st.button("Evaluate", type="primary", icon=":material/speed:"):
        _ask(name)
        background.start(gallery, request)
        st.rerun()
    return False


def _ask(name: str) -> None:
    st.session_state[REQUESTED] = name


def _ask_again(gallery: Gallery, request: EvaluationRequest) -> None:
    """Evaluate once more: the pictures or their labels may have changed."""
    st.session_state[TURN] = request.turn + 1
    _ask(replace(request, turn=request.turn + 1).name(gallery))


def _say_how_to_label() -> None:
    st.info(
        "The pictures of this gallery have no labels, so results cannot be checked. Put them into a folder for "
        "each label, or make the gallery from a CSV with a column `label`.",
        icon=":material/label_off:",
    )
    if st.button("To the galleries", icon=":material/photo_library:"):
        navigation.go("galleries")

"""The duplicates page: copies in a gallery side by side, and pictures whose labels contradict each other."""

import streamlit as st

from similarity.app.duplicates import conflicts, duplicates
from similarity.app.galleries import jobs_background
from similarity.app.serving import access, resources
from similarity.app.shell import gallery_choice
from similarity.app.wording import messages
from similarity.errors import SimilarityError

DUPLICATES, CONFLICTS = "duplicates", "conflicts"
VIEWS = {DUPLICATES: "Duplicates", CONFLICTS: "Label conflicts"}
VIEW, VIEW_WIDGET = "duplicates_view", "duplicates_view_widget"


def show() -> None:
    """Draw the page."""
    st.title("Duplicates", anchor=False)
    st.caption("Pictures that a gallery has more than once, and pictures whose labels contradict each other.")
    directories = gallery_choice.available_galleries()
    if not directories:
        return
    if not access.may_manage():
        st.info(access.refusal(), icon=":material/lock:")
    jobs_background.show_notice()
    left, right = st.columns([2, 5], gap="large")
    try:
        with left:
            gallery = resources.load_gallery(gallery_choice.choose_by_address(directories))
            view = _choose_view()
        if view == CONFLICTS:
            with right:
                conflicts.show(gallery)
        else:
            duplicates.show(gallery, left, right)
    except SimilarityError as error:
        with right:
            messages.show_error(error)


def _choose_view() -> str:
    """Draw the choice of what to look at; the address may name it."""
    named = st.query_params.get("view", "")
    view = named if named in VIEWS else st.session_state.get(VIEW, DUPLICATES)
    st.session_state[VIEW] = st.session_state[VIEW_WIDGET] = view
    st.segmented_control(
        "View",
        list(VIEWS),
        required=True,
        format_func=VIEWS.__getitem__,
        key=VIEW_WIDGET,
        on_change=_change_view,
        label_visibility="collapsed",
        width="stretch",
    )
    return view


def _change_view() -> None:
    st.session_state[VIEW] = st.query_params["view"] = st.session_state[VIEW_WIDGET]

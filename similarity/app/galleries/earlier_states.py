"""The states that a gallery can go back to: buttons to undo and redo one change, and a list of all."""

from pathlib import Path

import streamlit as st

from similarity.app.galleries import job_messages, jobs_background
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown
from similarity.service import tasks
from similarity.storage.history import PastState, list_states

LIST_WIDTH = 760


def show_buttons(directory: Path) -> None:
    """Draw the buttons that undo the last change and redo the one that was undone last."""
    states = list_states(directory)
    earlier = next((state for state in states if state.is_earlier), None)
    undone = next((state for state in reversed(states) if state.is_undone), None)
    if earlier or not undone:
        _button("Undo the last change", "undo", "do_restore", directory, earlier)
    if undone:
        _button("Redo the undone change", "redo", "do_redo", directory, undone)


def show_list(directory: Path) -> None:
    """Draw the list of states, each with what led to it and a button to go there."""
    states = list_states(directory)
    others = [state for state in states if state.place]
    if not others:
        st.caption("There is no earlier state to restore.")
        return
    size = wording.size(sum(state.bytes for state in others))
    counted = "1 earlier state" if len(others) == 1 else f"{len(others)} earlier states"
    with st.expander(f"History: {counted}, {size}"), st.container(width=LIST_WIDTH, key="gallery-history"):
        for state in states:
            _show_state(directory, state)
        title = "Delete the earlier state …" if len(others) == 1 else f"Delete the {len(others)} earlier states …"
        with st.popover(title, type="tertiary", icon=":material/delete:"):
            st.markdown(f"Frees {size}. The gallery stays as it is, and changes so far can no longer be undone.")
            st.button(
                "Delete it" if len(others) == 1 else "Delete them",
                key="danger-forget_states",
                icon=":material/delete_forever:",
                on_click=_forget,
                args=(directory,),
            )


def _show_state(directory: Path, state: PastState) -> None:
    with st.container(
        horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", key=f"state-{state.number}"
    ):
        with st.container(gap=None):
            note = " :green-badge[now]" if not state.place else " :gray-badge[undone]" if state.is_undone else ""
            st.markdown(f"{as_markdown(job_messages.past(state.report))}{note}")
            st.caption(as_markdown(f"{wording.moment(state.created)} · {wording.pictures(state.count)}"))
        if state.place:
            _button("Go to this state", "history", f"restore-{state.number}", directory, state)


def _button(label: str, icon: str, key: str, directory: Path, state: PastState | None) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=key,
        on_click=_restore,
        args=(directory, state.number if state else 0),
        disabled=state is None,
    )


def _restore(directory: Path, number: int) -> None:
    jobs_background.start(directory, "restore", tasks.undo(directory, number))


def _forget(directory: Path) -> None:
    jobs_background.start(directory, "forget", tasks.forget_other_states(directory))

"""Maintenance of a gallery: check its files, undo changes, rename it, delete it."""

from pathlib import Path

import streamlit as st

from similarity.app.galleries import earlier_states, jobs_background, overview, renaming
from similarity.app.shell import fields
from similarity.app.wording.messages import as_markdown
from similarity.sample import SAMPLE
from similarity.service import tasks
from similarity.service.jobs import Task, Work
from similarity.storage.inventory import Entry, can_go_back

TO_CONFIRM = "gallery_to_delete"
NOT_THE_NAME = "This is not its name: type it exactly as above."


def show(entry: Entry, *, is_sound: bool) -> None:
    """Draw a button for each task."""
    st.markdown("##### Maintenance")
    directory = entry.directory
    with st.container(horizontal=True):
        if entry.condition != "unfinished":
            _button("Check every file", "fact_check", "verify", entry, tasks.verify(directory))
        if is_sound:
            earlier_states.show_buttons(directory)
            renaming.show(entry)
        elif entry.condition != "unfinished":
            can_restore = can_go_back(directory)
            work = tasks.undo(directory)
            _button("Restore the last sound state", "undo", "restore", entry, work, disabled=not can_restore)
        st.button("Delete …", key="delete", icon=":material/delete:", on_click=_ask, args=(entry.name,))
    if entry.condition != "unfinished":
        earlier_states.show_list(directory)
    if st.session_state.get(TO_CONFIRM) == entry.name:
        st.dialog("Delete this gallery?", on_dismiss=_cancel)(_confirm)(entry)


def _button(label: str, icon: str, task: Task, entry: Entry, work: Work, *, disabled: bool = False) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        key=f"do_{task}",
        on_click=_begin,
        args=(entry.directory, task, work),
        disabled=disabled,
    )


def _begin(directory: Path, task: Task, work: Work) -> None:
    jobs_background.start(directory, task, work)


def _ask(name: str) -> None:
    st.session_state[TO_CONFIRM] = name


def _cancel() -> None:
    st.session_state.pop(TO_CONFIRM, None)


def _confirm(entry: Entry) -> None:
    """Ask for the name, and delete the gallery; the dialog stays open when the page is drawn again."""
    st.markdown(
        f"**{as_markdown(entry.name)}** can no longer be searched, and this cannot be undone. The pictures "
        "themselves stay where they are; copies that were uploaded for it are deleted."
    )
    if entry.name == SAMPLE:
        st.markdown("The sample gallery is made again as soon as there is no other one.")
    with st.form("delete_form", border=False):
        typed = fields.text_line("Type its name", key="delete_name")
        with st.container(horizontal=True):
            is_sure = st.form_submit_button(
                "Delete it for good", key="danger-delete", type="primary", icon=":material/delete_forever:"
            )
            st.form_submit_button("Keep it", on_click=_cancel)
    if is_sure and typed != entry.name:
        st.error(NOT_THE_NAME, icon=":material/error:")
    elif is_sure:
        _cancel()
        if jobs_background.start(entry.directory, "delete", tasks.delete(entry.directory)):
            overview.show_all()
        st.rerun()
    if st.session_state.get(TO_CONFIRM) is None:
        st.rerun()

"""The dialog that renames a gallery."""

import streamlit as st

from similarity.app.galleries import jobs_background
from similarity.app.serving.access import text_for_visitor
from similarity.app.shell import fields, gallery_choice, navigation
from similarity.app.wording.messages import error_as_markdown
from similarity.errors import SimilarityError
from similarity.service.jobs import shared_jobs
from similarity.service.renaming import Renaming
from similarity.storage.inventory import Entry
from similarity.storage.renaming import check_new_name

TO_RENAME, GALLERY = "gallery_to_rename", "gallery"
UNDECIDED = "A trained head of this gallery is waiting for your choice: keep or discard it first."


def show(entry: Entry) -> None:
    """Draw the button, and the dialog once it is pressed."""
    st.button("Rename …", key="rename", icon=":material/edit:", on_click=_ask, args=(entry.name,))
    if st.session_state.get(TO_RENAME) == entry.name:
        st.dialog("Rename this gallery", on_dismiss=_cancel)(_draw)(entry)


def _ask(name: str) -> None:
    st.session_state[TO_RENAME] = name


def _cancel() -> None:
    st.session_state.pop(TO_RENAME, None)


def _draw(entry: Entry) -> None:
    with st.form("rename_form", border=False):
        name = fields.text_line("New name", text_for_visitor(entry.name), key="new_gallery_name")
        st.caption("Links with the old name say what it is called now.")
        with st.container(horizontal=True):
            is_pressed = st.form_submit_button("Rename", type="primary", icon=":material/check:")
            st.form_submit_button("Cancel", on_click=_cancel)
    if is_pressed:
        try:
            _rename(entry, name)
        except SimilarityError as error:
            st.error(error_as_markdown(error), icon=":material/error:")
            return
    if st.session_state.get(TO_RENAME) is None:
        st.rerun()


def _rename(entry: Entry, name: str) -> None:
    """Rename the gallery, and show it under its new name; raises GalleryError if the name cannot be used."""
    target = check_new_name(entry.directory, name)
    if any(job.is_undecided and job.directory == entry.directory for job in shared_jobs().listed()):
        st.warning(UNDECIDED, icon=":material/model_training:")
        return
    if not jobs_background.start(entry.directory, "rename", Renaming(entry.directory, target.name)):
        _cancel()
        return
    _cancel()
    jobs_background.wait_a_moment(entry.directory)
    if target.exists():
        st.query_params[GALLERY] = target.name
        navigation.forget_search()
        if st.session_state.get(gallery_choice.CHOSEN) == entry.name:
            st.session_state[gallery_choice.CHOSEN] = target.name

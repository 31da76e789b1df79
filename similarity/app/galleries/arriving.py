"""The upload of a gallery's pictures in pieces, as a visitor begins it and a form takes it."""

from pathlib import Path

import streamlit as st

from similarity.app.components import pieces
from similarity.app.serving import access, incoming_files, visitors
from similarity.app.wording import wording
from similarity.app.wording.messages import sentence_as_markdown
from similarity.errors import QuotaError
from similarity.service.incoming import KINDS, PIECE, Upload, shared_incoming
from similarity.sources.uploads import SUFFIXES


def show(key: str) -> str | None:
    """Draw the place to drop files; returns the name of the upload once all of it has arrived.

    Args:
        key: sets this upload apart from others on the page.
    """
    if not access.may_manage():
        return None
    try:
        name = _begin(key)
    except QuotaError as error:
        st.warning(sentence_as_markdown(str(error)), icon=":material/hourglass:")
        return None
    upload = shared_incoming().find(name, visitors.current().browser)
    is_complete = upload is not None and upload.is_complete
    pieces.show(
        incoming_files.address(name),
        kinds=KINDS,
        lists=SUFFIXES,
        piece=PIECE,
        said=_said(upload) if upload and is_complete else "",
        key=f"{key}_pieces",
    )
    return name if is_complete else None


def take(key: str, name: str, gallery: str) -> Path:
    """Move an upload to those of a gallery; raises SourceError. The next one begins anew."""
    kept = shared_incoming().take(name, visitors.current().browser, gallery)
    st.session_state.pop(_slot(key), None)
    return kept


def _begin(key: str) -> str:
    """Return the name of the upload of this form, a new one if there is none; raises QuotaError."""
    browser = visitors.current().browser
    name: str | None = st.session_state.get(_slot(key))
    if name is None or shared_incoming().find(name, browser) is None:
        name = st.session_state[_slot(key)] = shared_incoming().open(browser)
    return name


def _slot(key: str) -> str:
    return f"{key}_arriving"


def _said(upload: Upload) -> str:
    counted = wording.files(len(upload.sizes))
    return f"{counted}, {wording.size(upload.total)}, uploaded."

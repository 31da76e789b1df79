"""Query inputs: drop or choose a picture, paste one or its address, use the camera, or type words."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import streamlit as st

from similarity.app.serving.session_uploads import keep_upload
from similarity.app.shell.links import MAX_WORDS, TEXT, URL, Part
from similarity.errors import FetchError
from similarity.fetch.schemes import has_login, is_data, is_path, read_data, unquoted
from similarity.images.formats import SUFFIXES
from similarity.images.picture import QueryFile
from similarity.text import plain
from similarity.text.plain import LONGEST

TURN, NOT_UNDERSTOOD = "input_turn", "not_understood"
NO_WORDS = (
    "The model of this gallery understands pictures, not words: paste a picture, or the address of one. "
    "Galleries of a CLIP model understand both."
)
A_PATH = "This is the path of a file, which a page cannot open on your computer: drop it below, or choose it there."
WITH_LOGIN = "This address has a user name or password in it, which is not sent: paste it without."
CUT_SHORT = "This is a part of a picture written out as text: copy or download the picture itself, and drop it here."
TOO_LONG = f"This is too long: an address has {LONGEST:,} characters at most, and words are shorter."


def show(take: Callable[[Part], None], *, understands_text: bool) -> None:
    """Draw the inputs.

    Args:
        take: called with a new part of the query, before the page is drawn again.
        understands_text: whether the model accepts words.
    """
    turn = st.session_state.get(TURN, 0)
    st.chat_input(
        "Paste an image or link, or describe it" if understands_text else "Paste an image or link",
        key="paste",
        max_chars=LONGEST + 1,
        accept_file=True,
        on_submit=lambda: _take_message(take, st.session_state["paste"], understands_text=understands_text),
    )
    if why := st.session_state.pop(NOT_UNDERSTOOD, ""):
        st.info(why)
    # A file of any name: what it is, its first bytes say.
    st.file_uploader(
        "Or drop an image here, or choose a file",
        key=f"upload-{turn}",
        on_change=lambda: _take_file(take, st.session_state[f"upload-{turn}"]),
    )
    if st.toggle("Use the camera", key="camera-on"):
        st.camera_input(
            "Take a picture",
            key=f"camera-{turn}",
            on_change=lambda: _take_file(take, st.session_state[f"camera-{turn}"]),
            label_visibility="collapsed",
        )


def _take_file(take: Callable[[Part], None], file: Any) -> None:
    """Pass an uploaded picture on, if there is one."""
    if file:
        # A new key makes the field empty: its file is part of the query by now.
        st.session_state[TURN] = st.session_state.get(TURN, 0) + 1
        take(keep_upload(QueryFile(file.getvalue(), plain.short(file.name))))


def _take_message(take: Callable[[Part], None], message: Any, *, understands_text: bool) -> None:
    """Pass a pasted picture, an address or words on, or note why they cannot be used."""
    if message.files:
        _take_file(take, message.files[0])
        return
    text = message.text.strip()
    if len(message.text) > LONGEST:  # the field has cut it
        st.session_state[NOT_UNDERSTOOD] = CUT_SHORT if is_data(text) else TOO_LONG
    elif is_data(text):
        _take_data(take, text)
    elif is_path(unquoted(text)) or _is_file_name(text):
        st.session_state[NOT_UNDERSTOOD] = A_PATH
    elif is_address(text) and has_login(_with_scheme(text)):
        st.session_state[NOT_UNDERSTOOD] = WITH_LOGIN  # and stays out of the page's address
    elif is_address(text):
        take(Part(URL, _with_scheme(text)))
    elif understands_text and text:
        take(Part(TEXT, text[:MAX_WORDS]))
    else:
        st.session_state[NOT_UNDERSTOOD] = NO_WORDS


def _take_data(take: Callable[[Part], None], text: str) -> None:
    """Pass a picture that is written out in its address on, or note that it is cut short."""
    try:
        data = read_data(text)
    except FetchError:
        st.session_state[NOT_UNDERSTOOD] = CUT_SHORT
    else:
        take(keep_upload(QueryFile(data, "Pasted picture")))


def is_address(text: str) -> bool:
    """Whether a text looks like an address."""
    return "://" in text or text.startswith("//") or (" " not in text and "." in text)


def _with_scheme(text: str) -> str:
    """Add https to an address that has no scheme."""
    if text.startswith("//"):
        return f"https:{text}"
    return text if "://" in text else f"https://{text}"


def _is_file_name(text: str) -> bool:
    """Whether a text is the bare name of a picture file."""
    return not set("/\\ ") & set(text) and PurePath(text).suffix.lower() in SUFFIXES

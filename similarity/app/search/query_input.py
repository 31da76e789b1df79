"""Query inputs: drop or choose a picture, paste one or its address, use the camera, or type words."""

from collections.abc import Callable
from pathlib import PurePath
from typing import Any

import streamlit as st
from streamlit.runtime.uploaded_file_manager import UploadedFile

from similarity.app.components.drop_target import PAGE
from similarity.app.serving.session_uploads import keep_upload
from similarity.app.shell.parameters import MAX_EACH, MAX_WORDS, TEXT, URL, Part
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
A_PATH = "This is the path of a file, which a page cannot open on your computer: drop the file here, or choose it."
WITH_LOGIN = "This address has a user name or password in it, which is not sent: paste it without."
CUT_SHORT = "This is a part of a picture written out as text: copy or download the picture itself, and drop it here."
TOO_LONG = f"This is too long: an address has {LONGEST:,} characters at most, and words are shorter."


def show(take: Callable[[Part], None], *, understands_text: bool) -> None:
    """Draw the inputs beside a query.

    Args:
        take: called with a new part of the query, before the page is drawn again.
        understands_text: whether the model accepts words.
    """
    text_field(take, understands_text=understands_text)
    turn = st.session_state.get(TURN, 0)
    # A file of any name: what it is, its first bytes say.
    st.file_uploader(
        "Or choose a file",
        key=f"upload-{turn}",
        on_change=lambda: _take_file(take, st.session_state[f"upload-{turn}"]),
    )
    camera(take)


def text_field(take: Callable[[Part], None], *, understands_text: bool) -> None:
    """Draw the field for an address, words, or a pasted picture, and why the last ones could not be used."""
    st.chat_input(
        "Paste an image or link, or describe it" if understands_text else "Paste an image or link",
        key="paste",
        max_chars=LONGEST + 1,
        accept_file=True,
        on_submit=lambda: _take_message(take, st.session_state["paste"], understands_text=understands_text),
    )
    say_not_understood()


def say_not_understood() -> None:
    """Say why the last text could not be used, once."""
    if why := st.session_state.pop(NOT_UNDERSTOOD, ""):
        st.info(why)


def camera(take: Callable[[Part], None]) -> None:
    """Draw the switch of the live camera, and the camera when it is on."""
    key = f"camera-{st.session_state.get(TURN, 0)}"
    if st.toggle("Use the camera", key="camera-on"):
        st.camera_input(
            "Take a picture",
            key=key,
            on_change=lambda: _take_file(take, st.session_state[key]),
            label_visibility="collapsed",
        )


def page_uploader(take_all: Callable[[tuple[Part, ...]], None]) -> None:
    """Draw the uploader for all that is dropped or pasted anywhere on the page; `drop_target.js` fills it.

    Args:
        take_all: called with the pictures as parts of a query, one for each, before the page is drawn again.
    """
    key = f"page-upload-{st.session_state.get(TURN, 0)}"

    def take() -> None:
        # Of what the web server had no room for, only a number is left.
        files = [file for file in st.session_state[key] if isinstance(file, UploadedFile)]
        if files:
            _empty_fields()
            take_all(tuple(dict.fromkeys(map(_keep, files[:MAX_EACH]))))

    with st.container(key=PAGE):
        st.file_uploader(
            "Pictures to search with", key=key, accept_multiple_files=True, label_visibility="hidden", on_change=take
        )


def _empty_fields() -> None:
    """Make the fields empty, by new keys: their files are part of the query by now."""
    st.session_state[TURN] = st.session_state.get(TURN, 0) + 1


def _take_file(take: Callable[[Part], None], file: Any) -> None:
    """Pass an uploaded picture on, if there is one."""
    if file:
        _empty_fields()
        take(_keep(file))


def _keep(file: UploadedFile) -> Part:
    return keep_upload(QueryFile(file.getvalue(), plain.short(file.name)))


def _take_message(take: Callable[[Part], None], message: Any, *, understands_text: bool) -> None:
    """Pass a pasted picture, an address or words on, or note why they cannot be used."""
    if message.files:
        _take_file(take, message.files[0])
    else:
        take_text(take, message.text, understands_text=understands_text)


def take_text(take: Callable[[Part], None], typed: str, *, understands_text: bool) -> None:
    """Pass an address or words on, or note why they cannot be used."""
    text = typed.strip()
    if len(typed) > LONGEST:  # the field has cut it
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

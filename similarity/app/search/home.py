"""The page without a query: one large target for a picture, a field for a link or words, samples, the gallery."""

import streamlit as st

from similarity.app.components import drop_target
from similarity.app.search import query_input, query_panel, starting_points
from similarity.app.serving import session_uploads
from similarity.app.shell import links
from similarity.app.shell.parameters import MAX_EACH, Part
from similarity.gallery import Gallery

LEFT_OUT = "left_out"
NOTHING = "There is no picture in this."
TOO_LARGE = "A picture has 20 MB at most."
SOME = f"Not all are searched with: {MAX_EACH} pictures at once, of 40 MB together."


def show(gallery: Gallery) -> None:
    """Draw the inputs, and what to start from."""
    with st.container(key="home-inputs"):
        take_anywhere(gallery, is_large=True)
        query_input.text_field(search_with, understands_text=gallery.understands_text)
        with st.container(key="live-camera"):  # where there is no camera app; see `style.py`
            query_input.camera(search_with)
    starting_points.show(gallery)


def take_anywhere(gallery: Gallery, *, is_large: bool = False) -> None:
    """Take what is dropped or pasted anywhere on the page: one picture is a search, several are one each."""

    def take_text(text: str, is_adding: bool) -> None:
        take = query_panel.add_part if is_adding else search_with
        query_input.take_text(take, text, understands_text=gallery.understands_text)

    largest = st.get_option("server.maxUploadSize") * 1_048_576
    limits = drop_target.Limits(MAX_EACH, largest, session_uploads.MOST_BYTES)
    drop_target.show(take_text, _note_left_out, is_large=is_large, limits=limits)
    if why := st.session_state.pop(LEFT_OUT, ""):
        st.toast(why, icon=":material/error:", duration="long")
    query_input.page_uploader(_take_all)
    if not is_large:
        query_input.say_not_understood()


def _note_left_out(taken: int, large: int) -> None:
    """Note why not all that was dropped, pasted or chosen is searched with."""
    if not (taken or large):
        st.session_state[LEFT_OUT] = NOTHING
    elif large and not taken:
        st.session_state[LEFT_OUT] = TOO_LARGE
    else:
        st.session_state[LEFT_OUT] = f"{SOME} {TOO_LARGE}" if large else SOME


def search_with(part: Part) -> None:
    """Make a picture or words the query, in place of the one before."""
    links.set_query((part,), ())


def _take_all(parts: tuple[Part, ...]) -> None:
    if len(parts) == 1:
        search_with(parts[0])
    else:
        links.set_each(parts)

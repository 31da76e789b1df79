"""The title of the browser's tab: what is shown, of which gallery, so that tabs and bookmarks can be told apart."""

import streamlit as st

from similarity.app.serving.access import text_for_visitor

APP, PAGE, SHOWN = "Similarity", "tab_page", "tab_title"
# Characters of a name in a title, of which browsers show few.
LONGEST = 40


def last() -> str:
    """Return the title that was shown last in this tab."""
    return str(st.session_state.get(SHOWN, APP))


def begin(page: str) -> None:
    """Set the title for a page of which no more is known yet; the one before stays if the page is drawn again.

    Args:
        page: its title; empty for the one that the app opens with.
    """
    if st.session_state.get(PAGE) != page:
        st.session_state[PAGE] = page
        _write(page)


def show(gallery: str, query: str = "") -> None:
    """Set the title once the gallery is known, and the query if there is one."""
    _write(query or st.session_state.get(PAGE, ""), gallery)


def _write(*facts: str) -> None:
    names = [_short(text_for_visitor(fact)) for fact in facts if fact]
    st.session_state[SHOWN] = " · ".join([*names, APP])
    st.set_page_config(page_title=last())


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

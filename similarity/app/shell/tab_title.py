"""The title of the browser's tab: what is shown, of which gallery, so that tabs and bookmarks can be told apart."""

import streamlit as st

from similarity.app.serving.access import text_for_visitor

APP, PAGE = "Similarity", "tab_page"
# Characters of a name in a title, of which browsers show few.
LONGEST = 40


def begin(page: str) -> None:
    """Set the title for a page of which no more is known yet.

    Args:
        page: its title; empty for the one that the app opens with.
    """
    st.session_state[PAGE] = page
    _write(page)


def show(gallery: str, query: str = "") -> None:
    """Set the title once the gallery is known, and the query if there is one."""
    _write(query or st.session_state.get(PAGE, ""), gallery)


def _write(*facts: str) -> None:
    names = [_short(text_for_visitor(fact)) for fact in facts if fact]
    st.set_page_config(page_title=" · ".join([*names, APP]))


def _short(text: str) -> str:
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"

"""The bar at the bottom of a telephone's screen: the pages for everybody, within reach of a thumb; see `style.py`."""

import streamlit as st
from streamlit.navigation.page import StreamlitPage

NAMES = ("search", "map", "galleries")


def show(pages: dict[str, StreamlitPage]) -> None:
    """Draw the bar, which only a narrow screen shows."""
    with st.container(horizontal=True, gap=None, key="bottom-bar"):
        for name in NAMES:
            page = pages[name]
            st.page_link(page, width="stretch")

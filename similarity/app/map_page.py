"""The map page."""

import streamlit as st


def show() -> None:
    """Draw the page."""
    st.title("Map", anchor=False)

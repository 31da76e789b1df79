"""The about page."""

import streamlit as st


def show() -> None:
    """Draw the page."""
    st.title("About", anchor=False)

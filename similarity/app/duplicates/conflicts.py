"""Label conflicts: pictures whose labels contradict each other, worst first."""

import streamlit as st

from similarity.gallery import Gallery


def show(gallery: Gallery) -> None:
    """Draw the conflicts of a gallery."""
    st.caption(f"{len(gallery):,} pictures")

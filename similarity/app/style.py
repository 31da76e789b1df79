"""The few rules of appearance that Streamlit's theme has no option for."""

import streamlit as st

# Boxes of one size keep the grid still while pictures load, and `contain` shows every picture whole.
CSS = """
<style>
[data-testid="stMainBlockContainer"] { padding-top: 1.5rem; padding-bottom: 3rem; max-width: 1500px; }
.st-key-results [data-testid="stImage"] img {
  width: 100%; aspect-ratio: 1; object-fit: contain; border-radius: 0.5rem;
  background: color-mix(in srgb, currentColor 6%, transparent);
}
.st-key-results p { overflow: hidden; text-overflow: ellipsis; white-space: nowrap; }
.st-key-samples [data-testid="stImage"] img { width: 100%; aspect-ratio: 1; border-radius: 0.5rem; }
/* The whole tile of a sample is its button, the picture too. */
[class*="st-key-sample-tile"] { position: relative; }
[class*="st-key-sample-tile"] .stElementContainer:has(.stButton) { position: static; }
[class*="st-key-sample-tile"] [data-testid="stElementToolbar"] { display: none; }
[class*="st-key-sample-tile"] .stButton button::after { content: ""; position: absolute; inset: 0; z-index: 1; }
[class*="st-key-sample-tile"]:hover img { filter: brightness(1.08); }
.st-key-query [data-testid="stImage"] img { max-height: 24rem; object-fit: contain; border-radius: 0.5rem; }
</style>
"""


def apply() -> None:
    """Add the rules to the page."""
    st.html(CSS)

"""The two elements that Streamlit has none of: a grid of pictures to click on, and a picture to cut a part out of."""

from importlib.resources import files

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer


def load(name: str, html: str) -> ComponentRenderer:
    """A component made of the files `name`.js and `name`.css beside this one."""
    folder = files(__name__)
    script, rules = ((folder / f"{name}.{kind}").read_text("utf-8") for kind in ("js", "css"))
    return st.components.v2.component(f"similarity_{name}", html=html, css=rules, js=script)

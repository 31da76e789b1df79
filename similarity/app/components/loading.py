"""Loading of our own elements from the scripts and styles beside this file."""

from importlib.resources import files

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer


def load(name: str, html: str) -> ComponentRenderer:
    """Make a component of the files `name`.js and `name`.css beside this one."""
    folder = files(__package__ or "")
    script, rules = ((folder / f"{name}.{kind}").read_text("utf-8") for kind in ("js", "css"))
    return st.components.v2.component(f"similarity_{name}", html=html, css=rules, js=script)

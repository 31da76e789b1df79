"""Loading of our own elements from the scripts and styles beside this file."""

from collections.abc import Sequence
from importlib.resources import files

import streamlit as st
from streamlit.components.v2.types import ComponentRenderer

# Put before the scripts of every element.
SHARED = "element"


def load(name: str, html: str, *, scripts: Sequence[str] = ()) -> ComponentRenderer:
    """Make a component of the files `name`.js and `name`.css beside this one.

    Args:
        scripts: names of the files that its script is made of, in this order, if it has more than one.
    """
    folder = files(__package__ or "")
    script = "\n".join((folder / f"{part}.js").read_text("utf-8") for part in (SHARED, *(scripts or [name])))
    rules = (folder / f"{name}.css").read_text("utf-8")
    return st.components.v2.component(f"similarity_{name}", html=html, css=rules, js=script)

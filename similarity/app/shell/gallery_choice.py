"""The choice of a gallery, with which a page that shows one begins."""

from pathlib import Path

import streamlit as st

from similarity.app.serving import access
from similarity.app.shell import first_start, links, navigation
from similarity.app.shell.links import Link
from similarity.app.wording import messages
from similarity.sample import SAMPLE
from similarity.storage.inventory import list_galleries

CHOSEN = "chosen_gallery"


def available_galleries() -> list[Path]:
    """Return the folders of all galleries; if there are none, draw how to make one."""
    first_start.prepare_sample()
    directories = list_galleries()
    if not directories:
        st.subheader("There is no gallery yet", anchor=False)
        st.markdown("A gallery is a folder of pictures that has been made ready for searching.")
        if st.button("Make one", icon=":material/add:", type="primary"):
            navigation.go("galleries")
    return directories


def choose_by_address(directories: list[Path]) -> Path:
    """Draw the choice of a gallery, with a warning if the page's address names one that does not exist."""
    link = links.read()
    if link.gallery and link.gallery not in [path.name for path in directories]:
        st.warning(f"There is no gallery named {messages.as_markdown(link.gallery)}.", icon=":material/link_off:")
    return choose(directories, link)


def choose(directories: list[Path], link: Link) -> Path:
    """Draw the choice of a gallery; the page's address follows it.

    If the address names none, the default is the gallery that was chosen last on any page, then the sample, then the
    first.
    """
    names = {directory.name: directory for directory in directories}
    wanted = (link.gallery, st.session_state.get(CHOSEN), SAMPLE, next(iter(names)))
    st.session_state["gallery"] = st.session_state[CHOSEN] = next(name for name in wanted if name in names)
    return names[
        st.selectbox("Gallery", list(names), format_func=access.text_for_visitor, key="gallery", on_change=_on_change)
    ]


def _on_change() -> None:
    links.change_gallery(st.session_state["gallery"])

"""The choice of a gallery, with which a page that shows one begins."""

from pathlib import Path

import streamlit as st

from similarity.app.components import address
from similarity.app.galleries import job_strip
from similarity.app.serving import access
from similarity.app.shell import first_start, links, navigation, tab_title
from similarity.app.shell.parameters import Link
from similarity.app.wording import messages
from similarity.paths import galleries_folder
from similarity.sample import SAMPLE
from similarity.service.jobs import shared_jobs
from similarity.storage.inventory import list_galleries
from similarity.storage.renaming import renamed_to

CHOSEN = "chosen_gallery"
# The entry of the list that makes a gallery, which no gallery is named like.
NEW, NEW_NAME, WANTS_NEW = "", "New gallery …", "wants_new_gallery"


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
        say_missing(link.gallery)
    return choose(directories, link)


def say_missing(name: str, *, shown: str = "") -> None:
    """Say that the gallery of an address is not there, or not there yet.

    Args:
        shown: the gallery that is shown instead.
    """
    instead = f" This is {messages.as_markdown(shown)}." if shown else ""
    if any(job.is_active and job.directory.name == name for job in shared_jobs().listed()):
        st.info(f"{messages.as_markdown(name)} is still being built.{instead}", icon=":material/hourglass:")
    elif now := renamed_to(name):
        st.info(
            f"{messages.as_markdown(name)} was renamed to {messages.as_markdown(now)}.{instead}",
            icon=":material/edit:",
        )
        if st.button(f"Open {messages.as_markdown(now)}", key="open-renamed", icon=":material/arrow_forward:"):
            links.change_gallery(now)
            st.rerun()
    else:
        st.warning(f"There is no gallery named {messages.as_markdown(name)}.{instead}", icon=":material/link_off:")


def choose(directories: list[Path], link: Link) -> Path:
    """Draw the choice of a gallery; the page's address follows it.

    If the address names none, the default is the gallery that was chosen last on any page, then the sample, then the
    first.
    """
    if st.session_state.pop(WANTS_NEW, False):  # callbacks cannot go to another page
        navigation.go("galleries", {"new": "1"})
    names = {directory.name: directory for directory in directories}
    default = SAMPLE if SAMPLE in names else next(iter(names))
    wanted = (link.gallery, st.session_state.get(CHOSEN), default)
    st.session_state["gallery"] = st.session_state[CHOSEN] = next(name for name in wanted if name in names)
    chosen = st.selectbox(
        "Gallery",
        [*names, NEW] if access.may_manage() else list(names),
        format_func=lambda name: access.text_for_visitor(name) if name else NEW_NAME,
        key="gallery",
        on_change=_on_change,
    )
    address.name_gallery("" if link.gallery or chosen == default else chosen)
    tab_title.show(chosen)
    job_strip.show([names[chosen], *([galleries_folder() / link.gallery] if link.gallery else [])])
    return names[chosen]


def _on_change() -> None:
    if st.session_state["gallery"] == NEW:
        st.session_state[WANTS_NEW] = True
        return
    links.change_gallery(st.session_state["gallery"])

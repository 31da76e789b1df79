"""A dialog in which a manager chooses a folder of this computer, by clicking or by its path."""

from contextlib import suppress
from pathlib import Path

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from similarity.app.serving import access
from similarity.app.shell import fields
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, error_as_markdown
from similarity.errors import SimilarityError
from similarity.paths import full_path
from similarity.sources.browsing import MOST_PICTURES, Count, Listing, count_pictures, list_folders
from similarity.sources.locations import unquoted

# The path in the dialog's field is the folder that is shown.
OPEN, HERE, CHOSEN = "folder_dialog_open", "folder_dialog_path", "folder_chosen"
# Nothing moves from one folder to the next: the list has one height, and so has what is said below it.
CSS = """<style>
.st-key-folder-list > * > [data-testid="stHorizontalBlock"] { flex-wrap: nowrap; }
.st-key-folder-list .stButton button { text-align: left; overflow-wrap: anywhere; }
.st-key-folder-foot { min-height: 2.75rem; flex-wrap: nowrap !important; }
.st-key-folder-foot > :first-child { flex: 1 1 0; }
.st-key-folder-foot p { line-height: 1.3; }
.st-key-folder-way { flex-wrap: nowrap !important; }
/* That a path may have 2,048 characters is of no use, and lies over the path on a small screen. */
:is(.st-key-folder-way, .st-key-new_place, .st-key-add_place) [data-testid="InputInstructions"] { display: none; }
</style>"""


def take_choice(key: str) -> str | None:
    """Return the folder that was just chosen for a field, once."""
    chosen: str | None = st.session_state.pop(f"{CHOSEN}-{key}", None)
    return chosen


def show_button(key: str) -> None:
    """Draw the button that opens the dialog, which begins at the typed path if that is a folder.

    Args:
        key: that of the field whose path is chosen.
    """
    if not access.may_manage():
        return
    st.button("Browse …", icon=":material/folder_open:", key=f"browse-{key}", on_click=_open, args=(key,))
    if st.session_state.get(OPEN) == key:
        st.dialog("Choose a folder", width="medium", on_dismiss=_close)(_draw)(key)


def _open(key: str) -> None:
    """Open the dialog at what is in the field now, which the last run may not have seen yet."""
    st.session_state[OPEN] = key
    _enter(_beginning(unquoted(str(st.session_state.get(key) or ""))))


def _beginning(typed: str) -> Path:
    """Return the typed folder, or the nearest one above it that exists; without one, that of this user's pictures."""
    try:
        return _nearest(full_path(typed or "~/Pictures"))
    except (SimilarityError, OSError):
        return Path("/")


def _nearest(path: Path) -> Path:
    return next((folder for folder in (path, *path.parents) if folder.is_dir()), Path("/"))


def _close() -> None:
    st.session_state.pop(OPEN, None)


def _enter(folder: Path) -> None:
    st.session_state[HERE] = str(folder)


def _go_up() -> None:
    with suppress(SimilarityError, OSError):
        here = _here()
        nearest = _nearest(here)
        _enter(nearest.parent if nearest == here else nearest)


def _here() -> Path:
    """Return the folder in the dialog's field; raises SimilarityError if it cannot be a path."""
    return full_path(unquoted(st.session_state.get(HERE) or "/"))


def _draw(key: str) -> None:
    """Draw the path of the folder, the folders in it, and the button that chooses it."""
    if not access.may_manage():
        return
    with st.container(horizontal=True, key="folder-way", gap="small"):
        st.button("Up", key="folder-up", icon=":material/arrow_upward:", on_click=_go_up)
        fields.text_line("Path", key=HERE, label_visibility="collapsed", placeholder="Type or paste a path")
    listed = st.empty()  # gives up the folders of before at once
    with st.container(horizontal=True, vertical_alignment="center", key="folder-foot"):
        counted = st.empty()
        counted.markdown("Counting the pictures …")
        total = _show_listing(listed)
        counted.markdown(f"In this folder and below: **{_pictures(total)}**" if total else "")
        is_empty = not total or (total.is_all and not total.pictures)
        if st.button("Use this folder", type="primary", icon=":material/check:", key="use-folder", disabled=is_empty):
            st.session_state[f"{CHOSEN}-{key}"] = str(_here())
            _close()
            st.rerun()


def _show_listing(place: DeltaGenerator) -> Count | None:
    """Draw what is in the folder in a place, or why it cannot be opened; returns the number of its pictures, if so."""
    with place.container(height=320, gap=None, key="folder-list"):
        try:
            return _show_folders(list_folders(_here()))
        except SimilarityError as error:
            st.error(error_as_markdown(error), icon=":material/error:")
            return None


def _show_folders(listing: Listing) -> Count:
    """Draw the folders, and the number of pictures in each as soon as it is known; returns that in all of them."""
    places = [_show_folder(listing.folder / name) for name in listing.folders]
    if not listing.folders:
        st.caption("There are no folders in it.")
    if not listing.is_all:
        st.caption("There are more folders than are listed. Type the path to use another one.")
    if listing.unreadable:
        names = ", ".join(map(as_markdown, listing.unreadable[:5])) + (" …" if len(listing.unreadable) > 5 else "")
        st.caption(f"This app may not open {names}.")
    counts = []
    for place, count in zip(places, count_pictures(listing), strict=True):
        place.caption(_pictures(count))
        counts.append(count)
    return listing.total(counts)


def _show_folder(folder: Path) -> DeltaGenerator:
    """Draw a button for a folder; returns the place beside it for the number of its pictures."""
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            as_markdown(folder.name),
            key=f"folder-{folder}",
            icon=":material/folder:",
            type="tertiary",
            on_click=_enter,
            args=(folder,),
        )
        return st.empty()


def _pictures(count: Count) -> str:
    """Write a number of pictures; of one that is not known, whether there are any, which no other count contradicts."""
    if count.is_all:
        return wording.pictures(count.pictures) if count.pictures else "no pictures"
    if count.pictures >= MOST_PICTURES:
        return f"more than {MOST_PICTURES:,} pictures"
    return "pictures, not counted" if count.pictures else "not counted"

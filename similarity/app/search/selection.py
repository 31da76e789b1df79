"""The bar of selected results: a gallery is made of them, they are exported, or leave the gallery."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import streamlit as st

from similarity.app.duplicates import removal
from similarity.app.galleries import jobs
from similarity.app.search import collecting, exports
from similarity.app.search.copies import Found
from similarity.app.search.turns import Asked
from similarity.app.serving import access
from similarity.app.shell import links
from similarity.app.shell.parameters import Link
from similarity.app.wording.messages import as_markdown, sentence_as_markdown
from similarity.app.wording.wording import pictures
from similarity.errors import SearchError
from similarity.gallery import Gallery
from similarity.search import Hit
from similarity.service.jobs import shared_jobs
from similarity.service.taking_out import PuttingBack, TakingOut
from similarity.sources.base import files_of
from similarity.storage.current import live_number

SELECTION, IS_ASKED, TAKEN = "selection", "selection_is_asked", "selection_taken"
# The bar lies over the lower edge of the window, so that it moves nothing when it comes and goes.
CSS = """
<style>
[class*="st-key-selection-bar"] { position: fixed; z-index: 999985; left: 50%;
  bottom: calc(1rem + var(--bottom-bar, 0px)); transform: translateX(-50%);
  width: max-content !important; max-width: calc(100vw - 1rem); padding: 0.5rem 0.75rem;
  border: 1px solid color-mix(in srgb, currentColor 18%, transparent); border-radius: 0.75rem;
  background: light-dark(#ffffff, #1c2523); box-shadow: 0 6px 24px rgb(0 0 0 / 22%); }
[class*="st-key-selection-bar"] > div { width: auto !important; }
[class*="st-key-selection-bar"] [data-testid="stMarkdownContainer"] { margin: 0; }
[class*="st-key-selection-bar"] p { white-space: nowrap; margin: 0; }
[data-testid="stMainBlockContainer"]:has([class*="st-key-selection-bar"]) { padding-bottom: 8rem; }
@media (max-width: 640px) {
  [class*="st-key-selection-bar"] { gap: 0.35rem !important; padding: 0.4rem 0.5rem; }
  [class*="st-key-selection-bar"] button { padding: 0.25rem 0.5rem; }
  /* How many there are and the way to none in one row, what can be done with them in the next. */
  [class*="st-key-selection-bar"]:has(.st-key-selection-clear) > :first-child { flex: 1 0 60% !important; }
  [class*="st-key-selection-bar"]:has(.st-key-selection-clear) > * { order: 2; flex: 1 0 auto !important; }
  [class*="st-key-selection-bar"] > .st-key-selection-clear { order: 1; flex: none !important; }
  [class*="st-key-selection-bar"]:has(.st-key-selection-clear) > :first-child { order: 0; }
}
</style>
"""


@dataclass(frozen=True, slots=True)
class Selection:
    """The pictures that a visitor has selected.

    Attributes:
        directory: the gallery's folder; in another gallery nothing is selected.
        state: the gallery's state in which all of them were there.
        ids: their public ids, in the order in which they were selected.
    """

    directory: Path
    state: str
    ids: tuple[str, ...]


def selected(gallery: Gallery) -> tuple[str, ...]:
    """Return the public ids of the pictures of a gallery that are selected."""
    selection: Selection | None = st.session_state.get(SELECTION)
    if selection is None or selection.directory != gallery.directory:
        return ()
    if selection.state != gallery.state:  # some may have left it
        select(gallery, [picture for picture in selection.ids if _is_there(gallery, picture)])
        return selected(gallery)
    return selection.ids


def select(gallery: Gallery, ids: Sequence[str]) -> None:
    """Select pictures of a gallery, and no others; for a callback."""
    st.session_state[SELECTION] = Selection(gallery.directory, gallery.state, tuple(ids))


def clear() -> None:
    """Select nothing."""
    st.session_state.pop(SELECTION, None)
    st.session_state.pop(IS_ASKED, None)


def show(gallery: Gallery, hits: Sequence[Hit], asked: Asked, found: Found, link: Link) -> None:
    """Draw the bar if anything is selected, or what became of what was.

    Args:
        hits: all results, of which the selected ones are exported.
        link: the search.
    """
    if not gallery.is_live and not shared_jobs().active(gallery.directory):
        st.rerun()  # another state of it was made by a click on this bar
    _say_refusal()
    ids = selected(gallery)
    made, taken = collecting.made(gallery), _taken(gallery)
    if not (ids or made or taken):
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="selection-bar"):
        if ids:
            _show_actions(gallery, ids, exports.selected_among(hits, ids), asked, found, link)
        elif made:
            collecting.show_made(made)
        else:
            _show_taken(gallery)
    collecting.show_if_asked(gallery, ids)
    if st.session_state.get(IS_ASKED) and ids:
        title = "Remove a picture?" if len(ids) == 1 else "Remove pictures?"
        st.dialog(title, on_dismiss=_keep)(_confirm)(gallery, ids)


def _show_actions(
    gallery: Gallery, ids: Sequence[str], chosen: Sequence[Hit], asked: Asked, found: Found, link: Link
) -> None:
    st.markdown(f"**{len(ids):,} selected**", width="content")
    if access.may_manage():
        st.button("Make a gallery", icon=":material/library_add:", key="selection-collect", on_click=collecting.ask)
    if chosen:
        with st.popover("Export", icon=":material/download:", key="selection-export"):
            if len(chosen) < len(ids):
                st.caption(f"{len(chosen):,} of {len(ids):,}: the others are not among these results.")
            exports.show_kinds(gallery, chosen, asked, found, link, key="selection")
    if access.may_manage():
        icon = ":material/remove_circle_outline:"
        st.button("Remove from the gallery", icon=icon, key="selection-take-out", on_click=_ask)
    st.button("Clear", icon=":material/close:", key="selection-clear", type="tertiary", on_click=clear)


def _ask() -> None:
    st.session_state[IS_ASKED] = True


def _keep() -> None:
    st.session_state.pop(IS_ASKED, None)


def _confirm(gallery: Gallery, ids: Sequence[str]) -> None:
    """Draw the question whether selected pictures are to leave the gallery."""
    is_one = len(ids) == 1
    stays = "Its file stays where it is" if is_one else "Their files stay where they are"
    st.markdown(f"{pictures(len(ids))} would leave **{as_markdown(gallery.name)}**. {stays}, and you can undo this.")
    with st.container(horizontal=True):
        label = f"Remove {pictures(len(ids))}"
        is_sure = st.button(label, key="danger-take-out", type="primary", icon=":material/remove_circle_outline:")
        if st.button("Keep it" if is_one else "Keep them", key="selection-keep"):
            _keep()
            st.rerun()
    if is_sure:
        _take_out(gallery, ids)
        st.rerun()


def _take_out(gallery: Gallery, ids: Sequence[str]) -> None:
    items = [gallery.find(picture) for picture in ids if _is_there(gallery, picture)]
    work = TakingOut.of(gallery, [file.id for file in files_of(items)], ())
    removal.start(gallery, "remove", work)
    st.session_state[TAKEN] = work
    clear()
    _follow(gallery)


def _put_back(gallery: Gallery, work: TakingOut) -> None:
    removal.put_back(gallery, work)
    _follow(gallery)


def _follow(gallery: Gallery) -> None:
    """Let the address name the state that this search is now of, since the visitor made it."""
    links.write(replace(links.read(), generation=live_number(gallery.directory)))


def _say_refusal() -> None:
    """Say once why nothing was taken out or put back."""
    st.session_state.pop(removal.HAS_STARTED, None)
    if refusal := st.session_state.pop(removal.NOT_STARTED, ""):
        st.toast(sentence_as_markdown(refusal), icon=":material/info:", duration="long")


def _taken(gallery: Gallery) -> bool:
    """Whether there is a job of this visitor that takes pictures out of the gallery, or puts them back."""
    work: TakingOut | None = st.session_state.get(TAKEN)
    return work is not None and any(_is_of(job.work, work) for job in removal.jobs_of(gallery))


def _show_taken(gallery: Gallery) -> None:
    """Draw that job while it runs, and then its outcome with the way back."""
    if shared_jobs().active(gallery.directory):
        jobs.show_active_of(gallery.directory)
        return
    work: TakingOut = st.session_state[TAKEN]
    others = [job.work for job in removal.jobs_of(gallery) if not _is_of(job.work, work)]
    removal.show_outcome(gallery, others, undo=_put_back)


def _is_of(work: object, taken: TakingOut) -> bool:
    return work is taken or (isinstance(work, PuttingBack) and work.taken is taken)


def _is_there(gallery: Gallery, picture: str) -> bool:
    try:
        gallery.find(picture)
    except SearchError:
        return False
    return True

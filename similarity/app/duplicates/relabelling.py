"""Changing labels of a gallery from the page: as a job in the background, with its outcome and undo."""

from collections.abc import Sequence

import streamlit as st

from similarity.app.galleries import jobs, jobs_background
from similarity.app.serving import access
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown, sentence_as_markdown
from similarity.errors import GalleryError
from similarity.gallery import Gallery
from similarity.service.jobs import Job, shared_jobs
from similarity.service.relabelling import Relabelling, TakingBack
from similarity.sources import Item
from similarity.sources.base import LABEL
from similarity.sources.originals import file_name
from similarity.storage.given_labels import check_label

HAS_STARTED = "relabelling_started"
# Pictures that are named, and letters of each name.
MOST_NAMED, LONGEST_NAME = 2, 20

Work = Relabelling | TakingBack


def give(gallery: Gallery, items: Sequence[Item], label: str | None = None) -> None:
    """Start to give pictures a label, or to confirm those that they have; for the callback of a button."""
    _start(Relabelling.of(gallery, items, label))


def give_chosen(gallery: Gallery, item: Item, key: str) -> None:
    """Start to give a picture the label in a field; for its callback."""
    label = st.session_state.get(key)
    if not isinstance(label, str) or item.labels == [label]:
        return
    try:
        give(gallery, [item], label if label in gallery.facets.counts(LABEL) else check_label(label))
    except GalleryError as error:
        st.session_state[jobs_background.NOTICE] = str(error)
        _tell_refusal()


def show(gallery: Gallery) -> bool:
    """Draw the job of a gallery that runs, or tell what one has done that just ended; returns whether one runs."""
    if not access.may_manage():
        return False
    if shared_jobs().active(gallery.directory):
        jobs.show_active_of(gallery.directory)
        return True
    if st.session_state.pop(HAS_STARTED, False):  # whoever has scrolled down does not see the outcome
        for job, work in _ended(gallery)[-1:]:
            is_done = job.status.state == "done"
            icon = ":material/check_circle:" if is_done else ":material/error:"
            st.toast(_outcome(gallery, job, work), icon=icon, duration="short" if is_done else "long")
    return False


def show_outcome(gallery: Gallery) -> bool:
    """Draw what the last job that changed labels has done, with what can be done next; returns whether there is one."""
    ended = _ended(gallery) if access.may_manage() else []
    for job, work in ended:
        _show_ended(gallery, job, work)
    return bool(ended)


def _ended(gallery: Gallery) -> list[tuple[Job, Work]]:
    ours = [job for job in shared_jobs().listed() if job.directory == gallery.directory and not job.is_active]
    return [(job, job.work) for job in ours if isinstance(job.work, Relabelling | TakingBack)]


def _start(work: Work) -> None:
    if not jobs_background.start(work.directory, "relabel", work):
        _tell_refusal()
        return
    st.session_state[HAS_STARTED] = True
    jobs_background.wait_a_moment(work.directory)


def _tell_refusal() -> None:
    """Say why nothing was started wherever the visitor has scrolled to; the page says it at its top, too."""
    refusal = st.session_state.get(jobs_background.NOTICE, "")
    st.toast(sentence_as_markdown(refusal), icon=":material/error:", duration="long")


def _show_ended(gallery: Gallery, job: Job, work: Work) -> None:
    """Draw the outcome of a job, with what can be done next."""
    state = job.status.state
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute", gap="small"):
        st.markdown(f"{jobs.ICONS[state]} {_outcome(gallery, job, work)}", width="content")
        with st.container(horizontal=True, width="content"):
            if state == "done" and isinstance(work, Relabelling):
                undo = TakingBack(work)
                icon = ":material/undo:"
                st.button("Undo", key="relabelling-undo", type="tertiary", icon=icon, on_click=_start, args=(undo,))
            st.button(
                "Dismiss", key="relabelling-dismiss", type="tertiary", on_click=jobs_background.dismiss, args=(job,)
            )


def _outcome(gallery: Gallery, job: Job, work: Work) -> str:
    if job.status.state == "failed":
        return sentence_as_markdown(job.status.error)
    if job.status.state == "cancelled":
        return "It was cancelled: the labels are as they were."
    if isinstance(work, TakingBack):
        return _outcome_of_undoing(work)
    if work.is_confirmed and work.made and not work.made.contents:
        return "Nothing was confirmed: the labels were changed since they were shown."
    if work.is_confirmed:
        verb = "stays" if len(work.labels) == 1 else "stay"
        return f"Confirmed: {_pictures(gallery, work)} {verb} labelled as before, also after a sync."
    label, verb = next(iter(work.labels.values())), "is" if len(work.labels) == 1 else "are"
    said = as_markdown(label) if isinstance(label, str) else ""
    return f"{_pictures(gallery, work)} {verb} now labelled **{said}**. A sync keeps that."


def _pictures(gallery: Gallery, work: Relabelling) -> str:
    """Name the pictures that were labelled, as Markdown, if they are few; or else count them."""
    rows = [gallery.items.find(sha256) for sha256 in work.labels]
    known = gallery.items.at([row for row in rows if row is not None])
    if len(known) != len(rows) or len(rows) > MOST_NAMED:
        return wording.pictures(len(rows))
    return " and ".join(f"**{as_markdown(_short(file_name(item)))}**" for item in known)


def _short(name: str) -> str:
    """Return a name that leaves room for what was done: those of photographs are often 40 letters of numbers."""
    return name if len(name) <= LONGEST_NAME else f"{name[: LONGEST_NAME - 1]}…"


def _outcome_of_undoing(work: TakingBack) -> str:
    """Say what was undone, and what was left as others have it now."""
    done = work.done
    if done is None or not (done.changed or done.gone):
        return "The labels are as they were."
    said = [f"{wording.pictures(done.undone)} {'has' if done.undone == 1 else 'have'} the label of before."]
    if done.changed:
        verb = "was" if done.changed == 1 else "were"
        said.append(f"{wording.pictures(done.changed)} {verb} labelled anew since, so nothing was undone there.")
    if done.gone:
        said.append(f"{wording.pictures(done.gone)} {'is' if done.gone == 1 else 'are'} not in the gallery any more.")
    return " ".join(said if done.undone else said[1:])

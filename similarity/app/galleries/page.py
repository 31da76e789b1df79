"""The galleries page: the list of galleries, the details of one, and the form for a new one."""

import streamlit as st

from similarity.app.components import attention
from similarity.app.galleries import details, folder_dialog, jobs, jobs_background, new, overview
from similarity.app.serving import access
from similarity.app.wording.messages import as_markdown
from similarity.service.jobs import Job, shared_jobs
from similarity.service.renaming import Renaming
from similarity.storage.inventory import take_inventory
from similarity.storage.renaming import renamed_to

# Cards in as many columns as there is room for, each with a strip of pictures of one shape above its text.
CSS = """
<style>
.st-key-gallery-some [data-testid="stImageContainer"] img { aspect-ratio: 1; object-fit: cover; border-radius: 0.4rem; }
.st-key-gallery-some [data-testid="stImage"], .st-key-gallery-some [data-testid="stImage"] > div { gap: 0.4rem; }
.st-key-gallery-some [data-testid="stElementToolbar"] { display: none; }
.st-key-gallery-cards { display: grid !important; gap: 1rem;
  grid-template-columns: repeat(auto-fill, minmax(min(18rem, 100%), 1fr)); }
.st-key-gallery-cards > * { width: auto !important; height: 100%; }
.st-key-gallery-cards > * > [data-testid="stVerticalBlock"] { width: 100% !important; height: 100%; padding: 0;
  overflow: hidden; gap: 0.75rem; }
[class*="st-key-gallery-mosaic-"] { aspect-ratio: 3 / 2; overflow: hidden; justify-content: center;
  align-items: stretch; background: color-mix(in srgb, currentColor 6%, transparent); }
[class*="st-key-gallery-mosaic-"] > * { width: 100% !important; }
[class*="st-key-gallery-mosaic-"] [data-testid="stMarkdown"] { text-align: center; opacity: 0.5; }
[class*="st-key-gallery-mosaic-"] :has(> [data-testid="stImageContainer"]) {
  display: grid !important; grid-template-columns: repeat(3, 1fr); gap: 2px; width: 100% !important; }
[class*="st-key-gallery-mosaic-"] [data-testid="stImageContainer"] { width: 100% !important; margin: 0; }
[class*="st-key-gallery-mosaic-"] [data-testid="stImageContainer"] img {
  width: 100% !important; aspect-ratio: var(--cover, 1); object-fit: cover; border-radius: 0; }
/* Fewer than six fill the cover, too. */
[class*="st-key-gallery-mosaic-"] :has([data-testid="stImageContainer"]) { width: 100% !important; }
[class*="st-key-gallery-mosaic-"] :has(> [data-testid="stImageContainer"]:first-child:last-child) {
  grid-template-columns: 1fr; --cover: 3 / 2; }
[class*="st-key-gallery-mosaic-"] :has(> [data-testid="stImageContainer"]:nth-child(2):last-child) {
  grid-template-columns: repeat(2, 1fr); --cover: 3 / 4; }
[class*="st-key-gallery-mosaic-"] :has(> [data-testid="stImageContainer"]:nth-child(3):last-child) { --cover: 1 / 2; }
[class*="st-key-gallery-mosaic-"] :has(> [data-testid="stImageContainer"]:nth-child(4):last-child) {
  grid-template-columns: repeat(2, 1fr); --cover: 3 / 2; }
[class*="st-key-gallery-text-"] > * { max-width: 100%; }
.st-key-gallery-cards [class*="st-key-gallery-text-"], [class*="st-key-gallery-actions-"] { padding: 0 1rem; }
[class*="st-key-gallery-actions-"] { padding-bottom: 0.9rem; margin-top: auto; }
:has(> [class*="st-key-gallery-actions-"]) { margin-top: auto; }
:has(> [class*="st-key-gallery-text-job-"]) { flex: 1 1 18rem !important; }
/* Where nothing is counted yet, the bar shows that something is done. */
[class*="st-key-job-"] [aria-valuenow="0"] [data-testid="stProgressBarTrack"] {
  animation: uncounted 0.9s ease-in-out infinite alternate; }
@keyframes uncounted { to { background: color-mix(in srgb, #14a08f 60%, transparent); } }
@media (prefers-reduced-motion: reduce) { [class*="st-key-job-"] [data-testid="stProgressBarTrack"] {
  animation: none !important; } }
</style>
"""
CSS += folder_dialog.CSS + attention.CSS


# Tasks by which a gallery comes about.
MADE = ("index", "collect")


def show() -> None:
    """Draw the page: the jobs, and below them the list, one gallery, or the form for a new one."""
    st.title("Galleries", anchor=False)
    st.caption("Sets of pictures that can be searched. They are built once; the pictures stay where they are.")
    if not access.may_manage():
        st.info(access.refusal(), icon=":material/lock:")
    jobs_background.show_notice()
    chosen, is_new = st.query_params.get(overview.GALLERY), overview.NEW in st.query_params
    attention.begin_at_top(f"gallery {chosen}" if chosen else "new" if is_new else "all")
    jobs.show(is_hidden=lambda job: is_new or (chosen is not None and not _is_news(job, chosen)), gallery=chosen)
    entries = take_inventory()
    entry = next((entry for entry in entries if entry.name == chosen), None)
    if entry:
        details.show(entry)
    elif is_new and access.may_manage():
        new.show()
    else:
        if chosen and not any(job.is_active and job.directory.name == chosen for job in shared_jobs().listed()):
            _say_missing(chosen)
        overview.show(entries)


def _is_news(job: Job, name: str) -> bool:
    """Whether a job that has ended was on the gallery of a name, or has given it that name, and the page is to say so.

    That the gallery is ready is what the page itself shows.
    """
    if isinstance(job.work, Renaming) and job.work.name == name:
        return True
    return job.directory.name == name and not (job.task in MADE and job.status.state == "done")


def _say_missing(name: str) -> None:
    """Say that a gallery is not there, or what it is called now."""
    if now := renamed_to(name):
        st.info(f"{as_markdown(name)} was renamed to {as_markdown(now)}.", icon=":material/edit:")
        st.button(f"Open {as_markdown(now)}", key="open-renamed", on_click=overview.open_gallery, args=(now,))
    else:
        st.warning(f"There is no gallery named {as_markdown(name)}.", icon=":material/search_off:")

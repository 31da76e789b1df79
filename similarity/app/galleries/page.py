"""The galleries page: the list of galleries, the details of one, and the form for a new one."""

import streamlit as st

from similarity.app.galleries import details, jobs, jobs_background, new, overview
from similarity.app.serving import access
from similarity.app.wording.messages import as_markdown
from similarity.storage.inventory import take_inventory

# Pictures of one shape in a row; on a telephone, buttons are below the text that they belong to.
CSS = """
<style>
.st-key-gallery-some [data-testid="stImageContainer"] img { aspect-ratio: 1; object-fit: cover; border-radius: 0.4rem; }
[class*="st-key-gallery-mosaic-"] [data-testid="stImageContainer"] img {
  aspect-ratio: 1; object-fit: cover; border-radius: 0.3rem; }
[class*="st-key-gallery-mosaic-"] [data-testid="stImageContainer"] { margin-right: 0.35rem; }
.st-key-gallery-some [data-testid="stImage"], .st-key-gallery-some [data-testid="stImage"] > div { gap: 0.4rem; }
:has(> [class*="st-key-gallery-text-"]) { flex: 1 1 18rem !important; }
</style>
"""


def show() -> None:
    """Draw the page: the jobs, and below them the list, one gallery, or the form for a new one."""
    st.title("Galleries", anchor=False)
    st.caption("Sets of pictures that can be searched. They are built once; the pictures stay where they are.")
    st.html(CSS)
    if not access.may_manage():
        st.info(access.refusal(), icon=":material/lock:")
    jobs_background.show_notice()
    chosen, is_new = st.query_params.get(overview.GALLERY), overview.NEW in st.query_params
    jobs.show(is_hidden=lambda job: is_new or chosen not in (None, job.directory.name))
    entries = take_inventory()
    entry = next((entry for entry in entries if entry.name == chosen), None)
    if entry:
        details.show(entry)
    elif is_new and access.may_manage():
        new.show()
    else:
        if chosen:
            st.warning(f"There is no gallery named {as_markdown(chosen)}.", icon=":material/search_off:")
        overview.show(entries)

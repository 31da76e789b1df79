"""The galleries page: what there is, what each is made of, and everything that can be done with one."""

import streamlit as st

from similarity.app import access, background, gallery_details, gallery_jobs, gallery_list, gallery_new
from similarity.app.messages import as_text
from similarity.inventory import take_inventory


def show() -> None:
    """Draw the page: the jobs, and below them the list, one gallery, or the form for a new one."""
    st.title("Galleries", anchor=False)
    st.caption("Sets of pictures that can be searched. They are built once; the pictures stay where they are.")
    if not access.may_manage():
        st.info(access.REFUSAL, icon=":material/lock:")
    background.show_notice()
    gallery_jobs.show()
    entries = take_inventory()
    chosen = st.query_params.get(gallery_list.GALLERY)
    entry = next((entry for entry in entries if entry.name == chosen), None)
    if entry:
        gallery_details.show(entry)
    elif gallery_list.NEW in st.query_params and access.may_manage():
        gallery_new.show()
    else:
        if chosen:
            st.warning(f"There is no gallery named {as_text(chosen)}.", icon=":material/search_off:")
        gallery_list.show(entries)

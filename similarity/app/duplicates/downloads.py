"""Lists of duplicates to take along: a table of all groups, and the paths of the files that are not kept."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from similarity.app.duplicates.choices import Kept
from similarity.app.duplicates.kinds import Kind
from similarity.exports.duplicates import groups_as_csv, others_as_list
from similarity.gallery import Gallery
from similarity.text import plain


def show(gallery: Gallery, kind: Kind, kept: Sequence[Kept]) -> None:
    """Draw the menu of downloads, for those who may see where pictures lie."""
    with st.popover("Lists", icon=":material/download:"):
        st.caption(f"All {len(kept):,} groups" if len(kept) != 1 else "The only group")
        st.download_button(
            "Table (CSV)",
            partial(_table, kind, kept),
            file_name=plain.entry(f"{gallery.name}-duplicates.csv"),
            mime="text/csv",
            key="duplicates-csv",
            on_click="ignore",
            width="stretch",
        )
        st.download_button(
            "Paths of the others (text)",
            partial(_list, kept),
            file_name=plain.entry(f"{gallery.name}-others.txt"),
            mime="text/plain",
            key="duplicates-list",
            on_click="ignore",
            width="stretch",
        )


def _table(kind: Kind, kept: Sequence[Kept]) -> bytes:
    groups = ((kind if not one.group.is_exact else "exact", one.group.score, one.group.files, one.file) for one in kept)
    return groups_as_csv(groups)


def _list(kept: Sequence[Kept]) -> bytes:
    return others_as_list((one.group.files, one.file) for one in kept)[0]

"""Lists of label conflicts and of changed labels to take along."""

from collections.abc import Sequence

import streamlit as st

from similarity.evaluation.label_conflicts import Conflict
from similarity.evaluation.label_lists import changed_labels, changes_to_csv, conflicts_to_csv
from similarity.gallery import Gallery
from similarity.text import plain


def show(gallery: Gallery, found: Sequence[Conflict]) -> None:
    """Draw the menu of downloads, for those who may see where pictures lie."""
    changes = changed_labels(gallery)
    with st.popover("Lists", icon=":material/download:"):
        st.download_button(
            "Conflicts (CSV)",
            lambda: conflicts_to_csv(gallery, found),
            file_name=plain.entry(f"{gallery.name}-conflicts.csv"),
            mime="text/csv",
            key="conflicts-csv",
            on_click="ignore",
            disabled=not found,
            width="stretch",
        )
        st.download_button(
            f"{len(changes):,} changed label{'' if len(changes) == 1 else 's'} (CSV)",
            lambda: changes_to_csv(changes),
            file_name=plain.entry(f"{gallery.name}-labels.csv"),
            mime="text/csv",
            key="labels-csv",
            on_click="ignore",
            disabled=not changes,
            width="stretch",
        )

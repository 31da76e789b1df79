"""Lists of duplicates to take along: a table of all groups, and the paths of the files that are not kept."""

from collections.abc import Sequence
from functools import partial

import streamlit as st

from similarity.app.duplicates import differences
from similarity.app.duplicates.choices import Kept
from similarity.exports.duplicates import groups_as_csv, others_as_list
from similarity.gallery import Gallery
from similarity.query import copy_facts
from similarity.sources import Item
from similarity.text import plain


def show(gallery: Gallery, kept: Sequence[Kept]) -> None:
    """Draw the menu of downloads, for those who may see where pictures lie."""
    with st.popover("Lists", icon=":material/download:", disabled=not kept):
        st.caption(f"All {len(kept):,} groups" if len(kept) != 1 else "The only group")
        st.download_button(
            "Table (CSV)",
            partial(table, kept),
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


def table(kept: Sequence[Kept]) -> bytes:
    """Make the table of all groups, as CSV."""
    return groups_as_csv((one.group.kind, one.group.score, _with_changes(one), one.file) for one in kept)


def _with_changes(kept: Kept) -> list[tuple[Item, str]]:
    """Return each file with what was done to it, seen from the one that is kept, as the page says it."""
    group = kept.group
    if not any(group.copies):
        return [(file, "") for file in group.files]
    return [(file, "" if file is kept.file else _changes(kept, file)) for file in group.files]


def _changes(kept: Kept, file: Item) -> str:
    return ": ".join(filter(None, (copy_facts.SAME, ", ".join(differences.compare_shown(kept.group, file, kept.file)))))


def _list(kept: Sequence[Kept]) -> bytes:
    return others_as_list((one.group.files, one.file) for one in kept)[0]

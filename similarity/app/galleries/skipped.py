"""The files that could not be used, each with the reason."""

from collections.abc import Sequence

import streamlit as st

from similarity.app.serving import access
from similarity.app.wording import wording
from similarity.sources import Skipped


def show_skipped(skipped: Sequence[Skipped]) -> None:
    """A table, folded up, since there may be very many."""
    with st.expander(f"{wording.files(len(skipped))} skipped", icon=":material/warning:"):
        st.dataframe(
            {"File": [_told(one.path, one) for one in skipped], "Why": [_told(one.reason, one) for one in skipped]},
            hide_index=True,
            alt="Skipped files",
        )


def _told(sentence: str, about: Skipped) -> str:
    """What is said of a file, whose place may have anything in it, and of the list that named it."""
    place = about.path.partition(f" ({about.source}, ")[0]
    return access.sentence_for_visitor(sentence, place, about.source)

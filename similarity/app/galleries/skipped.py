"""The table of skipped files, each with the reason."""

from collections.abc import Sequence

import streamlit as st

from similarity.app.serving import access
from similarity.app.wording import wording
from similarity.app.wording.messages import as_markdown
from similarity.sources import Skipped
from similarity.sources.unread import lines_by_kind


def show_skipped(skipped: Sequence[Skipped]) -> None:
    """Draw the table, folded up, since it may be long."""
    with st.expander(f":orange[:material/warning:] {wording.files(len(skipped))} skipped"):
        for line in lines_by_kind(skipped):
            st.caption(as_markdown(line))
        st.dataframe(
            {
                "File": [_redact(file.path, file) for file in skipped],
                "Why": [_redact(file.reason, file) for file in skipped],
            },
            hide_index=True,
            alt="Skipped files",
        )


def _redact(sentence: str, file: Skipped) -> str:
    """Redact the place of a skipped file, which may contain any character, and of the list that named it."""
    place = file.path.partition(f" ({file.source}, ")[0]
    return access.sentence_for_visitor(sentence, place, file.source)

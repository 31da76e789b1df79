"""The files that could not be used, each with the reason."""

from collections.abc import Sequence

import streamlit as st

from similarity.app import access, messages, wording
from similarity.sources import Skipped


def show_skipped(skipped: Sequence[Skipped]) -> None:
    """A table, folded up, since there may be very many."""
    tell = str if access.may_manage() else messages.without_paths
    with st.expander(f"{wording.files(len(skipped))} skipped", icon=":material/warning:"):
        st.dataframe(
            {"File": [tell(one.path) for one in skipped], "Why": [tell(one.reason) for one in skipped]},
            hide_index=True,
            alt="Skipped files",
        )

"""What a browser is told of an error: the same sentence as everywhere, without the server's own paths."""

import logging
import re
from pathlib import PurePath

import streamlit as st

from similarity.app.results import as_text
from similarity.errors import SimilarityError

# An absolute path, which begins a word; an address has its slashes in the middle of one.
PATH = re.compile(r"(?<![^\s'\"(`])(?:/[^\s/:'\"`]+)+")

logger = logging.getLogger(__name__)


def show_error(error: SimilarityError) -> None:
    """Show an error to whoever is in front of the browser; the log has the detail."""
    logger.warning("Shown to a visitor: %s (%r)", error, error.__cause__)
    st.error(as_text(without_paths(str(error))), icon=":material/error:")


def without_paths(sentence: str) -> str:
    """A sentence in which each path of the server is but the name of the file or folder."""
    return PATH.sub(lambda found: PurePath(found.group()).name, sentence)

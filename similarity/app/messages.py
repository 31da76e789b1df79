"""What a browser is told of an error: the same sentence as everywhere, without the server's own paths."""

import logging
import re
from pathlib import PurePath

import streamlit as st

from similarity.errors import SimilarityError
from similarity.home import home
from similarity.sample import FOLDER

# An absolute path, which does not go on from a word; and an address, which is left alone.
PATH = re.compile(r"(?<![\w/.])(?:/[^\s/:'\"`<>“”]+)+")
ADDRESS = re.compile(r"(https?://\S+)", re.IGNORECASE)

logger = logging.getLogger(__name__)


def show_error(error: SimilarityError) -> None:
    """Show an error to whoever is in front of the browser; the log has the detail."""
    logger.warning("Shown to a visitor: %s (%r)", error, error.__cause__)
    st.error(as_text(without_paths(str(error))), icon=":material/error:")


def as_text(text: str) -> str:
    """A name that markdown must show as it is."""
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~:$<>&])", r"\\\1", text)


def without_paths(sentence: str) -> str:
    """A sentence in which each path of the server is but the name of the file or folder."""
    parts = ADDRESS.split(sentence)
    return "".join(part if ADDRESS.fullmatch(part) else _without_paths(part) for part in parts)


def _without_paths(text: str) -> str:
    """The folders that are known go first, since their names may have anything in them."""
    for root in (str(home()), str(FOLDER.parent), str(FOLDER.parents[1])):
        text = text.replace(root, "")
    return PATH.sub(lambda found: PurePath(found.group()).name, text)

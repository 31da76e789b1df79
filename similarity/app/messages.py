"""What a browser is told of an error: the same sentence as everywhere, without the server's own paths."""

import logging
import re
from pathlib import PurePath

import streamlit as st

from similarity.errors import ImageError, SimilarityError
from similarity.home import home
from similarity.plain import one_line
from similarity.sample import FOLDER

# The folders of an absolute path, with spaces in their names or not, and an absolute path of one name, neither of which
# goes on from a word; and an address, which is left alone.
FOLDERS = re.compile(r"(?<![\w/.])/(?:[^\n/:'\"`<>“”]+/)+")
PATH = re.compile(r"(?<![\w/.])(?:/[^\s/:'\"`<>“”]+)+")
ADDRESS = re.compile(r"(https?://\S+)", re.IGNORECASE)

# Where addresses would become links, names between colons symbols, and what stands alone an arrow or a dash.
REPLACED_LATER = re.compile(
    r"(?<=:)(?=//|[\w+/-]+:)|(?<=www)(?=\.)|(?<=@)(?=[\w-]+\.)|(?<=(?<!\S)[<>~-])(?=(?:->|[>=-])(?!\S))", re.IGNORECASE
)
WORD_JOINER = "\u2060"

logger = logging.getLogger(__name__)


def show_error(error: SimilarityError) -> None:
    """Show an error to whoever is in front of the browser; the log has the detail."""
    logger.warning("Shown to a visitor: %s (%r)", error, error.__cause__)
    sentence = str(error)
    if isinstance(error, ImageError) and not ADDRESS.match(error.name):
        sentence = f"{PurePath(error.name).name}: {error.reason}"
    st.error(as_text(without_paths(sentence)), icon=":material/error:")


def as_text(text: str) -> str:
    """A name that markdown must show as it is, in one line.

    What is replaced only after markdown was read, whatever was escaped, is broken up by a character without width.
    """
    text = REPLACED_LATER.sub(WORD_JOINER, one_line(re.sub(r"[\r\n]+", " ", text)))
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~:$<>&])", r"\\\1", text)


def without_paths(sentence: str) -> str:
    """A sentence in which each path of the server is but the name of the file or folder."""
    parts = ADDRESS.split(sentence)
    return "".join(part if ADDRESS.fullmatch(part) else _without_paths(part) for part in parts)


def _without_paths(text: str) -> str:
    """The folders that are known go first, since their names may have anything in them."""
    for root in (str(home()), str(FOLDER.parent), str(FOLDER.parents[1])):
        text = text.replace(root, "")
    return PATH.sub(lambda found: PurePath(found.group()).name, FOLDERS.sub("", text))

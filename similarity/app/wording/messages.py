"""Outside text on pages: shown as it is and never as markup, and without places that a visitor is told nothing of."""

import logging
import re
from collections.abc import Iterator
from pathlib import PurePath

import streamlit as st

from similarity.app.serving import access
from similarity.errors import ImageError, SimilarityError, StoreError
from similarity.fetch.redaction import has_place, without_folders
from similarity.paths import home
from similarity.sample import FOLDER
from similarity.text.plain import one_line

# An address, which is left alone.
ADDRESS = re.compile(r"(https?://\S+)", re.IGNORECASE)

# Where addresses would become links, names between colons symbols, and what stands alone an arrow or a dash.
REPLACED_LATER = re.compile(
    r"(?<=:)(?=//|[\w+/-]+:)|(?<=www)(?=\.)|(?<=@)(?=[\w-]+\.)|(?<=(?<!\S)[<>~-])(?=(?:->|[>=-])(?!\S))", re.IGNORECASE
)
WORD_JOINER = "\u2060"

# For whom the address of a server is nothing.
AWAY = StoreError("This gallery cannot be searched at the moment: try again in a while.")

logger = logging.getLogger(__name__)


def show_error(error: SimilarityError) -> None:
    """Show an error to whoever is in front of the browser; the log has the detail."""
    logger.warning("Shown to a visitor: %s (%r)", error, error.__cause__)
    sentence = str(error)
    if isinstance(error, ImageError) and not ADDRESS.match(error.name):
        sentence = f"{PurePath(error.name).name}: {error.reason}"
    st.error(_as_text(error, without_paths(sentence)), icon=":material/error:")


def error_as_markdown(error: SimilarityError) -> str:
    """What an error says, as Markdown shows it, as far as whoever is in front of the browser may know it."""
    return _as_text(error, str(error))


def _as_text(error: SimilarityError, sentence: str) -> str:
    if isinstance(error, StoreError) and not access.may_manage():
        sentence = str(AWAY)
    return sentence_as_markdown(sentence, *_places(error))


def as_markdown(text: str) -> str:
    """A name, a label or a fact as Markdown shows it, as far as whoever is in front of the browser may know it."""
    return escape_markdown(access.redactor()(text) if has_place(text) else text)


def sentence_as_markdown(sentence: str, *places: str) -> str:
    """A sentence likewise; see `access.sentence_for_visitor`."""
    return escape_markdown(access.sentence_for_visitor(sentence, *places))


def escape_markdown(text: str) -> str:
    """A name that markdown must show as it is, in one line.

    What is replaced only after markdown was read, whatever was escaped, is broken up by a character without width.
    """
    text = REPLACED_LATER.sub(WORD_JOINER, one_line(re.sub(r"[\r\n]+", " ", text)))
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~:$<>&])", r"\\\1", text)


def without_paths(sentence: str) -> str:
    """A sentence in which each path of the server is but the name of the file or folder; addresses are as they were."""
    parts = ADDRESS.split(sentence)
    return "".join(part if ADDRESS.fullmatch(part) else _without_paths(part) for part in parts)


def _without_paths(text: str) -> str:
    """The folders that are known go first, since their names may have anything in them."""
    for root in (str(home()), str(FOLDER.parent), str(FOLDER.parents[1])):
        text = text.replace(root, "")
    return without_folders(text)


def _places(error: BaseException | None) -> Iterator[str]:
    """Addresses and paths that an error names, and those that it came from."""
    while error is not None:
        yield from (str(getattr(error, name, "")) for name in ("place", "name", "path"))
        error = error.__cause__

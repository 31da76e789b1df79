"""Text from outside on pages: redacted for the visitor and escaped, so that it is never read as markup."""

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

# Addresses, which are left as they are.
ADDRESS = re.compile(r"(https?://\S+)", re.IGNORECASE)

# Addresses, names between colons, `->` and `--`, of which Streamlit makes links, symbols, arrows and dashes.
REPLACED_LATER = re.compile(
    r"(?<=:)(?=//|[\w+/-]+:)|(?<=www)(?=\.)|(?<=@)(?=[\w-]+\.)|(?<=(?<!\S)[<>~-])(?=(?:->|[>=-])(?!\S))", re.IGNORECASE
)
WORD_JOINER = "\u2060"

# Shown to visitors who may not know the address of the server that failed.
AWAY = StoreError("This gallery cannot be searched at the moment: try again in a while.")

logger = logging.getLogger(__name__)


def show_error(error: SimilarityError) -> None:
    """Show an error to the visitor; the log has the detail."""
    logger.warning("Shown to a visitor: %s (%r)", error, error.__cause__)
    sentence = str(error)
    if isinstance(error, ImageError) and not ADDRESS.match(error.name):
        sentence = f"{PurePath(error.name).name} {error.reason}"
    st.error(_as_markdown(error, without_paths(sentence)), icon=":material/error:")


def show_missing(name: str, left_out: str) -> None:
    """Show a warning if pictures of a gallery are missing, for a reason as `Gallery.left_out` has it."""
    if left_out:
        st.warning(
            f"{as_markdown(name)} is not whole. {sentence_as_markdown(without_paths(left_out))}",
            icon=":material/cloud_off:",
        )


def error_as_markdown(error: SimilarityError) -> str:
    """Return the message of an error, redacted and escaped for Markdown."""
    return _as_markdown(error, str(error))


def _as_markdown(error: SimilarityError, sentence: str) -> str:
    if isinstance(error, StoreError) and not access.may_manage():
        sentence = str(AWAY)
    return sentence_as_markdown(sentence, *_places(error))


def as_markdown(text: str) -> str:
    """Return a name, a label or a fact, redacted and escaped for Markdown."""
    return escape_markdown(access.redactor()(text) if has_place(text) else text)


def sentence_as_markdown(sentence: str, *places: str) -> str:
    """Return a sentence, redacted and escaped for Markdown; see `access.sentence_for_visitor`."""
    return escape_markdown(access.sentence_for_visitor(sentence, *places))


def escape_markdown(text: str) -> str:
    """Escape a text so that Markdown shows it as it is, in one line.

    Streamlit replaces some sequences after Markdown is parsed, escaped or not; these are broken up by a zero-width
    character.
    """
    text = REPLACED_LATER.sub(WORD_JOINER, one_line(re.sub(r"[\r\n]+", " ", text)))
    return re.sub(r"([\\`*_{}\[\]()#+\-.!|~:$<>&])", r"\\\1", text)


def without_paths(sentence: str) -> str:
    """Reduce each path in a sentence to the name of its file or folder; addresses stay."""
    parts = ADDRESS.split(sentence)
    return "".join(part if ADDRESS.fullmatch(part) else _without_paths(part) for part in parts)


def _without_paths(text: str) -> str:
    """Remove known folders first, since their names may contain any character."""
    for root in (str(home()), str(FOLDER.parent), str(FOLDER.parents[1])):
        text = text.replace(root, "")
    return without_folders(text)


def _places(error: BaseException | None) -> Iterator[str]:
    """Yield the addresses and paths that an error and its causes name; a library may raise an error from itself."""
    seen: set[int] = set()
    while error is not None and id(error) not in seen:
        seen.add(id(error))
        yield from (str(getattr(error, name, "")) for name in ("place", "name", "path"))
        error = error.__cause__

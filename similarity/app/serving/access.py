"""Permissions of the visitor for whom the page is drawn, and texts as far as that visitor may know them."""

from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from similarity.app.serving import users
from similarity.fetch.redaction import has_place, redact, redact_address, redact_sentence
from similarity.service import access
from similarity.sources import Item
from similarity.sources.locations import is_remote
from similarity.sources.originals import file_name
from similarity.text.plain import one_line

REFUSAL = (
    "Galleries can be changed on the computer that this app runs on, at http://localhost. From here, they can be "
    "searched. Whoever runs the app can allow more with the setting SIMILARITY_MANAGE; the README tells how."
)


def may_manage() -> bool:
    """Whether whoever is in front of the browser may change galleries and see where pictures lie.

    To be asked while a page is drawn: where nobody is known to be in front of a browser, nobody may.
    """
    return access.may_manage(st.context.ip_address, st.context.headers) or users.is_manager()


def redactor() -> Callable[[str], str]:
    """What makes of a name, a label, a fact or an address what whoever is in front of the browser may know of it.

    To be asked for while a page is drawn, and to be used whenever a file is made of it later.
    """
    return str if may_manage() else redact


def text_for_visitor(text: str) -> str:
    """A name, a label or a fact from elsewhere, as a browser may have it where nothing is markup: in one line."""
    return one_line(redactor()(text) if has_place(text) else text)


def item_for_visitor(item: Item, tell: Callable[[str], str] | None = None) -> Item:
    """A picture with its label and facts as whoever is in front of the browser may know them; its path is as it was."""
    tell = tell or redactor()
    if tell is str:
        return item
    return replace(
        item,
        label=tell(item.label) if item.label else item.label,
        metadata={tell(name): tell(value) for name, value in item.metadata.items()},
        copies=tuple(item_for_visitor(copy, tell) for copy in item.copies),
    )


def sentence_for_visitor(sentence: str, *places: str) -> str:
    """A sentence likewise.

    Args:
        places: addresses and paths that are in it for certain, spaces and all.
    """
    return one_line(sentence if may_manage() else redact_sentence(sentence, *places))


def place_for_visitor(item: Item) -> str:
    """Where a picture is, as far as whoever is in front of the browser may know."""
    if may_manage():
        return item.path
    return redact_address(item.path) if is_remote(item.path) else file_name(item)

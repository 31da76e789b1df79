"""Permissions of the visitor for whom the page is drawn, and texts as far as that visitor may know them."""

from collections.abc import Callable

import streamlit as st

from similarity.app.serving import users
from similarity.fetch.redaction import has_place, redact, redact_sentence
from similarity.service import access
from similarity.service.audit import THIS_COMPUTER, VISITOR, Actor
from similarity.service.redacted import redact_item, redact_place
from similarity.sources import Item
from similarity.text.plain import one_line

REFUSAL_TO_ALL = (
    "Galleries can only be searched here. Whoever runs the app can allow changes with the setting SIMILARITY_MANAGE; "
    "the page Settings of the documentation tells how."
)
REFUSAL = (
    "Galleries can be changed on the computer that this app runs on, at http://localhost. From here, they can be "
    "searched. Whoever runs the app can allow more with the setting SIMILARITY_MANAGE; the page Settings of the "
    "documentation tells how."
)


def may_manage() -> bool:
    """Whether the visitor may change galleries and see where pictures lie.

    Call it while a page is drawn: elsewhere the visitor is unknown, and the answer is no.
    """
    return access.may_manage(st.context.ip_address, st.context.headers) or users.is_manager()


def actor() -> Actor:
    """Return the visitor's name in the record of changes; call it while a page is drawn."""
    address = st.context.ip_address
    shown = str(address or "")
    if users.is_asked_for():
        return Actor(access.email(st.user.to_dict()) or "", shown)
    return Actor(THIS_COMPUTER if access.is_local(address, st.context.headers) else VISITOR, shown)


def refusal() -> str:
    """Return the sentence for a visitor who may not change galleries, with where it is possible, if anywhere."""
    return REFUSAL if access.setting() in ("local", "everyone") else REFUSAL_TO_ALL


def redactor() -> Callable[[str], str]:
    """Return the function that redacts a text for the visitor; `str` if nothing is secret.

    Call it while a page is drawn, and keep the function for files that are made later.
    """
    return str if may_manage() else redact


def text_for_visitor(text: str) -> str:
    """Redact a name, a label or a fact, in one line, for a place where nothing is read as markup."""
    return one_line(redactor()(text) if has_place(text) else text)


def item_for_visitor(item: Item, redact_text: Callable[[str], str] | None = None) -> Item:
    """Redact the label, the metadata and the place of an item; its path stays.

    Args:
        redact_text: what `redactor` returned; it is called unless given.
    """
    redact_text = redact_text or redactor()
    if redact_text is str:
        return item
    return redact_item(item, redact_text)


def sentence_for_visitor(sentence: str, *places: str) -> str:
    """Redact a sentence, in one line.

    Args:
        places: addresses and paths that the sentence is known to contain, even with spaces in them.
    """
    return one_line(sentence if may_manage() else redact_sentence(sentence, *places))


def place_for_visitor(item: Item, redact_text: Callable[[str], str] | None = None) -> str:
    """Return the path or address of a picture, redacted unless the visitor may manage galleries.

    Args:
        redact_text: what `redactor` returned; it is called unless given.
    """
    if (redact_text or redactor()) is str:
        return item.path
    return redact_place(item)

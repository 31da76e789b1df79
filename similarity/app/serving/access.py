"""Who may change galleries, and who may only search them.

By default galleries are changed, and paths of this computer shown, only to somebody who sits at it; SIMILARITY_MANAGE
says otherwise: `nobody`, or `everyone` who reaches the app. Where people log in, SIMILARITY_MANAGERS names others.
"""

import ipaddress
import os
from collections.abc import Callable
from dataclasses import replace

import streamlit as st

from similarity.app.serving.guard import is_own_name
from similarity.app.serving.users import is_manager
from similarity.fetch.redaction import has_place, redact, redact_address, redact_sentence
from similarity.sources import Item
from similarity.sources.locations import is_remote
from similarity.sources.originals import file_name
from similarity.text.plain import one_line

# What a browser says when it connects. Whoever passes a request on adds something, under whatever name: then the
# address that it comes from is not the visitor's.
OF_BROWSERS = frozenset({
    "accept", "accept-encoding", "accept-language", "cache-control", "connection", "cookie", "dnt", "host", "origin",
    "pragma", "priority", "referer", "upgrade", "user-agent",
})  # fmt: skip
OF_ANY_BROWSER = "sec-"  # begins headers that no page can set
REFUSAL = (
    "Galleries can be changed on the computer that this app runs on, at http://localhost. From here, they can be "
    "searched. Whoever runs the app can allow more with the setting SIMILARITY_MANAGE; the README tells how."
)


def may_manage() -> bool:
    """Whether whoever is in front of the browser may change galleries and see where pictures lie.

    To be asked while a page is drawn: where nobody is known to be in front of a browser, nobody may.
    """
    setting = os.environ.get("SIMILARITY_MANAGE", "local").strip().lower()
    return setting == "everyone" or (setting == "local" and _is_local()) or is_manager()


def telling() -> Callable[[str], str]:
    """What makes of a name, a label, a fact or an address what whoever is in front of the browser may know of it.

    To be asked for while a page is drawn, and to be used whenever a file is made of it later.
    """
    return str if may_manage() else redact


def seen(text: str) -> str:
    """A name, a label or a fact from elsewhere, as a browser may have it where nothing is markup: in one line."""
    return one_line(telling()(text) if has_place(text) else text)


def seen_item(item: Item, tell: Callable[[str], str] | None = None) -> Item:
    """A picture with its label and facts as whoever is in front of the browser may know them; its path is as it was."""
    tell = tell or telling()
    if tell is str:
        return item
    return replace(
        item,
        label=tell(item.label) if item.label else item.label,
        metadata={tell(name): tell(value) for name, value in item.metadata.items()},
        copies=tuple(seen_item(copy, tell) for copy in item.copies),
    )


def seen_sentence(sentence: str, *places: str) -> str:
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


def _is_local() -> bool:
    """Whether the browser runs on this computer, as far as can be told; Streamlit has no address for such a one."""
    headers = {str(name).lower(): value for name, value in st.context.headers.items()}
    is_direct = all(name in OF_BROWSERS or name.startswith(OF_ANY_BROWSER) for name in headers)
    return _is_loopback(st.context.ip_address) and is_own_name(headers.get("host", "")) and is_direct


def _is_loopback(address: str | None) -> bool:
    """Whether an address is this computer's own, as IPv4 hidden in IPv6 too; Streamlit says None of most of them."""
    if address is None:
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback

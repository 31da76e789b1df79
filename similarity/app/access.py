"""Who may change galleries, and who may only search them.

There is no login. So by default galleries are changed, and paths of this computer shown, only to somebody who sits at
it; SIMILARITY_MANAGE says otherwise: `nobody`, or `everyone` who reaches the app.
"""

import ipaddress
import os
from urllib.parse import urlsplit

import streamlit as st

from similarity.fetch import is_url
from similarity.originals import file_name
from similarity.sources import Item

# What a proxy adds to a request that it passes on: then its own address is not the visitor's.
FORWARDED = ("Forwarded", "X-Forwarded-For", "X-Real-Ip", "X-Forwarded-Host", "Via")
# What somebody at this computer calls it. Any other name may be a stranger's, whose page asks this app for something.
OWN_NAMES = {"localhost", "127.0.0.1", "::1"}
REFUSAL = (
    "Galleries can be changed on the computer that this app runs on, at http://localhost. From here, they can be "
    "searched. Whoever runs the app can allow more with the setting SIMILARITY_MANAGE; the README tells how."
)


def may_manage() -> bool:
    """Whether whoever is in front of the browser may change galleries and see where pictures lie.

    To be asked while a page is drawn: where nobody is known to be in front of a browser, nobody may.
    """
    setting = os.environ.get("SIMILARITY_MANAGE", "local").strip().lower()
    return setting == "everyone" or (setting == "local" and _is_local())


def place_for_visitor(item: Item) -> str:
    """Where a picture is, as far as whoever is in front of the browser may know."""
    return item.path if is_url(item.path) or may_manage() else file_name(item)


def _is_local() -> bool:
    """Whether the browser runs on this computer, as far as can be told; Streamlit has no address for such a one."""
    headers = st.context.headers
    host = urlsplit(f"//{headers.get('Host', '')}").hostname
    is_forwarded = any(headers.get(name) for name in FORWARDED)
    return _is_loopback(st.context.ip_address) and host in OWN_NAMES and not is_forwarded


def _is_loopback(address: str | None) -> bool:
    """Whether an address is this computer's own, as IPv4 hidden in IPv6 too; Streamlit says None of most of them."""
    if address is None:
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback

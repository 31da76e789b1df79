"""Addresses that are not web addresses: pictures in `data:`, files in `file:`, and what to do about others."""

import base64
import binascii
import re
from urllib.parse import unquote_to_bytes, urlsplit

from similarity.errors import FetchError

SCHEME = re.compile(r"([a-z][a-z0-9+.-]+):", re.IGNORECASE)  # two letters at least: one is a drive of Windows
HOST = re.compile(r"(www\.|[a-z0-9-]+(\.[a-z0-9-]+)+/)", re.IGNORECASE)
PATH = re.compile(r"file:|/[^/\s]|~/|\.{1,2}/|[a-z]:[\\/]|\\\\", re.IGNORECASE)
QUOTES = "\"'“”‘’<>"


def is_data(text: str) -> bool:
    """Whether a text is an address that contains its content: RFC 2397."""
    return text[:5].lower() == "data:"


def read_data(text: str) -> bytes:
    """The content of a `data:` address; raises FetchError if it is cut short or otherwise none."""
    head, comma, body = text[5:].partition(",")
    try:
        raw = unquote_to_bytes(body)
        content = base64.b64decode(b"".join(raw.split()), validate=True) if head.lower().endswith(";base64") else raw
    except (binascii.Error, ValueError):
        content = b""
    if not comma or not content:
        short = text if len(text) <= 40 else f"{text[:40]}…"
        raise FetchError(f"{short} contains no whole picture: copy or download the picture itself.")
    return content


def has_login(url: str) -> bool:
    """Whether a web address has a user name or a password in it."""
    try:
        return "@" in urlsplit(url).netloc
    except ValueError:
        return False


def path_of(text: str) -> str:
    """The path in a `file:` address of this computer; any other text as it is."""
    if text[:5].lower() != "file:":
        return text
    try:
        parts = urlsplit(text)
    except ValueError:
        return text
    from urllib.request import url2pathname  # which imports what speaks HTTP and TLS

    return url2pathname(parts.path) if parts.netloc.lower() in ("", "localhost") else text


def unquoted(text: str) -> str:
    """A text without the spaces and quotation marks around it that come along when an address or a path is copied."""
    text = text.strip()
    return text.strip(QUOTES).strip() if text[:1] in QUOTES else text


def is_path(text: str) -> bool:
    """Whether a text can only be a path or a `file:` address, which a page cannot open."""
    return PATH.match(text) is not None


def advice(text: str) -> str:
    """What to do about a text that is neither a file nor a web address but looks like an address; otherwise empty.

    Returns:
        The end of a sentence that begins with the text.
    """
    scheme = SCHEME.match(text)
    if text.startswith("//"):
        return "is not a file here: if it is a web address, put https: before it."
    if HOST.match(text):
        return "is not a file here: if it is a web address, put https:// before it."
    if scheme is None:
        return ""
    if scheme[1].lower() in ("http", "https"):
        return "is not a web address: it must start with http:// or https:// and name a host."
    if scheme[1].lower() == "file":
        return "is not the address of a file on this computer."
    if scheme[1].lower() == "blob":
        return "exists only inside the browser that shows it: copy or download the picture itself."
    return f"is an address that begins with {scheme[1]}:, which is not fetched: download the picture."

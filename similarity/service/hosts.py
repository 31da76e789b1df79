"""Host names: those by which this computer calls itself, and which hosts and origins a request may name."""

import ipaddress
import logging
import os
import re
from collections.abc import Collection
from functools import cache, lru_cache
from urllib.parse import urlsplit

from starlette.datastructures import Headers

OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})
# As a browser writes one in the header Origin, in small letters.
ORIGIN = re.compile(r"https?://(?:[a-z0-9-]+(?:\.[a-z0-9-]+)*|\[[0-9a-f:.]+\])(?::[0-9]{1,5})?")
LATEST = 100  # headers that are kept in parsed form; one may have 64 kB

logger = logging.getLogger(__name__)


def is_own_name(host: str) -> bool:
    """Whether a host, with or without a port, is a name that only this computer itself answers to."""
    return hostname(host) in OWN_NAMES


@lru_cache(LATEST)
def hostname(host: str) -> str | None:
    """Return the name in a Host header without its port; None if the header is not a name and a port."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    is_plain = parts.netloc == host and "@" not in host
    return parts.hostname.rstrip(".") if is_plain and parts.hostname else None


def api_origins() -> frozenset[str]:
    """Return the setting SIMILARITY_API_ORIGINS: origins whose pages may call the API; `*` is none of them."""
    return _parse_origins(os.environ.get("SIMILARITY_API_ORIGINS", ""))


def is_from_elsewhere(headers: Headers) -> bool:
    """Whether a page of another origin sent a request, whether it may or not."""
    host = headers.get("host", "")
    return not all(_is_same(origin, host) for origin in headers.getlist("origin"))


def find_refusal(headers: Headers, origins: Collection[str] = ()) -> str | None:
    """Return why a request is refused: it is meant for another host, or sent by a page of one; None if it is not.

    A browser lets any page connect to any server in a visitor's name; a page can forge neither Origin nor Host.

    Args:
        origins: further origins whose pages may send it.
    """
    hosts = headers.getlist("host")
    name = hostname(hosts[0]) if len(hosts) == 1 else None
    if name is None:
        return "This request does not say once which server it is meant for."
    if not _is_known_host(name):
        return (
            f"This app does not know the name {name!r}. Open it at http://localhost, or by its address in numbers. "
            "Whoever runs it can add names with the setting SIMILARITY_HOSTS; the page Settings of the documentation "
            "tells how."
        )
    if not all(origin in origins or _is_same(origin, hosts[0]) for origin in headers.getlist("origin")):
        return "Pages of other servers may not use this app."
    return None


@cache
def _parse_origins(setting: str) -> frozenset[str]:
    named = {origin.strip().lower().rstrip("/") for origin in setting.split(",")} - {""}
    for wrong in sorted(origin for origin in named if not ORIGIN.fullmatch(origin)):
        logger.error(
            "SIMILARITY_API_ORIGINS has %r, which is no origin: write each as https://shop.example or with a port. Its "
            "pages may not call the API.",
            wrong,
        )
    return frozenset(filter(ORIGIN.fullmatch, named))


def _is_known_host(name: str) -> bool:
    """Whether a name is this server's; a numeric address is, since DNS cannot make it lead elsewhere."""
    named = {host.strip().lower().rstrip(".") for host in os.environ.get("SIMILARITY_HOSTS", "").split(",")}
    return name in OWN_NAMES or name in named - {""} or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_same(origin: str, host: str) -> bool:
    """Whether a page's origin is the host of its request; the port counts, the scheme may be a proxy's."""
    try:
        page = urlsplit(origin)
        default = {"http": 80, "https": 443}[page.scheme]
        target = urlsplit(f"//{host}")
        return (page.hostname, page.port or default) == (target.hostname, target.port or default)
    except (ValueError, KeyError):
        return False

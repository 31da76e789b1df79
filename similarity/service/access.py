"""Permissions: who may search, and who may change galleries and see paths of pictures.

SIMILARITY_MANAGE decides who may change galleries: `local` (the default: a browser on this computer), `nobody`, or
`everyone`. If a login is required, SIMILARITY_USERS lists those who may enter, and SIMILARITY_MANAGERS those who may
change galleries.
"""

import ipaddress
import os
import time
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from similarity.service.hosts import is_own_name
from similarity.service.visitor import LATEST

# A visitor's claims, as the login's provider (OpenID Connect) states them.
Claims = Mapping[str, Any]

# Headers of a direct connection from a browser. A proxy adds others, with any name; the address of the request is then
# the proxy's, not the visitor's.
BROWSER_HEADERS = frozenset({
    "accept", "accept-encoding", "accept-language", "cache-control", "connection", "cookie", "dnt", "host", "origin",
    "pragma", "priority", "referer", "upgrade", "user-agent",
})  # fmt: skip
BROWSER_PREFIX = "sec-"  # begins headers that no page can set

# The app's cookie is valid for 30 days, even if the account is closed meanwhile.
MAX_LOGIN_SECONDS = 24 * 60 * 60
MAX_CLOCK_SKEW = 5 * 60  # seconds by which the provider's clock may be ahead


def may_manage(address: str | None, headers: Mapping[str, str]) -> bool:
    """Whether SIMILARITY_MANAGE lets a visitor change galleries, whether logged in or not.

    Args:
        address: the network address that the request comes from; None for this computer's own.
        headers: the headers of the request.
    """
    return may_manage_from(is_local=is_local(address, headers))


def may_manage_from(*, is_local: bool) -> bool:
    """Whether a request may change galleries, if it is known whether it comes from this computer; see `may_manage`."""
    return setting() == "everyone" or (setting() == "local" and is_local)


def setting() -> str:
    """Return the setting SIMILARITY_MANAGE; one that is none of the three lets nobody change galleries."""
    return os.environ.get("SIMILARITY_MANAGE", "local").strip().lower()


def is_local(address: str | None, headers: Mapping[str, str]) -> bool:
    """Whether a request comes from a browser on this computer, without a proxy between."""
    lowered = {str(name).lower(): value for name, value in headers.items()}
    is_direct = all(name in BROWSER_HEADERS or name.startswith(BROWSER_PREFIX) for name in lowered)
    return _is_loopback(address) and is_own_name(lowered.get("host", "")) and is_direct


def is_logged_in(claims: Claims) -> bool:
    """Whether a visitor logged in within the last day."""
    issued = claims.get("iat")
    is_recent = isinstance(issued, int | float) and -MAX_CLOCK_SKEW <= time.time() - issued < MAX_LOGIN_SECONDS
    return claims.get("is_logged_in") is True and is_recent


def may_enter(claims: Claims) -> bool:
    """Whether a visitor is logged in, and on the list of SIMILARITY_USERS if there is one."""
    everyone = not os.environ.get("SIMILARITY_USERS", "").strip()
    return is_logged_in(claims) and (everyone or _is_listed(claims, "SIMILARITY_USERS"))


def is_manager(claims: Claims) -> bool:
    """Whether a visitor may enter and is on the list of SIMILARITY_MANAGERS."""
    return may_enter(claims) and _is_listed(claims, "SIMILARITY_MANAGERS")


def email(claims: Claims) -> str | None:
    """Return a visitor's e-mail address; None unless the provider has verified it."""
    address = claims.get("email")
    is_verified = claims.get("email_verified") is True and isinstance(address, str)
    return str(address).strip().lower() if is_verified else None


def _is_listed(claims: Claims, setting: str) -> bool:
    """Whether a setting lists a visitor's e-mail address, or its domain as `@domain`."""
    listed = {entry.strip().lower() for entry in os.environ.get(setting, "").split(",")} - {"", "@"}
    name, at, domain = (email(claims) or "").rpartition("@")
    return bool(name and at) and bool({f"{name}@{domain}", f"@{domain}"} & listed)


@lru_cache(LATEST)
def _is_loopback(address: str | None) -> bool:
    """Whether an address is a loopback address, IPv4 addresses within IPv6 included."""
    if address is None:
        return True
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return False
    return (getattr(parsed, "ipv4_mapped", None) or parsed).is_loopback

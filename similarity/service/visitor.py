"""A visitor of the app, as far as one is told from another."""

import ipaddress
from dataclasses import dataclass
from functools import lru_cache

# A computer with IPv6 may use any address of its network, which has at least so many bits of its own.
PREFIX = 64
LATEST = 1_000  # addresses that are kept in parsed form


@dataclass(frozen=True, slots=True)
class Visitor:
    """The visitor for whom work is done.

    Attributes:
        session: of the browser's tab; empty if it is unknown.
        address: the network address of the visitor's computer, if it is known; many visitors may share one.
        browser: what tells the visitor's browser from others; empty if it is unknown.
    """

    session: str = ""
    address: str = ""
    browser: str = ""

    @property
    def network(self) -> str:
        """The address without the part that the visitor's computer chooses; the address itself in IPv4."""
        return network_of(self.address)


@lru_cache(LATEST)
def network_of(address: str) -> str:
    """Return the network of an IPv6 address, in which one computer may have any address; others are returned as is."""
    try:
        parsed = ipaddress.ip_address(address)
    except ValueError:
        return address
    if isinstance(parsed, ipaddress.IPv4Address):
        return address
    if parsed.ipv4_mapped:
        return str(parsed.ipv4_mapped)
    return str(ipaddress.ip_network((int(parsed), PREFIX), strict=False))

"""Addresses that may be fetched for a stranger: ordinary web addresses on the public internet only.

The networks are those of IANA's registries of special-purpose addresses (RFC 6890 and later additions), written out
because Python's own `is_global` differs between versions. One cloud's metadata service lies at an address
that looks public, and is listed too.
"""

import re
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network

WEB_PORTS = frozenset({80, 443})
SCHEMES = {"http": 80, "https": 443}
NO_WEB_ADDRESS = "is not a web address: it must start with http:// or https:// and name a host."

PRIVATE_ADDRESS = "leads to a private network address, which is not fetched unless SIMILARITY_PRIVATE_HOSTS allows it."

NOT_PUBLIC_V4 = tuple(
    map(
        ip_network,
        (
            "0.0.0.0/8",  # this network
            "10.0.0.0/8",  # private
            "100.64.0.0/10",  # carriers' own; a cloud's metadata service at 100.100.100.200
            "127.0.0.0/8",  # loopback
            "168.63.129.16/32",  # a cloud's metadata service
            "169.254.0.0/16",  # link-local; metadata services at 169.254.169.254
            "172.16.0.0/12",  # private
            "192.0.0.0/24",  # protocol assignments
            "192.0.2.0/24",  # documentation
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",  # private
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",  # documentation
            "203.0.113.0/24",  # documentation
            "224.0.0.0/4",  # multicast
            "240.0.0.0/4",  # reserved, broadcast
        ),
    )
)
# All of IPv6 that is in use is in here; private, local, mapped, compatible and NAT64 addresses are not.
PUBLIC_V6 = ip_network("2000::/3")
NOT_PUBLIC_V6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # protocol assignments, Teredo (which hides an IPv4 address) among them
            "2001:db8::/32",  # documentation
            "2002::/16",  # 6to4, which hides an IPv4 address
            "3fff::/20",  # documentation
        ),
    )
)
# The third quarter of an ISATAP address, before the IPv4 address that it hides: RFC 5214.
ISATAP = frozenset({0x00005EFE, 0x02005EFE})


JOINERS = "\u200c\u200d"


class BadAddressError(ValueError):
    """A web address that must not be fetched; the message gives the reason, as the end of a sentence."""


def is_public(text: str) -> bool:
    """Whether a resolved IP address belongs to a host on the public internet."""
    address = ip_address(text.partition("%")[0])
    if isinstance(address, IPv6Address):
        if address.ipv4_mapped is None:
            return _is_public_v6(address)
        address = address.ipv4_mapped
    return _is_public_v4(address)


def check_url(url: str, ports: frozenset[int] | None = WEB_PORTS) -> None:
    """Check that a web address names a host and a port plainly.

    Args:
        url: the address that will be fetched.
        ports: the allowed ports; None for any.

    Raises:
        BadAddressError: another scheme, no host, a name and password in it, or another port.
    """
    from urllib3.exceptions import LocationParseError  # which whoever redacts an address does not need
    from urllib3.util import parse_url

    try:
        parts = parse_url(url)
    except LocationParseError as error:
        raise BadAddressError(NO_WEB_ADDRESS) from error
    if parts.scheme not in SCHEMES or not parts.host:
        raise BadAddressError(NO_WEB_ADDRESS)
    if parts.auth is not None or "@" in re.split("[/?#]", url.partition("//")[2])[0]:  # an empty one is not a part
        raise BadAddressError("has a user name or password in it, which is not sent: leave it out.")
    if ports is not None and (SCHEMES[parts.scheme] if parts.port is None else parts.port) not in ports:
        if _names_private(parts.host):
            raise BadAddressError(PRIVATE_ADDRESS)
        raise BadAddressError(f"names port {parts.port}; pictures are only fetched from the ports of web servers.")


def _names_private(host: str) -> bool:
    """Whether a host is this computer or a private address, as written; no name is looked up."""
    name = host.strip("[]").rstrip(".").lower()
    try:
        return not is_public(name)
    except ValueError:
        return name == "localhost" or name.endswith(".localhost")


def encode_spaces(url: str) -> str:
    """An address with the spaces in its path as browsers send them; those in other parts stay, and are refused."""
    start, slashes, rest = url.partition("//")
    host, slash, path = rest.partition("/")
    return start + slashes + host + slash + path.rstrip(" ").replace(" ", "%20")


def has_odd_characters(url: str) -> bool:
    """Whether an address has spaces, control characters or backslashes, which programs parse differently."""
    start, slashes, rest = url.partition("//")
    host, slash, path = rest.partition("/")
    for joiner in JOINERS:  # which some languages need inside a word
        path = path.replace(joiner, "")
    shown = start + slashes + host + slash + path
    return any(letter.isspace() or not letter.isprintable() or letter == "\\" for letter in shown)


def _is_public_v4(address: IPv4Address) -> bool:
    return not any(address in network for network in NOT_PUBLIC_V4)


def _is_public_v6(address: IPv6Address) -> bool:
    hides_ipv4 = (int(address) >> 32) & 0xFFFFFFFF in ISATAP
    return address in PUBLIC_V6 and not hides_ipv4 and not any(address in network for network in NOT_PUBLIC_V6)

"""Host names: the ones by which this computer calls itself, and how to read one out of a Host header."""

from urllib.parse import urlsplit

OWN_NAMES = frozenset({"localhost", "127.0.0.1", "::1"})


def is_own_name(host: str) -> bool:
    """Whether a host, with or without a port, is a name that only this computer itself answers to."""
    return hostname(host) in OWN_NAMES


def hostname(host: str) -> str | None:
    """Return the name in a Host header without its port; None if the header is not a name and a port."""
    try:
        parts = urlsplit(f"//{host}")
        _ = parts.port
    except ValueError:
        return None
    is_plain = parts.netloc == host and "@" not in host
    return parts.hostname.rstrip(".") if is_plain and parts.hostname else None

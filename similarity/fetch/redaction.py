"""Redaction of texts for visitors: of an address or a path only the file's name and a public host are kept.

Whether a host is public cannot be looked up while a page is drawn. So a host is named only if it has a name below a
well-known top-level domain, an ordinary port, and is not in SIMILARITY_PRIVATE_HOSTS.
"""

import re
from urllib.parse import unquote

from similarity.fetch.addresses import is_public
from similarity.fetch.web import private_hosts
from similarity.images.formats import SUFFIXES

# Replacement for an address of which nothing may be shown.
HIDDEN = "a private address"
# Domains of two letters are those of countries; of the others, those that are certainly not used inside a network.
GENERIC = frozenset({
    "com", "org", "net", "edu", "gov", "mil", "int", "info", "biz", "app", "dev", "art", "blog", "design", "gallery",
    "images", "museum", "online", "photo", "photography", "photos", "pictures", "shop", "site", "store", "tech", "xyz",
})  # fmt: skip
INSIDE = frozenset({
    "corp", "home", "internal", "intern", "intra", "intranet", "lan", "local", "localdomain", "localhost", "private",
    "vpn",
})  # fmt: skip
PORTS = frozenset({"", "80", "443"})

# Beginnings of an address and of a path; a single letter is a drive.
# No quantifier is without an end, so that nothing takes longer than a few hundred times the length of a text.
SCHEME = re.compile(r"\s{0,9}([a-z][a-z0-9+.-]{1,30}):[/\\]{1,9}", re.IGNORECASE)
PORT = r"(?::\d{1,5})?"
HOST = (
    rf"(?:(?:[\w-]{{1,63}}\.){{1,9}}[a-z]{{2,24}}{PORT}|[a-z][\w.-]{{0,99}}:\d{{2,5}}"
    rf"|\d{{1,3}}(?:\.\d{{1,3}}){{3}}{PORT}|\[[\da-f:.]{{2,45}}\]{PORT})"
)
SERVER = r"(?:(?:[\w-]{1,63}\.){1,9}[a-z]{2,24}|\d{1,3}(?:\.\d{1,3}){3}|localhost):\d{2,5}"
LOGIN = r"[^\s/@:]{1,99}:[^\s/@]{1,199}@"
BARE = re.compile(rf"\s{{0,9}}(?:[/\\]{{2}}|(?:[^\s/@]{{1,199}}@)?{HOST}[/\\?])", re.IGNORECASE)
PATH = re.compile(r"\s*(?:[a-z]:[/\\]|~[\w.-]*[/\\]|\.{1,2}[/\\]|[/\\])", re.IGNORECASE)
# The same within a sentence: to the next space, or the closing quotation mark.
WEB = r"[a-z][a-z0-9+.-]{1,30}:[/\\]{2}"
PLACES = re.compile(
    rf"""(?<=')(?:{WEB})[^']+(?=')|(?<=")(?:{WEB})[^"]+(?=")|(?<![a-z0-9+.-]){WEB}\S+"""
    rf"""|(?<![\w/\\.:@-])(?:{LOGIN}[\w.-]{{1,253}}{PORT}|{SERVER}(?![\w/\\])|{HOST}[/\\?]\S+|[/\\]{{2}}[\w.-]{{1,253}}[/\\]\S+)"""
    r"""|(?<!\w)[a-z]:[/\\][^\n'"`<>“”|]+[/\\]""",
    re.IGNORECASE,
)
# The folders of an absolute path, with spaces in their names or not, and an absolute path of one name, neither of which
# goes on from a word.
FOLDERS = re.compile(r"(?<![\w/.])(?:~[\w.-]*|\.{1,2})?/(?:[^\n/:'\"`<>“”]+/)+")
NAMED = re.compile(r"(?<![\w/.])(?:/[^\s/:'\"`<>“”]+)+")
AFTER = ".,:;)]}>'\"”"
# End of a file name in an address, and parameters that may follow it where the question mark is missing.
OVER = re.compile(r"[?#;\"<>|]")
JOINED = re.compile(rf"(.*?(?:{'|'.join(map(re.escape, sorted(SUFFIXES)))}))[&=].*", re.IGNORECASE | re.DOTALL)
ENCODED = re.compile(r"%(?:25)*(?:2f|5c)", re.IGNORECASE)


# Possible addresses without a slash.
HINTS = re.compile(rf"{ENCODED.pattern}|[a-z\d]:\d", re.IGNORECASE)


def is_address(text: str) -> bool:
    """Whether a text is an address, with or without its scheme."""
    return bool(SCHEME.match(text) or BARE.match(text))


def name_in(place: str) -> str:
    """The file name in an address, without query and fragment; empty if there is none."""
    _, _, rest = _decode(place).strip().replace("\\", "/").partition(":/")
    path = OVER.split(rest or place, maxsplit=1)[0].lstrip("/").partition("/")[2]
    name = path.rstrip("/").rpartition("/")[2]
    return JOINED.sub(r"\1", name).strip()


def redact_address(place: str) -> str:
    """The file name in an address, with the host if it is public; of an object store the file name alone."""
    host, name = _public_host(place), name_in(place) if SCHEME.match(place) else name_in(f"any://{place.lstrip('/ ')}")
    if host:
        return f"{name} at {host}" if name else host
    return name or HIDDEN


def redact(value: str) -> str:
    """Redact a name, a label or a fact, which may be or contain an address or a path."""
    if not has_place(value):
        return value
    decoded = _decode(value)
    if is_address(decoded):
        return redact_address(decoded.strip())
    if PATH.match(decoded):
        return re.split(r"[/\\]", decoded.strip().rstrip("/\\"))[-1] or HIDDEN
    return redact_sentence(decoded)


def redact_sentence(sentence: str, *places: str) -> str:
    """Redact each address and path in a sentence.

    Args:
        places: addresses and paths that are in it for certain, spaces and all.
    """
    for place in sorted(filter(None, places), key=len, reverse=True):
        sentence = sentence.replace(repr(place), repr(redact(place))).replace(place, redact(place))
    if not has_place(sentence):
        return sentence
    return without_folders(PLACES.sub(_redact_found, _decode(sentence) if ENCODED.search(sentence) else sentence))


def without_folders(sentence: str) -> str:
    """Reduce each absolute path in a sentence to the name of the file or folder."""
    return NAMED.sub(lambda match: match.group().rpartition("/")[2], FOLDERS.sub("", sentence))


def _redact_found(match: "re.Match[str]") -> str:
    text = match.group()
    if re.match(r"[a-z]:", text, re.IGNORECASE):  # the folders of a path on a drive
        return ""
    place = text.rstrip(AFTER)
    return redact_address(place) + text[len(place) :]


def has_place(text: str) -> bool:
    """Whether a text can contain an address or a path; a quick check, since most texts cannot."""
    return any(sign in text for sign in "/\\@") or HINTS.search(text) is not None


def _decode(text: str) -> str:
    """A text with percent-encoded slashes of addresses decoded."""
    for _ in range(3):
        if "%" not in text or (decoded := unquote(text)) == text:
            break
        text = decoded
    return text


def _public_host(place: str) -> str:
    """Return the host of a web address if it is public; otherwise empty."""
    match = SCHEME.match(place)
    if not match or match[1].lower() not in ("http", "https"):
        return ""
    authority = re.split(r"[/\\?#]", place[match.end() :], maxsplit=1)[0].rpartition("@")[2].lower()
    host, port = _split(authority)
    if port not in PORTS or {host, authority} & private_hosts():
        return ""
    return host if _is_known(host) else ""


def _split(authority: str) -> tuple[str, str]:
    """Split an authority into host and port."""
    host, colon, port = authority.rpartition(":")
    return (host, port) if colon and "]" not in port else (authority, "")


def _is_known(host: str) -> bool:
    """Whether a host is on the public internet, judged by its name."""
    if re.fullmatch(r"\[[\da-f:.]+\]|[\d.]+", host):
        try:
            return is_public(host.strip("[]"))
        except ValueError:
            return False
    labels = host.rstrip(".").split(".")
    is_name = len(labels) > 1 and all(re.fullmatch(r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?", label) for label in labels)
    top = labels[-1]
    return is_name and not INSIDE & set(labels) and (top in GENERIC or (len(top) == 2 and top.isalpha()))

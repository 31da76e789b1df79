"""Keys of programs that call the API: which galleries each may search and change, kept as hashes in one file.

A key is `sim_NAME_SECRET`. Its secret is 256 random bits, which nobody guesses, so that one round of SHA-256 hides it
as well as a slow hash would hide a password.
"""

import hashlib
import hmac
import json
import os
import re
import secrets
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from pathlib import Path

from filelock import FileLock
from limits import RateLimitItem, parse_many
from pydantic import TypeAdapter, ValidationError

from similarity.errors import GalleryError, KeyFileError
from similarity.files import read_own, write_atomically
from similarity.paths import home
from similarity.storage.inventory import named_gallery
from similarity.text.unicode import nfc

EVERY = "*"
PREFIX = "sim"
NAME = re.compile(r"[a-z0-9][a-z0-9-]{0,39}")
MOST_BYTES = 5_000_000
# Compared with the secret of a name that is unknown, so that it takes as long as one that is known.
NO_HASH = hashlib.sha256(b"").hexdigest()


@dataclass(frozen=True, slots=True)
class Key:
    """A key, as the file has it.

    Attributes:
        name: tells it from others; part of the key.
        sha256: of its secret, in hex.
        read: galleries that it may search, by name; `*` is all.
        created: when it was made, in ISO 8601.
        rate: how many requests it may make, such as `600/minute`; empty for as many as it likes.
        revoked: when it was revoked; empty for a key that is valid.
        write: galleries that it may change, and search, too; `*` is all.
    """

    name: str
    sha256: str
    read: tuple[str, ...]
    created: str
    rate: str = ""
    revoked: str = ""
    write: tuple[str, ...] = ()

    def may_read(self, gallery: str) -> bool:
        """Whether it may search a gallery."""
        return _has(self.read, gallery) or self.may_write(gallery)

    def may_write(self, gallery: str) -> bool:
        """Whether it may change a gallery."""
        return _has(self.write, gallery)


KEYS: TypeAdapter[list[Key]] = TypeAdapter(list[Key])


def file_of_keys() -> Path:
    """Return the file of keys: SIMILARITY_API_KEYS, or `api-keys.json` in SIMILARITY_HOME."""
    named = os.environ.get("SIMILARITY_API_KEYS", "").strip()
    return Path(named).expanduser() if named else home() / "api-keys.json"


def add_key(name: str, read: Iterable[str], rate: str = "", write: Iterable[str] = ()) -> str:
    """Make a key and return it; it is shown this once, since the file has its hash only.

    Args:
        name: tells it from others.
        read, write: galleries that it may search, and change as well; `*` is all.
        rate: how many requests it may make, such as `600/minute`.

    Raises:
        KeyFileError: the name is taken or cannot be one, no gallery is named or one that there cannot be, the rate is
            none or allows nothing, or the file cannot be read or written.
    """
    if not NAME.fullmatch(name):
        raise KeyFileError(f"{name!r} cannot name a key: use up to 40 small letters, digits and dashes.")
    readable, writable = tuple(map(nfc, read)), tuple(map(nfc, write))
    if not (readable or writable):
        raise KeyFileError("A key is for galleries: name each with --read or --write, or all with --read '*'.")
    _check_galleries((*readable, *writable))
    _check_rate(rate)
    secret = secrets.token_urlsafe(32)
    with _sole_writer():
        keys = read_keys()
        if any(key.name == name for key in keys):
            raise KeyFileError(f"There is a key named {name} already, or there was: choose another name.")
        _write([*keys, Key(name, _hash(secret), readable, _now(), rate, write=writable)])
    return f"{PREFIX}_{name}_{secret}"


def revoke_key(name: str) -> None:
    """Revoke a key: from now on it is refused. Raises KeyFileError if there is none of this name."""
    with _sole_writer():
        keys = read_keys()
        if not any(key.name == name for key in keys):
            raise KeyFileError(f"There is no key named {name}.")
        _write([replace(key, revoked=key.revoked or _now()) if key.name == name else key for key in keys])


def read_keys() -> list[Key]:
    """Return all keys, revoked ones too.

    Raises:
        KeyFileError: the file cannot be read, or is none of keys: nobody gets in then.
    """
    path = file_of_keys()
    try:
        data = read_own(path, MOST_BYTES)
    except FileNotFoundError:
        return []
    except OSError as error:
        raise KeyFileError(f"The keys in {path} cannot be read ({error.strerror or error}).") from error
    try:
        keys = KEYS.validate_json(data)
        for key in keys:
            _limits(key.rate)
            bytes.fromhex(key.sha256)
        return keys
    except (ValidationError, ValueError, KeyFileError) as error:
        raise KeyFileError(f"{path} is no file of keys: mend it, or move it away and make new keys.") from error


class KeyRing:
    """The keys in the file, read again whenever it changes. Safe to share between threads."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._stamp: tuple[str, int, int, int] | None = None
        self._keys: dict[str, Key] = {}

    def find(self, token: str) -> Key | None:
        """Return the valid key that somebody shows; None if it is none, or was revoked. Raises as `read_keys`."""
        prefix, _, rest = token.partition("_")
        name, _, secret = rest.partition("_")
        key = self._current().get(name)
        is_right = hmac.compare_digest(_hash(secret), key.sha256 if key else NO_HASH)
        return key if key and is_right and prefix == PREFIX and not key.revoked else None

    def _current(self) -> dict[str, Key]:
        path = file_of_keys()
        with self._lock:
            try:
                status = path.stat()
                stamp = (str(path), status.st_ino, status.st_mtime_ns, status.st_size)
            except OSError:
                stamp = None
            if stamp is None or stamp != self._stamp:
                self._keys = {key.name: key for key in read_keys()}
                self._stamp = stamp
            return self._keys


def _has(galleries: tuple[str, ...], gallery: str) -> bool:
    return EVERY in galleries or nfc(gallery) in galleries


def _hash(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds")


def _check_galleries(names: Iterable[str]) -> None:
    for name in names:
        try:
            if name != EVERY:
                named_gallery(name)
        except GalleryError as error:
            raise KeyFileError(f"{error} Each gallery has an option of its own, and '*' is all.") from error


def _check_rate(rate: str) -> None:
    """Raise KeyFileError unless a key of this rate may make requests as often as it says."""
    limits = _limits(rate)
    if len(limits) > 1:
        raise KeyFileError(f"{rate!r} is more than one rate, and a key has one: write one such as 600/minute.")
    if any(limit.amount < 1 for limit in limits):
        raise KeyFileError(f"{rate!r} allows no request: write a rate such as 600/minute, or revoke the key.")


def _limits(rate: str) -> list[RateLimitItem]:
    """Return the limits of a rate, none if it is empty; raises KeyFileError if it is no rate."""
    try:
        return parse_many(rate) if rate else []
    except ValueError as error:
        raise KeyFileError(f"{rate!r} is no rate: write one such as 600/minute.") from error


@contextmanager
def _sole_writer() -> Iterator[None]:
    """Be the only one that changes the file during the block; raises KeyFileError if it cannot be written."""
    path = file_of_keys()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with FileLock(path.with_name(f"{path.name}.lock")):
            yield
    except OSError as error:
        raise KeyFileError(f"The keys could not be written to {path} ({error.strerror or error}).") from error


def _write(keys: list[Key]) -> None:
    path = file_of_keys()
    write_atomically(path, json.dumps([asdict(key) for key in keys], indent=2) + "\n", durable=True)
    path.chmod(0o600)

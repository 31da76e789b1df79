"""This installation's record of Milvus: the addresses that people gave it, and the galleries it made.

    SIMILARITY_HOME/milvus.json     {"addresses": ["http://host:19530"], "galleries": {"5f0c…": {"place": …}}}

It is outside of all galleries, since a gallery may come from a stranger and claim anything.
"""

import json
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path

import filelock
from pydantic import TypeAdapter, ValidationError

from similarity.errors import StoreError
from similarity.files import write_atomically
from similarity.paths import home

FILE, LOCK = "milvus.json", ".milvus.json.lock"
# Seconds to wait for another process that writes the file.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """The place of a gallery's folder.

    Attributes:
        path: path of the folder, relative to SIMILARITY_HOME if it is within that.
        inode, device: those of the folder; a copy has others, and a moved folder keeps them.
    """

    path: str
    inode: int
    device: int

    @classmethod
    def of(cls, directory: Path) -> "Place":
        """The place of an existing folder; raises OSError."""
        full = directory.resolve()
        path = full.relative_to(home()) if full.is_relative_to(home()) else full
        status = full.stat()
        return cls(str(path), status.st_ino, status.st_dev)

    def is_same(self, other: "Place") -> bool:
        """Whether it is the same folder, moved or not. A network disk can be another device each time."""
        return self.inode == other.inode and (self.path == other.path or self.device == other.device)


@dataclass(frozen=True, slots=True)
class Installation:
    """The contents of the file.

    Attributes:
        addresses: given by people, see `addresses.normalise_address`.
        galleries: the place of each gallery that has made collections, by the id that they carry.
    """

    addresses: list[str] = field(default_factory=list)
    galleries: dict[str, Place] = field(default_factory=dict)


_reader = TypeAdapter(Installation)


def read_installation() -> Installation:
    """Read the file; raises StoreError if it cannot be read, or is damaged."""
    path = home() / FILE
    try:
        return _reader.validate_json(path.read_bytes(), strict=True)
    except FileNotFoundError:
        return Installation()
    except (OSError, ValidationError) as error:
        raise StoreError(
            f"{path} cannot be read or is damaged: delete it, then name each address of Milvus again with "
            "`python -m similarity verify --gallery NAME --uri ADDRESS`."
        ) from error


def remember_addresses(addresses: Iterable[str]) -> None:
    """Record addresses that people gave; raises StoreError."""
    new = [uri for uri in addresses if uri not in read_installation().addresses]
    if new:
        with _changing() as installation:
            installation.addresses.extend(uri for uri in new if uri not in installation.addresses)


def remember_gallery(identity: str, directory: Path) -> None:
    """Record the id of the gallery in a folder; raises StoreError."""
    with _changing() as installation:
        installation.galleries[identity] = Place.of(directory)


def forget_galleries(identities: Iterable[str]) -> None:
    """Forget ids that no collection carries any more; raises StoreError."""
    if gone := set(identities) & set(read_installation().galleries):
        with _changing() as installation:
            for identity in gone:
                installation.galleries.pop(identity, None)


def owns(directory: Path, identity: str) -> bool:
    """Whether the gallery in a folder was given this id here, rather than a copy or a stranger's gallery.

    Raises:
        StoreError: the file cannot be read.
    """
    place = read_installation().galleries.get(identity)
    try:
        return place is not None and place.is_same(Place.of(directory))
    except OSError:
        return False


@contextmanager
def _changing() -> Iterator[Installation]:
    """Yield the contents of the file for changes, which are then written atomically."""
    path = home() / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(LOCK), timeout=PATIENCE):
            installation = read_installation()
            yield installation
            write_atomically(path, json.dumps(asdict(installation), indent=2) + "\n", durable=True)
    except (OSError, filelock.Timeout) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(
            f"{path} cannot be written ({reason}), but it has to record which gallery owns which collection in Milvus."
        ) from error

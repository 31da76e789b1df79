"""What this installation of the program has in Milvus: the addresses that people gave it, and the galleries it made.

    SIMILARITY_HOME/milvus.json     {"addresses": ["http://host:19530"], "galleries": {"5f0c…": {"place": …}}}

It lies beside the galleries and never in one, since a gallery may come from anybody and say anything.
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
# Whoever else writes it needs a moment, in seconds.
PATIENCE = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a gallery's folder lies.

    Attributes:
        path: of the folder, from SIMILARITY_HOME on if it lies there.
        inode, device: of the folder, which a copy of it never has in common with it, and which stay when it is moved.
    """

    path: str
    inode: int
    device: int

    @classmethod
    def of(cls, directory: Path) -> "Place":
        """That of a folder which is there; raises OSError."""
        full = directory.resolve()
        path = full.relative_to(home()) if full.is_relative_to(home()) else full
        status = full.stat()
        return cls(str(path), status.st_ino, status.st_dev)

    def is_same(self, other: "Place") -> bool:
        """Whether it is the same folder, moved or not. A network's disk can be another device each time."""
        return self.inode == other.inode and (self.path == other.path or self.device == other.device)


@dataclass(frozen=True, slots=True)
class Installation:
    """What the file says.

    Attributes:
        addresses: that people gave, see `addresses.normalised`.
        galleries: the place of each gallery that has made collections, by the id that they carry.
    """

    addresses: list[str] = field(default_factory=list)
    galleries: dict[str, Place] = field(default_factory=dict)


_reader = TypeAdapter(Installation)


def read_installation() -> Installation:
    """What has been written; raises StoreError if it cannot be read, or is damaged."""
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
    """Keep addresses that people gave; raises StoreError."""
    new = [one for one in addresses if one not in read_installation().addresses]
    if new:
        with _changing() as known:
            known.addresses.extend(one for one in new if one not in known.addresses)


def remember_gallery(identity: str, directory: Path) -> None:
    """Keep that the gallery in a folder has an id; raises StoreError."""
    with _changing() as known:
        known.galleries[identity] = Place.of(directory)


def forget_galleries(identities: Iterable[str]) -> None:
    """Forget ids that no collection carries any more; raises StoreError."""
    if gone := set(identities) & set(read_installation().galleries):
        with _changing() as known:
            for identity in gone:
                known.galleries.pop(identity, None)


def owns(directory: Path, identity: str) -> bool:
    """Whether the gallery in a folder is the one that was given an id here, rather than a copy of it, or a stranger's.

    Raises:
        StoreError: what is known of this installation cannot be read.
    """
    made = read_installation().galleries.get(identity)
    try:
        return made is not None and made.is_same(Place.of(directory))
    except OSError:
        return False


@contextmanager
def _changing() -> Iterator[Installation]:
    """What is known, to be changed and written whole or not at all."""
    path = home() / FILE
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(path.with_name(LOCK), timeout=PATIENCE):
            known = read_installation()
            yield known
            write_atomically(path, json.dumps(asdict(known), indent=2) + "\n", durable=True)
    except (OSError, filelock.Timeout) as error:
        reason = getattr(error, "strerror", None) or error
        raise StoreError(
            f"{path} cannot be written ({reason}): it must be, to know later which collections in Milvus are whose."
        ) from error

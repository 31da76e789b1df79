"""The earlier states of a gallery: which of them are kept, and what each was.

A change keeps the generation that it replaces and a few before that. Going back keeps the ones that were undone, until
the next change.
"""

import os
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from similarity.errors import GalleryError
from similarity.storage.current import live_number
from similarity.storage.layout import generation_folder
from similarity.storage.manifest import Manifest, Report, read_manifest
from similarity.storage.removal import generation_folders

SETTING, KEPT, MOST_KEPT = "SIMILARITY_EARLIER_STATES", 5, 100
# Bytes of all earlier states; the last one is kept whatever its size, further ones only within this.
MOST_BYTES = 2_000_000_000


@dataclass(frozen=True, slots=True)
class PastState:
    """A state of a gallery that is on the disk, live or not.

    Attributes:
        number: that of its generation.
        created: the time of the change that led to it, ISO 8601, UTC.
        report: what that change did.
        count: number of its pictures, exact copies included.
        bytes: size of its files.
        place: whether it is before the live state, that one, or after it, because it was undone.
    """

    number: int
    created: str
    report: Report
    count: int
    bytes: int
    place: int

    @property
    def is_earlier(self) -> bool:
        """Whether it is before the live state."""
        return self.place < 0

    @property
    def is_undone(self) -> bool:
        """Whether one went back from it."""
        return self.place > 0


def list_states(directory: Path) -> list[PastState]:
    """List the states that one can go to, the newest first; files are not hashed, so one may turn out to be damaged.

    Raises:
        GalleryUnreadableError: this user may not read one of them.
    """
    live, states = live_number(directory) or 0, []
    for folder in reversed(generation_folders(directory)):
        if manifest := _read_whole(folder):
            place = (manifest.generation > live) - (manifest.generation < live) if live else -1
            count = manifest.count + manifest.duplicates
            states.append(
                PastState(manifest.generation, manifest.created, manifest.last_run, count, _bytes(manifest), place)
            )
    return states


def states_to_keep(directory: Path, previous: int | None) -> set[int]:
    """Return the numbers of the earlier states to keep: the one before the live one, and the newest before that.

    Args:
        previous: the state before the live one; with None none are kept.
    """
    if previous is None:
        return set()
    kept, left = {previous}, MOST_BYTES
    if manifest := _read_whole(generation_folder(directory, previous)):
        left -= _bytes(manifest)
    for folder in reversed(generation_folders(directory)):
        if len(kept) >= _most_kept():
            break
        if int(folder.name) < previous and (manifest := _read_whole(folder)):
            left -= _bytes(manifest)
            if left < 0 or manifest.store.kind != "faiss":  # of another store the size is unknown
                break
            kept.add(manifest.generation)
    return kept


def _most_kept() -> int:
    """Return the setting; the default if it is not a number, and always one or more."""
    text = os.environ.get(SETTING, "").strip()
    return min(max(1, int(text)), MOST_KEPT) if text.isdecimal() and len(text) < 10 else KEPT


def _read_whole(folder: Path) -> Manifest | None:
    """Return the manifest of a generation if all its files are there; None if its writer or its deletion was killed."""
    with suppress(GalleryError, OSError):
        manifest = read_manifest(folder)[0]
        is_whole = all((folder / name).stat().st_size == facts["size"] for name, facts in manifest.files.items())
        return manifest if is_whole and manifest.generation == int(folder.name) else None
    return None


def _bytes(manifest: Manifest) -> int:
    sizes: list[int] = [facts["size"] for facts in manifest.files.values()]
    return sum(sizes) + sum(shard.bytes for shard in manifest.shards)

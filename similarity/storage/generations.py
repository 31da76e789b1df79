"""A gallery on disk: generations written beside each other, and a file CURRENT that names the live one.

    photos/
      CURRENT                  which generation is live, see `current.py`; replaced atomically, last
      generations/000003/      manifest.json, items.parquet, embeddings.npy, index.faiss or keys.npy, see `indexes.py`,
                               head.safetensors and projected.npy if it has a head, centre.npy and neighbours.npy if
                               it is refined, network/ if the network is int8, labels.json if the owner gave any,
                               parts.npy if regions of pictures were embedded, too
      collections.json         the collections that it made in Milvus
      thumbnails/ab/ab12….jpg  named by the SHA-256 of the picture's file, shared by generations; beside it ab12….sift,
                               its local features, once they were needed, see `keypoint_files.py`
      shards/                  of a set: the galleries that its pictures are in, see `shard_places.py`; its own
                               generations then have neither embeddings nor an index
      unfinished/              embeddings and neighbours of a run that has not ended, see `journal.py` and
                               `found_neighbours.py`

A generation is complete and synced to disk before CURRENT names it, so readers see the old state or the new one.
CURRENT has the checksum of the manifest, and the manifest those of all other files, so damage is always noticed. The
generation before the live one is kept to go back to, with a few before that, see `history.py`, and so is any that is
being read. Thumbnails and local features are not part of this, since they can be made again.
"""

import logging
import shlex
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from similarity.errors import GalleryDamagedError, GalleryError, HeadError, SearchError
from similarity.paths import EMBEDDINGS, HEAD, LABELS, NETWORK, PROJECTED, SHARDS
from similarity.search import (
    METRIC,
    VectorIndex,
)
from similarity.search.engines import Remote, verify_index
from similarity.search.neighbours import candidates_of
from similarity.storage.checksums import check_files
from similarity.storage.copied_disk import follow_disk
from similarity.storage.current import AGAIN, SYNC, State, exists, live_number, live_state, make_current
from similarity.storage.generation_parts import read_index, read_parts, read_vectors
from similarity.storage.given_labels import NONE_GIVEN, GivenLabels, read_given_labels
from similarity.storage.items import Items
from similarity.storage.layout import check_own, generation_folder
from similarity.storage.live import read_manifest_of
from similarity.storage.locks import Pin
from similarity.storage.manifest import Manifest, read_manifest
from similarity.storage.mapped_items import open_items
from similarity.storage.removal import generation_folders
from similarity.storage.renamed_uploads import follow_uploads
from similarity.storage.set_reading import open_shards, places_of, stack
from similarity.storage.unreadable import unreadable_or_damaged
from similarity.vectors.heads import Head, read_head
from similarity.vectors.mapped import MappedRows
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.refinement import is_large

# Raised on corrupt files.
UNREADABLE = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    HeadError,
    SearchError,
    pa.ArrowException,
)

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Generation:
    """One complete state of a gallery, opened.

    Attributes:
        state: the gallery's state when this was the live generation.
        embeddings: the backbone's embeddings.
        vectors: the vectors that searches compare: embeddings after the head and refinement.
        head: the head, if there is one.
        quantised: the folder of the int8 network that embedded the pictures, if one did.
        given: the labels that the owner gave; those of the items are these already.
        parts: the embeddings of its pictures' regions, a row for each picture, (n, regions * dim), if there are any.
        pin: keeps the files from being deleted as long as this object lives.
        shards: those of a set.
        left_out: why pictures of a set are missing here, in a sentence, if shards of it cannot be opened.
    """

    state: State
    manifest: Manifest
    items: Items
    embeddings: StoredVectors
    vectors: StoredVectors
    index: VectorIndex
    head: Head | None = None
    quantised: Path | None = None
    given: GivenLabels = NONE_GIVEN
    parts: MappedRows | None = None
    pin: Pin | None = field(default=None, compare=False, repr=False)
    shards: "tuple[Generation, ...]" = field(default=(), compare=False, repr=False)
    left_out: str = ""


def read_generation(directory: Path, *, thorough: bool = False, opened: Generation | None = None) -> Generation:
    """Open the live generation, and check all files against their checksums.

    Args:
        thorough: hash every file, even if it has not changed since it was last hashed, and check the store.
        opened: a generation of this gallery that is open; if it is the live one, it is returned and not loaded again.

    Raises:
        GalleryNotFoundError: there is no gallery. GalleryDamagedError: a file is missing or damaged; the message has a
            remedy. GalleryUnreadableError: this user may not read one. GalleryError: it is of another version.
        StoreError: vectors are missing in its store.
    """
    line = live_state(directory)
    check_own(directory)
    try:
        state = State.parse(line, directory)
        folder, pin = _pin(directory, state)
        manifest = read_manifest_of(directory, state)
        check_files(folder, manifest.files, thorough=thorough)
        is_open = opened is not None and _is_reusable(opened, state)
        live = opened if opened and is_open else _load(folder, manifest, state, is_thorough=thorough)
    except GalleryDamagedError as error:
        if live_state(directory) != line:  # it was deleted while it was being opened
            return read_generation(directory, thorough=thorough)
        of_shard = directory / SHARDS in Path(str(error.path)).parents
        raise GalleryDamagedError(error.path, error.fault, SYNC if of_shard else _remedy(directory, line)) from error
    if thorough:
        verify_index(live.index)
    return live if is_open else replace(live, pin=pin)


def go_back(directory: Path, number: int | None = None) -> int:
    """Make another undamaged generation the live one; returns its number.

    Args:
        number: that of the generation, earlier than the live one or undone; by default the newest earlier one.

    Raises:
        GalleryError: there is no such generation, it is damaged, or it is the live one.
    """
    live = live_state(directory) if exists(directory) else ""
    state = _newest_sound(directory, excluded=live) if number is None else _numbered_state(directory, number)
    if state is not None and str(state) == live:
        raise GalleryError(f"The gallery in {directory} is at state {number} already.")
    if state is None:
        remedy = SYNC if (directory / SHARDS).is_dir() else AGAIN
        raise GalleryError(f"The gallery in {directory} has no undamaged earlier state: {remedy}.")
    make_current(directory, state)
    return state.number


def _is_reusable(opened: Generation, state: State) -> bool:
    """Whether an open generation is that of a state, and has no data outside its files, which have been checked."""
    return opened.state == state and not isinstance(opened.index, Remote)


def _pin(directory: Path, state: State) -> tuple[Path, Pin]:
    """Return the folder of a state, pinned; raises GalleryDamagedError if it has just been deleted, or as `exists`."""
    folder = generation_folder(directory, state.number)
    try:
        return folder, Pin(folder)
    except OSError as error:
        raise unreadable_or_damaged(folder, error) from error


def _load(
    folder: Path, manifest: Manifest, state: State, *, is_thorough: bool = False, is_whole: bool = False
) -> Generation:
    """Load the files of a generation, which have been checked.

    Args:
        is_thorough: read the shards of a set thoroughly, which then have to be whole.
        is_whole: all shards of a set have to be there.
    """
    if manifest.shards:
        return _load_set(folder, manifest, state, is_thorough=is_thorough, is_whole=is_whole or is_thorough)
    try:
        items = open_items(folder, manifest)
        given = read_given_labels(folder) if LABELS in manifest.files else NONE_GIVEN
        embeddings = StoredVectors(folder / EMBEDDINGS)
        head = read_head(folder / HEAD, manifest.dim) if manifest.head_sha256 else None
        projected = StoredVectors(folder / PROJECTED) if head else embeddings
        vectors = read_vectors(folder, manifest, projected)
        index = read_index(folder, manifest, vectors)
        parts = read_parts(folder, manifest) if manifest.parts else None
        if manifest.refinement == "neighbours" and is_large(*vectors.shape):
            vectors = vectors.with_candidates(candidates_of(index))
    except UNREADABLE as error:
        raise unreadable_or_damaged(folder, error, f"cannot be read ({error})") from error
    shape, dims = (manifest.count, manifest.dim), (head.dim_in, head.dim) if head else (manifest.dim, manifest.dim)
    fits = embeddings.shape == shape and vectors.shape == (manifest.count, dims[1]) and dims[0] == manifest.dim
    if not fits or len(items) != manifest.count or manifest.metric != METRIC:
        raise GalleryDamagedError(folder, "contains files that do not belong together")
    quantised = folder / NETWORK if manifest.network_sha256 else None
    manifest, items = follow_disk(folder.parents[1], manifest, items)
    manifest, items, given = follow_uploads(folder.parents[1], manifest, items, given)
    return Generation(state, manifest, items, embeddings, vectors, index, head, quantised, given, parts)


def _load_set(folder: Path, manifest: Manifest, state: State, *, is_thorough: bool, is_whole: bool) -> Generation:
    """Load a set, whose own files have been checked, and as many of its shards as can be opened."""
    directory = folder.parents[1]
    read = partial(read_generation, thorough=is_thorough)
    opened = open_shards(directory, manifest.shards, read, is_strict=is_whole)
    try:
        items, places = places_of(open_items(folder, manifest), opened, len(manifest.shards))
        given = read_given_labels(folder) if LABELS in manifest.files else NONE_GIVEN
        head = read_head(folder / HEAD, manifest.dim) if manifest.head_sha256 else None
        embeddings, vectors, index = stack(folder, manifest, opened, places)
        if manifest.refinement == "neighbours" and is_large(*vectors.shape):
            vectors = vectors.with_candidates(candidates_of(index))
    except UNREADABLE as error:
        raise unreadable_or_damaged(folder, error, f"cannot be read ({error})") from error
    quantised = folder / NETWORK if manifest.network_sha256 else None
    manifest, items = follow_disk(directory, manifest, items)
    manifest, items, given = follow_uploads(directory, manifest, items, given)
    shards = tuple(opened.shards.values())
    made = Generation(state, manifest, items, embeddings, vectors, index, head, quantised, given)
    return replace(made, shards=shards, left_out=opened.left_out)


def _remedy(directory: Path, damaged: str) -> str:
    try:
        state = _newest_sound(directory, excluded=damaged)
    except GalleryError:
        state = None
    if state is None:
        return AGAIN
    command = f"python -m similarity restore --gallery {shlex.quote(str(directory))}"
    return f"generation {state.number} is sound; to go back to it, run `{command}`"


def _newest_sound(directory: Path, *, excluded: str) -> State | None:
    """Return the state of the newest undamaged generation before the live one, or else after it.

    A generation after the live one was undone, or its writer was killed just before it could become the live one.

    Args:
        excluded: the line of CURRENT, which may be malformed.
    """
    live = live_number(directory) or 0
    folders = generation_folders(directory)
    for folder in sorted(folders, key=lambda path: (int(path.name) < live, int(path.name)), reverse=True):
        try:
            if state := _sound_state(folder, excluded):
                return state
        except GalleryError as error:
            logger.info("Generation %s of %s is not sound: %s", folder.name, directory, error)
    return None


def _numbered_state(directory: Path, number: int) -> State | None:
    """Return the state of a generation after it was read and compared; raises GalleryError if it is gone or damaged."""
    folders = {int(folder.name): folder for folder in generation_folders(directory)}
    if number not in folders:
        there = ", ".join(map(str, folders)) or "none"
        raise GalleryError(f"The gallery in {directory} has no state {number}; there are: {there}.")
    return _sound_state(folders[number])


def _sound_state(folder: Path, excluded: str = "") -> State | None:
    """Return the state of a generation after it was read and compared; None if it is the excluded one.

    Raises:
        GalleryError: it is damaged.
    """
    manifest, checksum = read_manifest(folder)
    state = State(manifest.generation, checksum)
    if state.number != int(folder.name):
        raise GalleryDamagedError(folder, "contains the manifest of another state")
    if str(state) == excluded:
        return None
    check_files(folder, manifest.files, thorough=True)
    _load(folder, manifest, state, is_whole=True)
    return state

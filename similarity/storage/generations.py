"""A gallery on disk: generations written beside each other, and a file CURRENT that names the live one.

    photos/
      CURRENT                  which generation is live, see `current.py`; replaced atomically, last
      generations/000003/      manifest.json, items.parquet, embeddings.npy, index.faiss or keys.npy, see `indexes.py`,
                               head.safetensors and projected.npy if it has a head, centre.npy and neighbours.npy if
                               it is refined, network/ if in int8
      collections.json         what it has made in Milvus, if it has
      thumbnails/ab/ab12….jpg  named by the SHA-256 of the picture's file, shared by generations
      unfinished/              embeddings of a run that has not ended, see `journal.py`

A generation is complete, and the disk has confirmed it, before CURRENT names it: whoever reads sees the old state or
the new one. CURRENT vouches for the manifest and the manifest for every other file, so no damage passes unseen. The one
before the live one is kept to go back to, and any that a reader is in. Thumbnails are the exception to all this: they
can be made again.
"""

import logging
import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from similarity.embedding.backbones import understands_text
from similarity.errors import GalleryDamagedError, GalleryError, HeadError, SearchError
from similarity.files import confirm
from similarity.progress import OnProgress
from similarity.search import (
    AUTO,
    METRIC,
    Recipe,
    Rows,
    VectorIndex,
    choose_recipe,
)
from similarity.search.engines import (
    FILES,
    Before,
    drop_collections,
    forget_vectors,
    make_index,
    read_index,
    verify_index,
)
from similarity.search.stores import Indexed
from similarity.sources import Item
from similarity.storage.checksums import check_files, fingerprint
from similarity.storage.current import AGAIN, CURRENT, exists, live_number, live_state, make_current, parse
from similarity.storage.items import Items, read_contents, read_items, write_items
from similarity.storage.journal import has_unfinished
from similarity.storage.layout import EMBEDDINGS, GENERATIONS, HEAD, ITEMS, NETWORK, NETWORK_FILES, PROJECTED, check_own
from similarity.storage.manifest import Manifest, read_manifest, write_manifest
from similarity.storage.pins import Pin, unless_pinned
from similarity.storage.removal import MOST, generation_folders, next_number, remove_generation
from similarity.storage.thumbnails import drop_thumbnails
from similarity.vectors.arrays import Vectors
from similarity.vectors.heads import Head, read_head
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT
from similarity.vectors.refinement import Refinement, choose_refinement, read_refined, refine

UNLIMITED = 1 << 62
# What reading files that are not what they should be may raise.
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
        state: what CURRENT said when it was live.
        embeddings: as they were embedded,
        vectors: and refined, as they are compared.
        head: what they go through in between, if there is one.
        quantised: the folder of the int8 network that embedded it, if one did.
        pin: keeps its files on the disk as long as this object is there.
    """

    state: str
    manifest: Manifest
    items: Items
    embeddings: StoredVectors
    vectors: StoredVectors
    index: VectorIndex
    head: Head | None = None
    quantised: Path | None = None
    pin: Pin | None = field(default=None, compare=False, repr=False)


@dataclass(frozen=True, slots=True)
class Change:
    """What a generation is a change of, if its index is to go on from there.

    Attributes:
        before: the generation that is changed.
        origins: for each item the row that it had there, or -1.
    """

    before: Generation
    origins: Rows


def read_live_manifest(directory: Path) -> Manifest:
    """What the live generation is, without loading it."""
    return _read_vouched(directory, live_state(directory))


def read_generation(directory: Path, *, thorough: bool = False) -> Generation:
    """Open the live generation and see to it that every file is the one that was written.

    Args:
        thorough: hash every file, even those that are as they were when they were last hashed, and ask the store.

    Raises:
        GalleryNotFoundError: there is no gallery. GalleryDamagedError: a file is missing or damaged; the message says
            what to do. GalleryError: it is of another version. StoreError: its store has not what it should have.
    """
    state = live_state(directory)
    check_own(directory)
    try:
        folder, pin = _pinned(directory, state)
        opened = _load(folder, _read_vouched(directory, state), state, thorough=thorough)
    except GalleryDamagedError as error:
        if live_state(directory) != state:  # taken away while it was being opened
            return read_generation(directory, thorough=thorough)
        raise GalleryDamagedError(error.path, error.fault, _remedy(directory, state)) from error
    if thorough:
        verify_index(opened.index)
    return replace(opened, pin=pin)


def write_generation(
    directory: Path,
    manifest: Manifest,
    items: Sequence[Item],
    vectors: Iterable[Vectors],
    *,
    quantised: Path | None = None,
    head: Head | None = None,
    change: Change | None = None,
    progress: OnProgress | None = None,
) -> None:
    """Write the next generation and make it the live one; if that fails, the old one stays.

    An int8 network is copied, since no other one, not even one made anew from the same pictures on another computer, is
    sure to give the same embeddings.

    Args:
        manifest: what is true of it; recipe_asked and refinement_asked say how its index is to be made.
        vectors: float32 (any, dim) blocks, for each item a row, as the backbone gives them.
        head: what they go through before they are compared.
        change: what the index goes on from; it is made anew unless given.

    Raises:
        SearchError: the recipe or the refinement makes no sense for so many items. StoreError: its store cannot be
            used.
    """
    number = next_number(directory)
    if number > MOST:
        raise GalleryError(f"The gallery in {directory} has had as many states as can be counted: make another one.")
    folder = _folder(directory, number)
    folder.mkdir(parents=True)
    try:
        if quantised:
            _copy_network(quantised, folder / NETWORK)
        write_items(folder / ITEMS, items)
        described = replace(manifest, generation=number, head_sha256=head.sha256 if head else None)
        of = Indexed(directory, number, items)
        described = _write_search(folder, described, of, vectors, head, change, progress)
        checksum = _seal(folder, described)
        make_current(directory, f"{number:06d} {checksum}")
    except BaseException:
        if live_number(directory) != number:
            with suppress(OSError):
                remove_generation(folder)
            drop_collections(directory, generation_folders(directory))
        raise


def collect(directory: Path, previous: int | None) -> None:
    """Take away what is not needed any more; it never fails, since what stays is taken next time.

    Args:
        previous: the generation to keep beside the live one and those that a reader is in.
    """
    kept = {_folder(directory, number) for number in (previous, live_number(directory)) if number is not None}
    for folder in set(generation_folders(directory)) - kept:
        with suppress(OSError), unless_pinned(folder) as is_free:
            if is_free and forget_vectors(folder, generation_folders(directory)):
                remove_generation(folder)
    drop_collections(directory, generation_folders(directory))
    if has_unfinished(directory):
        return  # its thumbnails are needed when it is gone on with
    try:
        used = set[str]().union(*(read_contents(folder / ITEMS) for folder in generation_folders(directory)))
    except (OSError, ValueError, LookupError, pa.ArrowException):
        return  # a generation that cannot be read may still need them
    drop_thumbnails(directory, but=used)


def go_back(directory: Path) -> int:
    """Make the newest sound generation before the live one the live one; returns its number.

    Raises:
        GalleryError: there is none.
    """
    number = _newest_sound(directory, but=live_state(directory) if exists(directory) else "")
    if number is None:
        raise GalleryError(f"There is no earlier state of the gallery in {directory} that is sound: {AGAIN}.")
    _, checksum = read_manifest(_folder(directory, number))
    make_current(directory, f"{number:06d} {checksum}")
    return number


def _pinned(directory: Path, state: str) -> tuple[Path, Pin]:
    """The folder of a state, held from now on; it may have been taken away just before."""
    folder = _folder(directory, parse(directory, state)[0])
    try:
        return folder, Pin(folder)
    except OSError as error:
        raise GalleryDamagedError(folder) from error


def _read_vouched(directory: Path, state: str) -> Manifest:
    """The manifest that CURRENT vouches for."""
    number, checksum = parse(directory, state)
    manifest, found = read_manifest(_folder(directory, number))
    if found != checksum or manifest.generation != number:
        raise GalleryDamagedError(
            directory / CURRENT, f"and the manifest of generation {number} do not belong together"
        )
    return manifest


def _load(folder: Path, manifest: Manifest, state: str, *, thorough: bool) -> Generation:
    check_files(folder, manifest.files, thorough=thorough)
    try:
        items = read_items(folder / ITEMS)
        embeddings = StoredVectors(folder / EMBEDDINGS)
        head = read_head(folder / HEAD, manifest.dim) if manifest.head_sha256 else None
        compared = StoredVectors(folder / PROJECTED) if head else embeddings
        vectors = read_refined(folder, compared, manifest.refinement)
        index = read_index(folder, manifest, vectors)
    except UNREADABLE as error:
        raise GalleryDamagedError(folder, f"cannot be read ({error})") from error
    shape, dims = (manifest.count, manifest.dim), (head.dim_in, head.dim) if head else (manifest.dim, manifest.dim)
    is_one = embeddings.shape == shape and vectors.shape == (manifest.count, dims[1]) and dims[0] == manifest.dim
    if not is_one or len(items) != manifest.count or manifest.metric != METRIC:
        raise GalleryDamagedError(folder, "holds files that do not belong together")
    quantised = folder / NETWORK if manifest.network_sha256 else None
    return Generation(state, manifest, items, embeddings, vectors, index, head, quantised)


def _remedy(directory: Path, state: str) -> str:
    try:
        number = _newest_sound(directory, but=state)
    except GalleryError:
        number = None
    if number is None:
        return AGAIN
    return f"generation {number} is sound; to go back to it, run `python -m similarity restore --gallery {directory}`"


def _newest_sound(directory: Path, *, but: str) -> int | None:
    """The newest generation before the live one that is as it was written; if there is none, one after it.

    One after it was undone, or was finished by a run that was killed before it could make it the live one.
    """
    live = live_number(directory) or 0
    folders = generation_folders(directory)
    for folder in sorted(folders, key=lambda one: (int(one.name) < live, int(one.name)), reverse=True):
        try:
            manifest, checksum = read_manifest(folder)
            if f"{manifest.generation:06d} {checksum}" != but and manifest.generation == int(folder.name):
                _load(folder, manifest, "", thorough=True)
                return manifest.generation
        except GalleryError as error:
            logger.info("Generation %s of %s is not sound: %s", folder.name, directory, error)
    return None


def _write_search(
    folder: Path,
    manifest: Manifest,
    of: Indexed,
    vectors: Iterable[Vectors],
    head: Head | None,
    change: Change | None,
    progress: OnProgress | None,
) -> Manifest:
    """Write embeddings and index; returns the manifest with what is to be known of them."""
    dim = head.dim if head else manifest.dim
    recipe = _recipe(manifest, dim, change.before.manifest if change else None)
    is_same = change and (recipe.name, manifest.store) == (change.before.manifest.recipe, change.before.manifest.store)
    before = change.before if change and is_same else None
    # Lists that go on stay what they are, and so does what was taken off of the vectors in them.
    centre = getattr(before.vectors, "centre", None) if before and not recipe.is_exact else None
    refinement = _refinement(manifest, head, recipe, change.before if change else None, goes_on=before is not None)
    write_vectors(folder / EMBEDDINGS, (manifest.count, manifest.dim), vectors, recipe.stored)
    compared = StoredVectors(folder / EMBEDDINGS)
    if head:
        compared = _write_projected(folder, compared, head, recipe)
    refined = refine(folder, compared, refinement.method, centre=centre, progress=progress)
    goes_on = Before(before.index, before.vectors, before.items, change.origins) if change and before else None
    index = make_index(manifest.store, recipe.name, refined, of, before=goes_on, progress=progress)
    index.save(folder / FILES[manifest.store.kind])
    return replace(
        manifest,
        recipe=recipe.name,
        recipe_reason=recipe.reason,
        refinement=refinement.method,
        refinement_reason=refinement.reason,
        search=index.facts,
    )


def _copy_network(quantised: Path, target: Path) -> None:
    """Copy the files of an int8 network, and nothing else that may lie beside them."""
    target.mkdir()
    for name in NETWORK_FILES:
        if (quantised / name).exists():
            shutil.copy2(quantised / name, target / name)


def _write_projected(folder: Path, embeddings: StoredVectors, head: Head, recipe: Recipe) -> StoredVectors:
    """Write the head, and what it makes of embeddings."""
    head.write(folder / HEAD)
    blocks = (head.project(block) for _, block in embeddings.blocks())
    write_vectors(folder / PROJECTED, (len(embeddings), head.dim), blocks, recipe.stored)
    return StoredVectors(folder / PROJECTED)


def _refinement(
    manifest: Manifest, head: Head | None, recipe: Recipe, before: Generation | None, *, goes_on: bool
) -> Refinement:
    """How the embeddings of a generation are refined.

    Args:
        head: what they go through beforehand.
        before: what it is a change of, if it is one.
        goes_on: whether its index goes on from there; lists hold refined vectors, which cannot become others.
    """
    if before and goes_on and not recipe.is_exact:
        return Refinement(before.manifest.refinement, before.manifest.refinement_reason)
    choose = partial(
        choose_refinement,
        count=manifest.count,
        dim=head.dim if head else manifest.dim,
        is_exact=recipe.is_exact,
        has_words=understands_text(manifest.model) and head is None,
        knows_labels=head is not None and head.card.is_of_labels,
    )
    try:
        return choose(manifest.refinement_asked)
    except SearchError:
        if not before:
            raise
        return choose(AUTO_REFINEMENT)  # a change that makes what was asked for impossible is made all the same


def _recipe(manifest: Manifest, dim: int, before: Manifest | None) -> Recipe:
    """The recipe of a generation.

    Args:
        dim: of what is compared.
        before: what it is a change of. What was asked for then stays, however few are left, and lists stay lists.
    """
    if before is None:
        return choose_recipe(manifest.recipe_asked, manifest.count, dim)
    kept = Recipe(before.recipe, before.recipe_reason)
    if manifest.recipe_asked != AUTO:
        return kept
    # Memory that is short for the moment is no reason to give up what is exact.
    free = UNLIMITED if kept.is_exact else None
    chosen = choose_recipe(AUTO, manifest.count, dim, free=free)
    return chosen if kept.is_exact or chosen.is_exact else kept


def _seal(folder: Path, manifest: Manifest) -> str:
    """Write the manifest of all files that are there, and have the disk confirm them; returns its checksum."""
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): fingerprint(path) for path in written}
    checksum = write_manifest(folder, replace(manifest, files=files))
    for path in [*folder.rglob("*"), folder, folder.parent]:
        confirm(path)
    return checksum


def _folder(directory: Path, number: int) -> Path:
    return directory / GENERATIONS / f"{number:06d}"

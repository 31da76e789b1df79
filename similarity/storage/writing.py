"""Writing the next generation of a gallery, and making it the live one."""

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path

from similarity.embedding.regions import REGIONS
from similarity.errors import GalleryError
from similarity.files import confirm
from similarity.paths import EMBEDDINGS, HEAD, ITEMS, NETWORK, NETWORK_FILES, PARTS, PROJECTED
from similarity.progress import OnProgress
from similarity.search import Recipe, Rows
from similarity.search.engines import FILES, make_index
from similarity.search.stores import Before, Indexed
from similarity.sources import Item
from similarity.storage.checksums import fingerprints
from similarity.storage.cleanup import drop_collections
from similarity.storage.current import State, live_number, make_current
from similarity.storage.found_neighbours import forget_found_neighbours
from similarity.storage.generations import Generation
from similarity.storage.given_labels import NONE_GIVEN, GivenLabels, write_given_labels
from similarity.storage.items import write_items
from similarity.storage.layout import generation_folder
from similarity.storage.manifest import Manifest, write_manifest
from similarity.storage.refining import Refining
from similarity.storage.removal import MOST, generation_folders, next_number, remove_generation
from similarity.vectors.arrays import Vectors
from similarity.vectors.heads import Head
from similarity.vectors.memmap import StoredVectors, write_vectors


@dataclass(frozen=True, slots=True)
class Change:
    """The generation that an index continues.

    Attributes:
        before: the generation that is changed; its index has the same recipe and store.
        origins: for each new item its row in `before`, or -1.
    """

    before: Generation
    origins: Rows

    def for_index(self) -> Before:
        """Return the parts that an index needs."""
        return Before(self.before.index, self.before.vectors, self.before.items, self.origins)


@dataclass(frozen=True, slots=True)
class Draft:
    """A generation that is still to be written.

    Attributes:
        manifest: the manifest of the generation, with recipe and refinement; its number, files and index facts are
            added when it is written.
        items: its pictures, in the order of their rows.
        vectors: the backbone's embeddings in blocks of float32 (any, dim), a row for each item.
        quantised: the folder of the int8 network, which is copied, since another may give other embeddings.
        head: the head that transforms embeddings before they are compared.
        change: the generation whose index is continued; by default a new index is built.
        given: the labels that the owner gave; those of the items are these already.
        parts: the embeddings of their regions in blocks of float32 (any, regions * dim), if the manifest says so.
    """

    manifest: Manifest
    items: Sequence[Item]
    vectors: Iterable[Vectors]
    quantised: Path | None = None
    head: Head | None = None
    change: Change | None = None
    given: GivenLabels = NONE_GIVEN
    parts: Iterable[Vectors] = ()


def write_generation(directory: Path, draft: Draft, progress: OnProgress | None = None) -> None:
    """Write the next generation and make it the live one; if that fails, the old one stays.

    Raises:
        SearchError: the recipe or refinement does not suit the number of items. StoreError: the store cannot be used.
    """
    manifest, (number, folder) = draft.manifest, _make_folder(directory)
    try:
        if draft.quantised:
            _copy_network(draft.quantised, folder / NETWORK)
        write_items(folder / ITEMS, draft.items)
        write_given_labels(folder, draft.given)
        refined, before = _write_vectors(directory, folder, draft, progress)
        of = Indexed(directory, number, draft.items)
        index = make_index(manifest.store, manifest.recipe, refined, of, before=before, progress=progress)
        index.save(folder / FILES[manifest.store.kind])
        checksum = _seal(folder, replace(manifest, generation=number, search=index.facts, written_in=str(directory)))
        make_current(directory, State(number, checksum))
        forget_found_neighbours(directory)
    except BaseException:
        if live_number(directory) != number:
            _discard(directory, folder)
        raise


def _make_folder(directory: Path) -> tuple[int, Path]:
    """Make the folder of the next generation; returns number and folder."""
    number = next_number(directory)
    if number > MOST:
        raise GalleryError(f"The gallery in {directory} has used up all numbers of states: make another one.")
    folder = generation_folder(directory, number)
    folder.mkdir(parents=True)
    return number, folder


def _discard(directory: Path, folder: Path) -> None:
    """Delete an incomplete generation, and its collections in Milvus."""
    with suppress(OSError):
        remove_generation(folder)
    drop_collections(directory, generation_folders(directory))


def _write_vectors(
    directory: Path, folder: Path, draft: Draft, progress: OnProgress | None
) -> tuple[StoredVectors, Before | None]:
    """Write embeddings and the files of their refinement; see `Refining.refine`."""
    manifest, recipe = draft.manifest, Recipe(draft.manifest.recipe, draft.manifest.recipe_reason)
    write_vectors(folder / EMBEDDINGS, (manifest.count, manifest.dim), draft.vectors, recipe.stored)
    written = StoredVectors(folder / EMBEDDINGS)
    if manifest.parts:
        write_vectors(folder / PARTS, (manifest.count, len(REGIONS) * manifest.dim), draft.parts, "float16")
    if draft.head:
        written = _write_projected(folder, written, draft.head, recipe)
    before = draft.change.for_index() if draft.change else None
    refining = Refining(directory, folder, manifest.refinement, recipe, manifest.neighbour_power, progress)
    return refining.refine(written, before)


def _copy_network(quantised: Path, target: Path) -> None:
    """Copy the files of an int8 network, and no other files from its folder."""
    target.mkdir()
    for name in NETWORK_FILES:
        if (quantised / name).exists():
            shutil.copy2(quantised / name, target / name)


def _write_projected(folder: Path, embeddings: StoredVectors, head: Head, recipe: Recipe) -> StoredVectors:
    """Write the head, and the embeddings that it transformed."""
    head.write(folder / HEAD)
    blocks = (head.project(block) for _, block in embeddings.blocks())
    write_vectors(folder / PROJECTED, (len(embeddings), head.dim), blocks, recipe.stored)
    return StoredVectors(folder / PROJECTED)


def _seal(folder: Path, manifest: Manifest) -> str:
    """Write the manifest of all files, and sync them to disk; returns the manifest's checksum."""
    checksum = write_manifest(folder, replace(manifest, files=fingerprints(folder)))
    for path in [*folder.rglob("*"), folder, folder.parent]:
        confirm(path)
    return checksum

"""Writing the next generation of a gallery, and making it the live one."""

from contextlib import suppress
from dataclasses import replace
from pathlib import Path

from similarity.embedding.regions import REGIONS
from similarity.errors import GalleryError
from similarity.paths import EMBEDDINGS, ITEMS, NETWORK, PARTS, SHARDS
from similarity.progress import OnProgress
from similarity.search import Recipe
from similarity.search.engines import FILES, make_index
from similarity.search.stores import Before, Indexed
from similarity.storage.cleanup import drop_collections
from similarity.storage.current import State, live_number, make_current
from similarity.storage.draft import Change as Change
from similarity.storage.draft import Draft as Draft
from similarity.storage.found_neighbours import forget_found_neighbours
from similarity.storage.generation_files import copy_network, seal, write_projected
from similarity.storage.given_labels import write_given_labels
from similarity.storage.items import write_items
from similarity.storage.layout import generation_folder
from similarity.storage.refining import Refining
from similarity.storage.removal import MOST, generation_folders, next_number, remove_generation, remove_shards
from similarity.storage.sharding import write_shards
from similarity.vectors.memmap import StoredVectors, write_vectors


def write_generation(directory: Path, draft: Draft, progress: OnProgress | None = None) -> None:
    """Write the next generation and make it the live one; if that fails, the old one stays.

    Raises:
        SearchError: the recipe or refinement does not suit the number of items. StoreError: the store cannot be used.
    """
    manifest, (number, folder) = draft.manifest, _make_folder(directory)
    try:
        if draft.quantised:
            copy_network(draft.quantised, folder / NETWORK)
        write_items(folder / ITEMS, draft.items)
        write_given_labels(folder, draft.given)
        if manifest.shards:
            shards, facts = write_shards(directory, folder, draft, progress)
            manifest = replace(manifest, shards=shards, search=facts)
        else:
            refined, before = _write_vectors(directory, folder, draft, progress)
            of = Indexed(directory, number, draft.items)
            index = make_index(manifest.store, manifest.recipe, refined, of, before=before, progress=progress)
            index.save(folder / FILES[manifest.store.kind])
            manifest = replace(manifest, search=index.facts)
        checksum = seal(folder, replace(manifest, generation=number, written_in=str(directory)))
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
        remove_shards(directory / SHARDS / folder.name)
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
        written = write_projected(folder, written, draft.head, recipe)
    before = draft.change.for_index() if draft.change else None
    refining = Refining(directory, folder, manifest.refinement, recipe, manifest.neighbour_power, progress)
    return refining.refine(written, before)

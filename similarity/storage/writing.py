"""Writing the next generation of a gallery, and making it the live one."""

import shutil
from collections.abc import Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from similarity.embedding.backbones import understands_text
from similarity.errors import GalleryError, SearchError
from similarity.files import confirm
from similarity.paths import EMBEDDINGS, HEAD, ITEMS, NETWORK, NETWORK_FILES, PROJECTED
from similarity.progress import OnProgress
from similarity.search import AUTO, Recipe, Rows, choose_recipe
from similarity.search.engines import FILES, make_index
from similarity.search.stores import Before, Indexed
from similarity.sources import Item
from similarity.storage.checksums import fingerprint
from similarity.storage.cleanup import drop_collections
from similarity.storage.current import State, live_number, make_current
from similarity.storage.generations import Generation
from similarity.storage.items import write_items
from similarity.storage.layout import generation_folder
from similarity.storage.manifest import Manifest, write_manifest
from similarity.storage.removal import MOST, generation_folders, next_number, remove_generation
from similarity.vectors.arrays import Vectors
from similarity.vectors.heads import Head
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT
from similarity.vectors.refinement import Refinement, choose_refinement, refine

UNLIMITED = 1 << 62


@dataclass(frozen=True, slots=True)
class Change:
    """What a generation is a change of, if its index is to go on from there.

    Attributes:
        before: the generation that is changed.
        origins: for each item the row that it had there, or -1.
    """

    before: Generation
    origins: Rows


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
    folder = generation_folder(directory, number)
    folder.mkdir(parents=True)
    try:
        if quantised:
            _copy_network(quantised, folder / NETWORK)
        write_items(folder / ITEMS, items)
        described = replace(manifest, generation=number, head_sha256=head.sha256 if head else None)
        of = Indexed(directory, number, items)
        described = _write_search(folder, described, of, vectors, head, change, progress)
        checksum = _seal(folder, described)
        make_current(directory, State(number, checksum))
    except BaseException:
        if live_number(directory) != number:
            with suppress(OSError):
                remove_generation(folder)
            drop_collections(directory, generation_folders(directory))
        raise


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

"""The operations that write a gallery: index, add, sync, relocate and rebuild.

Each plans a change, embeds pictures without a known embedding, and writes the next generation. Searches use the live
one meanwhile, and go on with it if the run fails. Embeddings of an interrupted run are used by the next one.
"""

import time
from collections.abc import Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Literal

import numpy as np

from similarity.embedding.backbones import get_backbone
from similarity.embedding.embedder import Embedder, Load
from similarity.embedding.regions import REGIONS, check_has_regions
from similarity.embedding.views import choose_view
from similarity.errors import GalleryError
from similarity.indexing.collecting import without_new
from similarity.indexing.finishing import finish, write
from similarity.indexing.known import Known
from similarity.indexing.models import load_embedder, report_task
from similarity.indexing.options import DEFAULTS, IndexOptions
from similarity.indexing.plan import Plan, plan_index, plan_update, without_folder
from similarity.indexing.relocation import Relocation, plan_relocation
from similarity.indexing.replaced import read_replaced
from similarity.indexing.run import Base, Run
from similarity.indexing.sets import check_shards, default_shards, with_shards
from similarity.progress import OnProgress
from similarity.search import AUTO, choose_recipe
from similarity.search.engines import check_store
from similarity.search.stores import Store, choose_store
from similarity.sources import Source
from similarity.sources.base import files_of
from similarity.sources.excluding import exclude
from similarity.storage.current import live_state
from similarity.storage.embedders import check_has_model, restore_embedder
from similarity.storage.excluded import excluded_after
from similarity.storage.generations import Generation, read_generation
from similarity.storage.journal import Journal
from similarity.storage.live import read_live_manifest
from similarity.storage.locks import writing
from similarity.storage.manifest import Manifest, Report
from similarity.storage.part_files import check_can_be_searched
from similarity.storage.thumbnails import copy_thumbnails
from similarity.storage.writing import write_generation
from similarity.vectors.heads import Head
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT
from similarity.vectors.refinement import choose_refinement, power_of


def index(
    source: Source,
    directory: Path,
    options: IndexOptions = DEFAULTS,
    *,
    progress: OnProgress | None = None,
) -> tuple[Report, Embedder]:
    """Make a gallery of a source; see `Gallery.build`. Returns the embedder that made it, too."""
    choice = options.choose_model()
    started, source = time.perf_counter(), exclude(without_folder(source, directory), options.exclude)
    store = options.store or default_store(directory)
    shards = default_shards(directory) if options.shards is None else options.shards
    check_shards(shards, store, with_parts=options.parts)
    is_exact = _check_options(options, store, len(source.items), choice.backbone.dim)
    view = choose_view(options.view, choice.backbone, options.quality)
    with writing(directory, f"index {source.name}"):
        replaced = read_replaced(directory)
        live = replaced.generation
        embedder = load_embedder(choice, options.precision, view, source, progress, directory, live)
        excluded = {source.name: list(options.exclude)} if options.exclude else {}
        base = _manifest(embedder, source.name, options.recipe, options.refinement)
        base = replace(base, store=store, excluded=excluded, gps=options.gps, neighbour_power=power_of(options.quality))
        base = with_shards(base, shards)
        if options.parts:
            check_has_regions(embedder)
            base = replace(base, parts=True)
        before = live if live and _is_usable(live, base, is_exact=is_exact) else None
        run = Run("index", directory, plan_index(source), before, source, started, gps=options.gps, parts=options.parts)
        replaced.hand_over(run)
        run.notes = [*run.notes, *([embedder.reason] if embedder.reason else [])]
        with _embed(run, source, embedder, progress) as known:
            report = run.report()
            write_generation(directory, run.draft(report, Base(base, embedder.quantised), known), progress)
        run.clear_up()
        return report, embedder


def update(
    task: str,
    source: Source,
    directory: Path,
    load: Load,
    *,
    excluding: Sequence[str] | None = None,
    opened: Generation | None = None,
    progress: OnProgress | None = None,
) -> Report:
    """Add a source to a gallery, or synchronise it with one; see `Gallery.add` and `Gallery.sync`.

    Args:
        task: add or sync.
        load: gives the embedder that made the gallery, if there is anything to embed.
        excluding: patterns of files to leave out; by default those of the last time, none if they are empty.
        opened: a generation of the gallery that is open; see `read_generation`.
    """
    started, source = time.perf_counter(), without_folder(source, directory)
    live_state(directory)  # raises if there is no gallery, before a folder is made
    with writing(directory, f"{task} {source.name}"):
        before = read_generation(directory, opened=opened)
        excluded = excluded_after(before.manifest, source.name, excluding, is_sync=task == "sync")
        source = exclude(source, excluded.get(source.name, ()))
        if task == "sync" and before.manifest.collected_from:
            source = without_new(source, before.items)
        plan = plan_update(before.items, source, drop_vanished=task == "sync", given=before.given)
        run = Run(task, directory, plan, before, source, started)
        run.gps, run.parts = before.manifest.gps, before.manifest.parts
        before = replace(before, manifest=replace(before.manifest, excluded=excluded))
        check_store(before.manifest.store, before.manifest.recipe)
        if not run.plan.readings:
            return finish(run, before, progress)
        check_has_model(directory.name, before.manifest)
        report_task(progress, f"Preparing the model {get_backbone(before.manifest.model).title}")
        embedder = restore_embedder(directory.name, before, load)
        with _embed(run, source, embedder, progress) as known:
            report = write(run, before, known, progress)
        run.clear_up()
        return report


def relocate(directory: Path, old: str | Path, new: str | Path, *, opened: Generation | None = None) -> Report:
    """Change the place of pictures of a gallery; see `Gallery.relocate`, and for `opened` `read_generation`."""
    started, relocation = time.perf_counter(), Relocation.of(old, new)
    live_state(directory)
    with writing(directory, f"relocate {relocation.old}"):
        before = read_generation(directory, opened=opened)
        plan = plan_relocation(before.items, relocation)
        source = relocation.moved_source(before.manifest.source)
        skipped = [relocation.moved_skipped(file) for file in before.manifest.skipped]
        excluded = {relocation.moved_source(name): rest for name, rest in before.manifest.excluded.items()}
        manifest = replace(before.manifest, source=source, skipped=skipped, excluded=excluded)
        before = replace(before, manifest=manifest, given=before.given.moved(relocation.moved))
        return finish(Run("relocate", directory, plan, before, None, started), before)


def rebuild(
    directory: Path,
    recipe: str | None = None,
    refinement: str | None = None,
    head: Head | Literal["none"] | None = None,
    *,
    store: Store | None = None,
    into: Path | None = None,
    opened: Generation | None = None,
    progress: OnProgress | None = None,
) -> Report:
    """Rebuild a gallery's index from its stored embeddings; see `Gallery.rebuild`.

    Args:
        into: the folder of a new gallery; the one in `directory` is then not changed.
        opened: a generation of the gallery that is open; see `read_generation`.
    """
    started = time.perf_counter()
    live_state(directory)
    target = into or directory
    with writing(target, "rebuild"):
        before = read_generation(directory, opened=opened)
        base = _change_base(before, recipe, refinement, head, store)
        check_shards(len(before.manifest.shards) or None, base.manifest.store)
        check_store(base.manifest.store, is_given=store is not None)
        plan = Plan(kept=list(files_of(before.items)))
        run = Run("rebuild", target, plan, before, None, started)
        if target != directory:
            # OpenCV is loaded only where it is needed.
            from similarity.storage.keypoint_files import copy_keypoints

            copy_thumbnails(directory, target, before.items.contents())
            copy_keypoints(directory, target, before.items.contents())
        report = _rewrite(run, before, base, progress)
    return replace(report, seconds=round(time.perf_counter() - started, 3))


def rebalance(
    directory: Path, shards: int, *, opened: Generation | None = None, progress: OnProgress | None = None
) -> Report:
    """Share out the pictures of a gallery among another number of shards; see `Gallery.rebalance`."""
    started = time.perf_counter()
    live_state(directory)
    with writing(directory, "rebalance"):
        before = read_generation(directory, opened=opened)
        manifest = before.manifest
        check_shards(shards, manifest.store, with_parts=manifest.parts)
        base = Base(with_shards(manifest, shards), before.quantised, before.head, manifest)
        run = Run("rebuild", directory, Plan(kept=list(files_of(before.items))), before, None, started)
        report = _rewrite(run, before, base, progress)
    return replace(report, seconds=round(time.perf_counter() - started, 3))


def _rewrite(run: Run, before: Generation, base: Base, progress: OnProgress | None) -> Report:
    """Write a generation with other options and the same pictures."""
    report = run.report()
    write_generation(run.directory, run.draft(report, base, Known(before, None)), progress)
    run.clear_up()
    return report


def _change_base(
    before: Generation,
    recipe: str | None,
    refinement: str | None,
    head: Head | Literal["none"] | None,
    store: Store | None,
) -> Base:
    """Return the parts of a generation with changed options; those that are None stay, and so does the refinement."""
    manifest = before.manifest
    if isinstance(head, Head):
        of = (manifest.model, manifest.weights_sha256, manifest.network_sha256)
        head.check_serves(*of, dim=manifest.dim, view=manifest.view)
    changed = replace(
        manifest,
        recipe_asked=recipe or manifest.recipe_asked,
        refinement_asked=refinement or manifest.refinement_asked,
        store=store or manifest.store,
    )
    old_head = before.head if head is None else None
    rebuilt = manifest if refinement is None else None
    return Base(changed, before.quantised, head if isinstance(head, Head) else old_head, rebuilt)


def default_store(directory: Path) -> Store:
    """Return the store of an existing gallery, or the default store for new ones."""
    with suppress(GalleryError):
        return read_live_manifest(directory).store
    return choose_store()


def _check_options(options: IndexOptions, store: Store, count: int, dim: int) -> bool:
    """Raise if options are invalid, before any work is done; returns whether the index will be exact."""
    recipe = choose_recipe(options.recipe, count, dim)
    choose_refinement(options.refinement, count, dim, is_exact=recipe.is_exact)
    check_store(store, recipe.name, is_given=options.store is not None)
    if options.parts:
        check_can_be_searched(count, store)
    return recipe.is_exact


@contextmanager
def _embed(run: Run, source: Source, embedder: Embedder, progress: OnProgress | None) -> Iterator[Known]:
    """Embed the pictures of a run; yields all its embeddings, which can be read until the block ends.

    The journal keeps those of a picture's regions behind its own, so that they are there together or not at all.
    """
    identity, dim = _manifest(embedder, "").identity, embedder.dim
    if run.parts:
        identity, dim = identity | {"regions": len(REGIONS)}, dim * (1 + len(REGIONS))
    with closing(Journal(run.directory, identity, dim, source.name)) as journal:
        known = Known(run.before, journal)
        run.embed(source, embedder, known, journal, progress)
        yield known


def _is_usable(before: Generation, base: Manifest, *, is_exact: bool) -> bool:
    """Whether the embeddings of a generation can be used again.

    Args:
        is_exact: whether the new index is exact; half precision, which approximate ones have, is then not enough.
    """
    is_precise = not is_exact or before.embeddings.dtype != np.float16
    return before.manifest.identity == base.identity and is_precise and (before.manifest.parts or not base.parts)


def _manifest(embedder: Embedder, source: str, recipe: str = AUTO, refinement: str = AUTO_REFINEMENT) -> Manifest:
    """Return the manifest of a generation without the parts that depend on its pictures."""
    return Manifest(
        model=embedder.backbone.name,
        note=embedder.note,
        weights_sha256=embedder.weights_sha256,
        preprocessing=embedder.preprocessing,
        precision=embedder.precision,
        network_sha256=embedder.network_sha256,
        dim=embedder.dim,
        source=source,
        recipe_asked=recipe,
        refinement_asked=refinement,
    )

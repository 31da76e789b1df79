"""Making a gallery from shards: items are read into memory, vectors are streamed.

The first pass reads everything but vectors and thumbnails, and selects the items. The second reads the vectors, in the
order of the items, while the generation is written. Thumbnails come last, since a gallery works without them.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any, Protocol

import numpy as np

from similarity.errors import ShardError, SourceError
from similarity.indexing.known import Embeddings
from similarity.indexing.operations import default_store
from similarity.indexing.options import IndexOptions
from similarity.indexing.plan import Plan, Reading
from similarity.indexing.replaced import read_replaced
from similarity.indexing.run import Base, Run
from similarity.indexing.sets import default_shards
from similarity.paths import full_path
from similarity.progress import OnProgress, Reporter
from similarity.search import AUTO, choose_recipe
from similarity.search.engines import check_store
from similarity.search.stores import EMBEDDED, Store
from similarity.shards.folder import AGAIN, sound_shards
from similarity.shards.metadata import Counts, Origin
from similarity.shards.new_contents import NewContents
from similarity.shards.shard_file import read_rows, read_thumbnails, read_vectors
from similarity.sources import Item, Skipped
from similarity.sources.originals import Originals
from similarity.storage.locks import writing
from similarity.storage.manifest import Manifest, Report
from similarity.storage.thumbnails import write_thumbnail
from similarity.storage.writing import write_generation
from similarity.vectors.arrays import Vectors
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT
from similarity.vectors.refinement import choose_refinement, power_of

logger = logging.getLogger(__name__)


class Contents(Embeddings, Protocol):
    """The pictures and vectors of a new gallery.

    Attributes:
        files: the pictures, as the gallery will list them.
        skipped: those that cannot be used.
        notes: remarks on them as a whole.
    """

    files: list[Item]
    skipped: list[Skipped]
    notes: list[str]

    @property
    def name(self) -> str:
        """The name of their source."""

    @property
    def identity(self) -> dict[str, Any]:
        """The model and preprocessing of embeddings, as in `Manifest.identity`."""

    @property
    def dim(self) -> int:
        """Length of a vector."""

    @property
    def count(self) -> int:
        """Number of vectors."""


@dataclass(slots=True)
class Gathered(NewContents):
    """The contents of shards apart from vectors and thumbnails; implements `Contents`.

    Attributes:
        origin: the metadata that all shards share.
        shards: their files, in order.
        files: the pictures, as the gallery will list them.
        wanted: for each row of each shard whether its vector is taken; only the first row of equal contents is.
        skipped: lines of the list and pictures that cannot be used.
        notes: remarks, of which there are none.
    """

    origin: Origin
    shards: dict[Path, Counts]
    files: list[Item] = field(default_factory=list)
    wanted: list[bool] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the list that the shards were made from, with which the gallery can be synchronised."""
        return self.origin.source

    @property
    def identity(self) -> dict[str, Any]:
        """The model and preprocessing that all shards share."""
        return self.origin.identity

    @property
    def dim(self) -> int:
        """Length of a vector."""
        return self.origin.dim

    def vectors(self, items: Sequence[Item], dim: int) -> Iterator[Vectors]:
        """Yield the vectors of the items, in order, in blocks of float32 (any, dim).

        Raises:
            ShardError: a shard is damaged, or has changed since its rows were read.
        """
        wanted, begin, given = np.array(self.wanted, bool), 0, 0
        for path in self.shards:
            for block in read_vectors(path, dim):
                taken = block[wanted[begin : begin + len(block)]]
                if not np.isfinite(taken).all():
                    raise ShardError(f"{path} has pictures without a vector: delete it and {AGAIN}.")
                begin, given = begin + len(block), given + len(taken)
                yield taken
        if given != len(items):
            raise ShardError(f"{next(iter(self.shards)).parent} was changed while it was read: {AGAIN}.")


def gather(folder: str | Path) -> Gathered:
    """Read a folder of shards without vectors and thumbnails; of rows with the same id the first counts.

    Raises:
        ShardError: it is not complete, a shard is damaged or missing, or of another model. SourceError: no picture in
            it could be used.
    """
    shelf, shards = sound_shards(full_path(folder))
    gathered = Gathered(shelf.origin, shards, skipped=list(shelf.skipped))
    ids: set[str] = set()
    contents: set[str] = set()
    for path in shards:
        for row in read_rows(path):
            item = replace(row.item, source=gathered.name)
            fault = row.error or (f"has the id {item.id!r}, as another one has." if item.id in ids else None)
            gathered.wanted.append(fault is None and item.sha256 not in contents)
            if fault is not None:
                gathered.skipped.append(Skipped(row.whereabouts or item.path, fault, gathered.name))
                continue
            ids.add(item.id)
            contents.add(item.sha256)
            gathered.files.append(item)
    if not gathered.files:
        raise SourceError(
            f"None of the {len(gathered.skipped):,} pictures in {gathered.name} could be used: index others."
        )
    return gathered


def index_shards(
    folder: str | Path,
    directory: Path,
    *,
    recipe: str = AUTO,
    refinement: str = AUTO_REFINEMENT,
    store: Store | None = EMBEDDED,
    progress: OnProgress | None = None,
) -> Report:
    """Make a gallery from shards, replacing one in its folder; reads no picture and loads no model.

    Args:
        folder: the folder of the shards.
        directory: the folder of the gallery.
        recipe, refinement: as for `IndexOptions`.
        store: the store of the index; None keeps the store of an existing gallery, or takes that of new ones.

    Raises:
        ShardError: the shards are not complete, damaged, or of several models; the gallery is not changed.
        GalleryError, SearchError: as for `Gallery.build`.
    """
    started, gathered = time.perf_counter(), gather(folder)
    options = IndexOptions(recipe=recipe, refinement=refinement, store=store, quality=gathered.origin.quality)
    base = base_manifest(gathered, directory, options)
    with writing(directory, f"index {gathered.name}"):
        run, report = write_gathered(gathered, base, directory, started, progress)
        _keep_thumbnails(gathered, directory, progress)
        run.clear_up()
    return replace(report, seconds=round(time.perf_counter() - started, 3))


def base_manifest(contents: Contents, directory: Path, options: IndexOptions) -> Manifest:
    """Return the initial manifest of a gallery, after checking recipe, refinement and store.

    Raises:
        SearchError, StoreError: one of these does not suit. ShardError: the gallery is a set.
    """
    chosen = choose_recipe(options.recipe, contents.count, contents.dim)
    choose_refinement(options.refinement, contents.count, contents.dim, is_exact=chosen.is_exact)
    if shards := default_shards(directory):
        raise ShardError(
            f"{directory.name} is a set of {shards} shards, and embeddings make one gallery: choose another name, and "
            f"share that gallery out with `rebalance --shards {shards}`."
        )
    store = options.store or default_store(directory)
    check_store(store, chosen.name, is_given=options.store is not None)
    return Manifest(
        **contents.identity,
        dim=contents.dim,
        source=contents.name,
        recipe_asked=options.recipe,
        refinement_asked=options.refinement,
        store=store,
        neighbour_power=power_of(options.quality),
    )


def write_gathered(
    contents: Contents, base: Manifest, directory: Path, started: float, progress: OnProgress | None
) -> tuple[Run, Report]:
    """Write contents as the next generation of a gallery, whose lock is held; returns the run, still to be cleared up.

    Args:
        base: see `base_manifest`.
        started: value of `time.perf_counter` at the start.
    """
    run = Run("index", directory, Plan(), None, Originals((), contents.name), started)
    read_replaced(directory).hand_over(run)
    run.notes = [*run.notes, *contents.notes]
    run.skipped += contents.skipped
    run.taken += [(Reading(item, item), item) for item in contents.files]
    report = run.report()
    write_generation(directory, run.draft(report, Base(base), contents), progress)
    return run, report


def _keep_thumbnails(gathered: Gathered, directory: Path, progress: OnProgress | None) -> None:
    """Copy the shards' thumbnails into the gallery; an unreadable one is made again when it is needed."""
    if not gathered.origin.thumbnails:
        return
    report = Reporter(len(gathered.wanted), progress, task="Keeping small pictures")
    copied: set[str] = set()
    for path, counts in gathered.shards.items():
        try:
            for sha256, jpeg in read_thumbnails(path):
                if sha256 not in copied:
                    write_thumbnail(directory, sha256, jpeg)
                    copied.add(sha256)
        except ShardError as error:
            logger.warning("%s Its small pictures are made again when they are needed.", error)
        report.advance(counts.rows)

"""Making a gallery from shards: items are read into memory, vectors are streamed.

The first pass reads everything but vectors and thumbnails, and selects the items. The second reads the vectors, in the
order of the items, while the generation is written. Thumbnails come last, since a gallery works without them.
"""

import logging
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np

from similarity.errors import ShardError, SourceError
from similarity.indexing.operations import default_store
from similarity.indexing.plan import Plan, Reading
from similarity.indexing.replaced import read_replaced
from similarity.indexing.run import Base, Run
from similarity.paths import full_path
from similarity.progress import OnProgress, Reporter
from similarity.search import AUTO, Rows, choose_recipe
from similarity.search.engines import check_store
from similarity.search.stores import EMBEDDED, Store
from similarity.shards.folder import AGAIN, sound_shards
from similarity.shards.metadata import Counts, Origin
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


@dataclass(slots=True)
class Gathered:
    """The contents of shards apart from vectors and thumbnails.

    Attributes:
        origin: the metadata that all shards share.
        shards: their files, in order.
        files: the pictures, as the gallery will list them.
        wanted: for each row of each shard whether its vector is taken; only the first row of equal contents is.
        skipped: lines of the list and pictures that cannot be used.
    """

    origin: Origin
    shards: dict[Path, Counts]
    files: list[Item] = field(default_factory=list)
    wanted: list[bool] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Name of the list that the shards were made from, with which the gallery can be synchronised."""
        return self.origin.source

    def origins(self, items: Sequence[Item]) -> Rows:
        """Return -1 for every item, since there is no earlier generation."""
        return np.full(len(items), -1, np.int64)

    def parts(self, items: Sequence[Item], dim: int) -> Iterator[Vectors]:  # noqa: ARG002
        """Yield nothing: shards have no regions."""
        return iter(())

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
    base = _base(gathered, directory, recipe, refinement, store)
    with writing(directory, f"index {gathered.name}"):
        run = Run("index", directory, Plan(), None, Originals((), gathered.name), started)
        read_replaced(directory).hand_over(run)
        run.skipped += gathered.skipped
        run.taken += [(Reading(item, item), item) for item in gathered.files]
        report = run.report()
        write_generation(directory, run.draft(report, Base(base), gathered), progress)
        _keep_thumbnails(gathered, directory, progress)
        run.clear_up()
    return replace(report, seconds=round(time.perf_counter() - started, 3))


def _base(gathered: Gathered, directory: Path, recipe: str, refinement: str, store: Store | None) -> Manifest:
    """Return the initial manifest of the gallery, after checking recipe, refinement and store."""
    count, dim = sum(gathered.wanted), gathered.origin.dim
    chosen = choose_recipe(recipe, count, dim)
    choose_refinement(refinement, count, dim, is_exact=chosen.is_exact)
    is_given, store = store is not None, store or default_store(directory)
    check_store(store, chosen.name, is_given=is_given)
    return Manifest(
        **gathered.origin.identity,
        dim=dim,
        source=gathered.name,
        recipe_asked=recipe,
        refinement_asked=refinement,
        store=store,
        neighbour_power=power_of(gathered.origin.quality),
    )


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

"""Shards to a gallery, streamed: the items go into memory, as those of any gallery do, the vectors never all at once.

The first pass reads all but vectors and thumbnails, and finds out what the gallery will list. The second reads the
vectors, in the order of the items, while the generation is written. Thumbnails come last: a gallery can do without.
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
from similarity.vectors.arrays import Vectors
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT
from similarity.vectors.refinement import choose_refinement

logger = logging.getLogger(__name__)


@dataclass(slots=True)
class Gathered:
    """What shards have, apart from vectors and thumbnails.

    Attributes:
        origin: of all of them.
        shards: their files, in order.
        files: the pictures, as the gallery will list them.
        wanted: for every row of every shard whether the gallery takes its vector: of rows with the same content only
            that of the first.
        skipped: what cannot be used, of the list or of its pictures.
    """

    origin: Origin
    shards: dict[Path, Counts]
    files: list[Item] = field(default_factory=list)
    wanted: list[bool] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)

    @property
    def name(self) -> str:
        """Of the list that they were made from, which the gallery can be brought in step with."""
        return self.origin.source

    def origins(self, items: Sequence[Item]) -> Rows:
        """None of the items was in a generation before this one."""
        return np.full(len(items), -1, np.int64)

    def vectors(self, items: Sequence[Item], dim: int) -> Iterator[Vectors]:
        """The vectors of the items that the files make, in their order, float32 (some, dim) at a time.

        Raises:
            ShardError: a shard is damaged, or is not what it was when its rows were read.
        """
        wanted, begin, given = np.array(self.wanted, bool), 0, 0
        for path in self.shards:
            for block in read_vectors(path, dim):
                taken = block[wanted[begin : begin + len(block)]]
                if not np.isfinite(taken).all():
                    raise ShardError(f"{path} has pictures without a vector: take it away and {AGAIN}.")
                begin, given = begin + len(block), given + len(taken)
                yield taken
        if given != len(items):
            raise ShardError(f"{next(iter(self.shards)).parent} was changed while it was read: {AGAIN}.")


def gather(folder: str | Path) -> Gathered:
    """Read what a folder of shards has, apart from vectors and thumbnails; of rows with the same id the first counts.

    Raises:
        ShardError: it is not complete, a shard is damaged or missing, or of another model. SourceError: no picture in
            it could be used.
    """
    shelf, shards = sound_shards(full_path(folder))
    found = Gathered(shelf.origin, shards, skipped=list(shelf.skipped))
    ids: set[str] = set()
    contents: set[str] = set()
    for path in shards:
        for row in read_rows(path):
            item = replace(row.item, source=found.name)
            fault = row.error or (f"has the id {item.id!r}, as another one has." if item.id in ids else None)
            found.wanted.append(fault is None and item.sha256 not in contents)
            if fault is not None:
                found.skipped.append(Skipped(row.whereabouts or item.path, fault, found.name))
                continue
            ids.add(item.id)
            contents.add(item.sha256)
            found.files.append(item)
    if not found.files:
        raise SourceError(f"None of the {len(found.skipped):,} pictures in {found.name} could be used: index others.")
    return found


def index_shards(
    folder: str | Path,
    directory: Path,
    *,
    recipe: str = AUTO,
    refinement: str = AUTO_REFINEMENT,
    store: Store | None = EMBEDDED,
    progress: OnProgress | None = None,
) -> Report:
    """Make a gallery of shards, in place of whatever is in its folder; no picture is read and no model loaded.

    Args:
        folder: of the shards.
        directory: of the gallery.
        recipe, refinement: as for `indexing.index`.
        store: where its index is to lie; where it was, or where new ones are, if that is None.

    Raises:
        ShardError: the shards are not complete, damaged, or of several models; the gallery stays as it is.
        GalleryError, SearchError: as for `indexing.index`.
    """
    started, found = time.perf_counter(), gather(folder)
    count, dim = sum(found.wanted), found.origin.dim
    chosen = choose_recipe(recipe, count, dim)
    choose_refinement(refinement, count, dim, is_exact=chosen.is_exact)
    is_given, store = store is not None, store or default_store(directory)
    check_store(store, chosen.name, is_given=is_given)
    base = Manifest(
        **found.origin.identity,
        dim=dim,
        source=found.name,
        recipe_asked=recipe,
        refinement_asked=refinement,
        store=store,
    )
    with writing(directory, f"index {found.name}"):
        run = Run("index", directory, Plan(), None, Originals((), found.name), started)
        run.skipped += found.skipped
        run.taken += [(Reading(item, item), item) for item in found.files]
        report = run.commit(Base(base), found, progress)
        _keep_thumbnails(found, directory, progress)
        run.clear_up()
    return replace(report, seconds=round(time.perf_counter() - started, 3))


def _keep_thumbnails(found: Gathered, directory: Path, progress: OnProgress | None) -> None:
    """Give the gallery the thumbnails of the shards; what cannot be read is made again when it is wanted."""
    if not found.origin.thumbnails:
        return
    told = Reporter(len(found.wanted), progress, task="Keeping small pictures")
    kept: set[str] = set()
    for path, counts in found.shards.items():
        try:
            for sha256, jpeg in read_thumbnails(path):
                if sha256 not in kept:
                    write_thumbnail(directory, sha256, jpeg)
                    kept.add(sha256)
        except ShardError as error:
            logger.warning("%s Its small pictures are made again when they are wanted.", error)
        told.advance(counts.rows)

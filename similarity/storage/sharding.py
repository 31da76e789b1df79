"""Writing the shards of a set: each picture where its content says, refined as one gallery of all would be.

Shards that stay as they were are not written again: those without refinement, or centred around the same centre, whose
pictures, labels and options are the same. Where pictures are moved towards their neighbours, these are found among
all pictures of the set, so all shards are written again.
"""

from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, cast

import numpy as np

from similarity.errors import GalleryError, SearchError
from similarity.paths import CENTRE, EMBEDDINGS, HEAD, INDEX, ITEMS, NETWORK, REFINED, SHARDS
from similarity.progress import OnProgress
from similarity.search import Recipe, VectorIndex, choose_recipe
from similarity.search.engines import make_index
from similarity.search.faiss.inverted import InvertedIndex
from similarity.search.faiss.training import Lists, train_lists
from similarity.search.neighbours import is_near
from similarity.search.stacked import joint_tuning
from similarity.search.stores import Indexed
from similarity.search.tuning import Tuning
from similarity.sources import Item
from similarity.storage.current import State, make_current
from similarity.storage.draft import Draft
from similarity.storage.generation_files import copy_network, seal, write_projected
from similarity.storage.generations import Generation, read_generation
from similarity.storage.items import write_items
from similarity.storage.layout import generation_folder
from similarity.storage.live import read_live_manifest
from similarity.storage.manifest import Manifest, Report
from similarity.storage.refining import Refining
from similarity.storage.removal import remove_shards
from similarity.storage.set_reading import assign
from similarity.storage.shard_places import Shard
from similarity.vectors.memmap import StoredVectors, write_vectors
from similarity.vectors.placed import read_placed
from similarity.vectors.refinement import mean_of, read_refined, refine
from similarity.vectors.stacked import Places, Rows, StackedRows, StackedVectors


@dataclass(frozen=True, slots=True)
class Piece:
    """A shard that is being written.

    Attributes:
        place: its folder among those of the set's shards.
        rows: of its pictures among those of the set.
        items: its pictures.
        folder: of its generation.
        vectors: its embeddings, projected if there is a head, before refinement.
    """

    place: str
    rows: Rows
    items: Sequence[Item]
    folder: Path
    vectors: StoredVectors


@dataclass(frozen=True, slots=True)
class Sharding:
    """How a set is written.

    Attributes:
        directory: the set's folder.
        folder: of its generation.
        draft: of all its pictures.
        progress: called as the work goes on.
    """

    directory: Path
    folder: Path
    draft: Draft
    progress: OnProgress | None = None

    @property
    def manifest(self) -> Manifest:
        """That of the set."""
        return self.draft.manifest

    @property
    def recipe(self) -> Recipe:
        """The recipe of each shard: that of the set, whose inverted lists are trained on all of its pictures."""
        return Recipe(self.manifest.recipe, self.manifest.recipe_reason)

    def begin(self, number: int, rows: Rows) -> Piece:
        """Write the embeddings of a shard, in a folder of its own."""
        place = f"{self.folder.name}/shard-{number + 1}"
        items = [self.draft.items[row] for row in rows.tolist()]
        folder, recipe = generation_folder(self.directory / SHARDS / place, 1), self.recipe
        folder.mkdir(parents=True)
        blocks = self.draft.vectors_of(items) if self.draft.vectors_of else ()
        write_vectors(folder / EMBEDDINGS, (len(items), self.manifest.dim), blocks, recipe.stored)
        vectors = StoredVectors(folder / EMBEDDINGS)
        if self.draft.head:
            vectors = write_projected(folder, vectors, self.draft.head, recipe)
        return Piece(place, rows, items, folder, vectors)

    def refine(self, vectors: StoredVectors, kept: Sequence[Generation]) -> StoredVectors:
        """Refine the vectors of all pictures as one, around the centre of shards that may be kept if that is near."""
        manifest = self.manifest
        if manifest.refinement == "centred":
            mean, old = mean_of(vectors), kept[0].vectors.centre if kept else None
            centre = old if old is not None and is_near(old, mean) else mean
            return refine(self.folder, vectors, "centred", centre=centre)
        before = self.draft.change.for_index() if self.draft.change else None
        refining = Refining(
            self.directory, self.folder, manifest.refinement, self.recipe, manifest.neighbour_power, self.progress
        )
        return refining.refine(vectors, before)[0]

    def finish(self, piece: Piece, refined: StoredVectors, trained: Lists | None) -> tuple[Shard, VectorIndex]:
        """Write all else of a shard, and make it a gallery; returns its index, too.

        Args:
            refined: the vectors of the set.
            trained: the training of inverted lists that all shards share.
        """
        directory, recipe = self.directory / SHARDS / piece.place, self.recipe
        vectors = self._write_refined(piece, refined, recipe)
        of = Indexed(directory, 1, piece.items)
        index = make_index(self.manifest.store, recipe.name, vectors, of, trained=trained, progress=self.progress)
        index.save(piece.folder / INDEX)
        write_items(piece.folder / ITEMS, piece.items)
        if self.draft.quantised:
            copy_network(self.draft.quantised, piece.folder / NETWORK)
        manifest = replace(
            _alone(self.manifest),
            count=len(piece.items),
            duplicates=sum(len(item.copies) for item in piece.items),
            recipe=recipe.name,
            recipe_reason=recipe.reason,
            search=index.facts,
            generation=1,
            written_in=str(directory),
        )
        state = State(1, seal(piece.folder, manifest))
        make_current(directory, state)
        return Shard(piece.place, str(state), _bytes(piece.folder)), index

    def _write_refined(self, piece: Piece, refined: StoredVectors, recipe: Recipe) -> StoredVectors:
        """Write the files of a shard's refinement; returns its vectors as they are compared."""
        method, power = self.manifest.refinement, self.manifest.neighbour_power
        if method == "none":
            return piece.vectors
        np.save(piece.folder / CENTRE, np.asarray(refined.centre), allow_pickle=False)
        if method == "centred":
            return read_refined(piece.folder, piece.vectors, method, power)
        size = 1024
        blocks = (refined[piece.rows[start : start + size]] for start in range(0, len(piece.rows), size))
        write_vectors(piece.folder / REFINED, (len(piece.rows), piece.vectors.dim), blocks, recipe.stored)
        return read_placed(piece.folder, piece.vectors, power)

    def train(self, vectors: StoredVectors, kept: Sequence[VectorIndex]) -> Lists | None:
        """Return the training of inverted lists that all shards share; None for other indexes.

        Args:
            vectors: of all pictures.
            kept: the indexes of shards that stay as they are.
        """
        if self.recipe.is_exact:
            return None
        trained = next((index.lists for index in kept if isinstance(index, InvertedIndex)), None)
        return trained or self._live_lists(vectors) or train_lists(self.recipe.name, vectors, self.progress)

    def _live_lists(self, vectors: StoredVectors) -> Lists | None:
        """Return lists of the live state where pictures are too few to learn others; None where they are enough.

        Raises SearchError if they are too few, and the live state has no such lists.
        """
        try:
            choose_recipe(self.recipe.name, len(vectors), vectors.dim)
        except SearchError:
            with suppress(GalleryError):
                for shard in read_live_manifest(self.directory).shards:
                    with suppress(GalleryError):
                        opened = read_generation(shard.folder(self.directory)) if shard.place else None
                        if opened and opened.manifest.recipe == self.recipe.name and opened.index.dim == vectors.dim:
                            return cast("InvertedIndex", opened.index).lists
            raise
        return None

    @property
    def tuning(self) -> Tuning:
        """That of the live state, changed since; raises GalleryError, or LookupError if it has none."""
        return Tuning.from_facts(read_live_manifest(self.directory).search).after(1)

    def unchanged(self, rows: Sequence[Rows]) -> dict[int, tuple[Shard, Generation]]:
        """Return by number the shards that can stay, if their centre does.

        Args:
            rows: of the pictures of each shard.
        """
        known: dict[int, tuple[Shard, Generation]] = {}
        # Sets of earlier versions have no tuning, and lists that were trained apart.
        with suppress(GalleryError, LookupError, TypeError, ValueError):
            before = read_live_manifest(self.directory)
            if self.manifest.refinement == "neighbours" or len(before.shards) != len(rows):
                return {}
            # A recall that is low, as that of short codes is from the start, is not mended by learning again.
            if not self.recipe.is_exact and replace(self.tuning, changed=0).drift(self.manifest.count):
                return {}
            for number, shard in enumerate(before.shards):
                if shard.place and (generation := self._if_same(shard, rows[number])):
                    known[number] = shard, generation
        return known

    def _if_same(self, shard: Shard, rows: Rows) -> Generation | None:
        """Return a shard, opened, if it has these pictures, and is made as it would be now."""
        with suppress(GalleryError):
            opened = read_generation(shard.folder(self.directory))
            asked = _alone(self.manifest)
            made = len(rows) > 0 and all(getattr(opened.manifest, name) == getattr(asked, name) for name in MADE_WITH)
            is_same = str(opened.state) == shard.state and len(opened.items) == len(rows)
            if made and is_same and opened.items == [self.draft.items[row] for row in rows.tolist()]:
                return opened
        return None


MADE_WITH = ("identity", "dim", "head_sha256", "recipe", "refinement", "neighbour_power", "store", "gps")


def write_shards(
    directory: Path, folder: Path, draft: Draft, progress: OnProgress | None = None
) -> tuple[list[Shard], dict[str, Any]]:
    """Write the shards of a set, and what its own generation has of their refinement; returns all of them.

    Args:
        directory: the set's folder.
        folder: of its generation.
        draft: whose manifest has as many shards as there are to be.

    Returns:
        The shards, and facts on searching all of them at once, see `StackedIndex`.

    Raises:
        SearchError: the recipe or the refinement does not suit the number of pictures.
    """
    sharding, total = Sharding(directory, folder, draft, progress), len(draft.manifest.shards)
    remove_shards(directory / SHARDS / folder.name)
    numbers = assign((item.sha256 for item in draft.items), total)
    rows = [np.flatnonzero(numbers == number) for number in range(total)]
    if draft.head:
        draft.head.write(folder / HEAD)
    kept = sharding.unchanged(rows)
    pieces = {number: sharding.begin(number, of) for number, of in enumerate(rows) if len(of) and number not in kept}
    refined = sharding.refine(_stack(directory, numbers, pieces, kept), [one for _, one in kept.values()])
    for number, (_, generation) in list(kept.items()):
        if not _has_centre(generation, refined):
            pieces[number] = sharding.begin(number, rows[number])
            del kept[number]
    shards = {number: shard for number, (shard, _) in kept.items()}
    indexes = {number: generation.index for number, (_, generation) in kept.items()}
    trained = sharding.train(refined, list(indexes.values()))
    for number, piece in pieces.items():
        shards[number], indexes[number] = sharding.finish(piece, refined, trained)
    before = sharding.tuning if kept and trained else Tuning(len(refined))
    there = sorted(indexes)
    tuning = joint_tuning([indexes[number] for number in there], _places(numbers, there), refined, before, progress)
    return [shards.get(number, Shard()) for number in range(total)], tuning.facts if tuning else {}


def _stack(
    directory: Path, numbers: Rows, pieces: dict[int, Piece], kept: dict[int, tuple[Shard, Generation]]
) -> StackedVectors:
    """Return the vectors of all shards before refinement, in the order of the set."""
    there = sorted({*pieces, *kept})
    parts = [pieces[number].vectors.rows if number in pieces else kept[number][1].vectors.rows for number in there]
    return StackedVectors(StackedRows(parts, _places(numbers, there), directory))


def _places(numbers: Rows, there: Sequence[int]) -> Places:
    """Return the places of pictures in those shards that have any."""
    return Places.among(np.searchsorted(there, numbers), len(there))


def _has_centre(generation: Generation, refined: StoredVectors) -> bool:
    centre = generation.vectors.centre
    if centre is None or refined.centre is None:
        return centre is refined.centre
    return np.array_equal(centre, refined.centre)


def _alone(manifest: Manifest) -> Manifest:
    """Return the manifest of a shard, as far as it is that of its set."""
    report = Report(manifest.last_run.task, manifest.source)
    return replace(manifest, shards=[], is_shard=True, skipped=[], excluded={}, last_run=report, files={})


def _bytes(folder: Path) -> int:
    return sum(path.stat().st_size for path in folder.rglob("*") if path.is_file())

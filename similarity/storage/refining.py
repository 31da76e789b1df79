"""Refining the vectors of a generation that is being written: anew, or from the generation that it changes."""

from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from similarity.progress import OnProgress
from similarity.search import Recipe
from similarity.search.neighbours import find_neighbours, is_mostly_kept, is_near, update_neighbours, without_moved
from similarity.search.stores import Before
from similarity.storage.found_neighbours import FoundNeighbours
from similarity.vectors.arrays import Nearest, Vectors
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.methods import POWER, Method
from similarity.vectors.refined import KEPT, NEAREST
from similarity.vectors.refinement import is_large, mean_of, refine


@dataclass(frozen=True, slots=True)
class Refining:
    """Where a generation is written, and how its vectors are refined.

    Attributes:
        directory: the gallery's folder.
        folder: the generation's folder.
        method: its refinement.
        recipe: its recipe.
        power: see `refinement.power_of`.
        progress: called as neighbours are found.
    """

    directory: Path
    folder: Path
    method: Method
    recipe: Recipe
    power: float = POWER
    progress: OnProgress | None = None

    def refine(self, embeddings: StoredVectors, before: Before | None) -> tuple[StoredVectors, Before | None]:
        """Refine the embeddings of a file.

        Args:
            before: the generation that is changed, with the same recipe, store and head, if there is one.

        Returns:
            The vectors that are compared, and what their index continues: None if it is to be built anew.
        """
        if self.method != "neighbours" or (self.recipe.is_exact and not is_large(*embeddings.shape)):
            # In an index that is continued, this centre was subtracted from the vectors.
            centre = before.vectors.centre if before and not self.recipe.is_exact else None
            return self._refine(embeddings, centre=centre, progress=self.progress), before
        mean, nearest = mean_of(embeddings), before.vectors.nearest if before else None
        if before and nearest is not None and nearest.shape[1] == KEPT and _is_similar(before, mean):
            return self._update(embeddings, before, nearest)
        find = self._find if is_large(*embeddings.shape) else None
        return self._refine(embeddings, centre=mean, find=find, progress=self.progress), None

    def _refine(self, embeddings: StoredVectors, **options: Any) -> StoredVectors:
        return refine(self.folder, embeddings, self.method, power=self.power, **options)

    def _update(self, embeddings: StoredVectors, before: Before, nearest: Nearest) -> tuple[StoredVectors, Before]:
        """Refine around the same centre as before, so that only rows with other neighbours have changed."""
        find = partial(self._find_after, before, nearest)
        refined = self._refine(embeddings, centre=before.vectors.centre, find=find)
        after = nearest if refined.nearest is None else refined.nearest
        origins = without_moved(before.origins, nearest, after, NEAREST)
        return refined, replace(before, origins=origins, are_traced=True)

    def _find_after(self, before: Before, nearest: Nearest, centred: StoredVectors) -> Nearest:
        updated = update_neighbours(centred, nearest, before.origins, self.progress)
        return self._find(centred) if updated is None else updated

    def _find(self, centred: StoredVectors) -> Nearest:
        """Find all neighbours, continuing what an interrupted run has found."""
        with FoundNeighbours(self.directory, centred) as run:
            return find_neighbours(centred, found=run.found, keep=run.keep, progress=self.progress)


def _is_similar(before: Before, mean: Vectors) -> bool:
    """Whether a gallery is similar enough to what it was before its change, and to what its centre was made of.

    Args:
        mean: that of its embeddings after the change, float32 (dim,).
    """
    centre = before.vectors.centre
    return centre is not None and is_mostly_kept(before.origins, len(before.vectors)) and is_near(centre, mean)

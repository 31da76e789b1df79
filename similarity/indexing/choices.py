"""The choice of recipe and refinement for a generation, made before it is written."""

from dataclasses import replace
from functools import partial

from similarity.embedding.backbones import understands_text
from similarity.errors import SearchError
from similarity.search import AUTO, Recipe, choose_recipe
from similarity.storage.manifest import Manifest
from similarity.vectors.heads import Head
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT
from similarity.vectors.refinement import Refinement, choose_refinement, is_large

UNLIMITED = 1 << 62  # bytes of memory
# From this number of pictures on, the speed at which a run embedded is known; the first take longer.
ENOUGH = 500


def choose(
    manifest: Manifest, head: Head | None = None, before: Manifest | None = None, rebuilt: Manifest | None = None
) -> Manifest:
    """Complete a manifest with the recipe, the refinement and the head of the generation.

    Args:
        manifest: has the requested recipe and refinement, and the count and store of the generation.
        head: the head that transforms embeddings before they are compared.
        before: the manifest of the generation that is changed; None for a new gallery.
        rebuilt: that of the one that is rebuilt with no word on its refinement.

    Raises:
        SearchError: the recipe or the refinement does not suit the number of pictures.
    """
    recipe = _recipe(manifest, head.dim if head else manifest.dim, before)
    chosen = replace(
        manifest,
        head_sha256=head.sha256 if head else None,
        recipe=recipe.name,
        recipe_reason=recipe.reason,
    )
    kept = _kept_refinement(chosen, recipe, head, before, rebuilt)
    refinement = kept or _refinement(chosen, recipe, head, is_change=before is not None)
    return replace(chosen, refinement=refinement.method, refinement_reason=refinement.reason)


def is_continued(manifest: Manifest, before: Manifest) -> bool:
    """Whether a generation continues the index of the one before, with the same recipe and store."""
    return (manifest.recipe, manifest.store) == (before.recipe, before.store)


def _recipe(manifest: Manifest, dim: int, before: Manifest | None) -> Recipe:
    """Return the recipe of a generation.

    Args:
        dim: length of the vectors that are compared.
        before: the manifest before a change, which keeps a requested recipe even if it suits no more, and keeps lists.
    """
    if before is None:
        return choose_recipe(manifest.recipe_asked, manifest.count, dim)
    current = Recipe(before.recipe, before.recipe_reason)
    if manifest.recipe_asked != AUTO:
        return current
    # A temporary shortage of memory is no reason to give up exact search.
    free = UNLIMITED if current.is_exact else None
    chosen = choose_recipe(AUTO, manifest.count, dim, free=free)
    return chosen if current.is_exact or chosen.is_exact else current


def _kept_refinement(
    manifest: Manifest, recipe: Recipe, head: Head | None, before: Manifest | None, rebuilt: Manifest | None
) -> Refinement | None:
    """Return the refinement that a generation keeps; None if it is to be chosen.

    Continued lists keep theirs, since they contain refined vectors; and so do large galleries that left it to auto: a
    change of a few pictures should not take the time of all, and a rebuild does not know how long embedding took.
    """
    old = before or rebuilt
    if old is None or not is_continued(manifest, old):
        return None
    if not before and manifest.head_sha256 != old.head_sha256:  # a change keeps its head
        return None
    dim = head.dim if head else manifest.dim
    was_chosen = manifest.refinement_asked == AUTO_REFINEMENT and old.refinement_asked == AUTO_REFINEMENT
    if (before and not recipe.is_exact) or (was_chosen and is_large(manifest.count, dim) and is_large(old.count, dim)):
        return Refinement(old.refinement, old.refinement_reason)
    return None


def _refinement(manifest: Manifest, recipe: Recipe, head: Head | None, *, is_change: bool) -> Refinement:
    """Return the refinement of a generation that keeps none."""
    dim = head.dim if head else manifest.dim
    choose = partial(
        choose_refinement,
        count=manifest.count,
        dim=dim,
        is_exact=recipe.is_exact,
        has_words=understands_text(manifest.model) and head is None,
        knows_labels=head is not None and head.card.is_of_labels,
        embedding_s=_embedding_seconds(manifest),
    )
    try:
        return choose(manifest.refinement_asked)
    except SearchError:
        if not is_change:
            raise
        return choose(AUTO_REFINEMENT)  # a change must not fail because the requested refinement no longer suits


def _embedding_seconds(manifest: Manifest) -> float | None:
    """Return the seconds that embedding all pictures takes at the speed of this run; None if it embedded too few."""
    run = manifest.last_run
    if run is None or run.embedded < ENOUGH:
        return None
    return run.seconds / run.embedded * manifest.count

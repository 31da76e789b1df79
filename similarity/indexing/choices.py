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


def choose(manifest: Manifest, head: Head | None = None, before: Manifest | None = None) -> Manifest:
    """Complete a manifest with the recipe, the refinement and the head of the generation.

    Args:
        manifest: has the requested recipe and refinement, and the count and store of the generation.
        head: the head that transforms embeddings before they are compared.
        before: the manifest of the generation that is changed; None for a new gallery.

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
    refinement = _refinement(chosen, recipe, head, before)
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


def _refinement(manifest: Manifest, recipe: Recipe, head: Head | None, before: Manifest | None) -> Refinement:
    """Return the refinement of a generation.

    Continued lists keep theirs, since they contain refined vectors; and so do large galleries that left it to auto,
    since a change of a few pictures should not take the time of all.
    """
    dim = head.dim if head else manifest.dim
    if before and is_continued(manifest, before):
        was_chosen = manifest.refinement_asked == AUTO_REFINEMENT and is_large(manifest.count, dim)
        if not recipe.is_exact or (was_chosen and is_large(before.count, dim)):
            return Refinement(before.refinement, before.refinement_reason)
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
        if not before:
            raise
        return choose(AUTO_REFINEMENT)  # a change must not fail because the requested refinement no longer suits


def _embedding_seconds(manifest: Manifest) -> float | None:
    """Return the seconds that embedding all pictures takes at the speed of this run; None if it embedded few."""
    run = manifest.last_run
    if run is None or run.embedded * 2 < manifest.count:
        return None
    return run.seconds / run.embedded * manifest.count

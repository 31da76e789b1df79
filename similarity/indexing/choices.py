"""How a generation is compared, chosen before it is written: the recipe of its index, and its refinement."""

from dataclasses import replace
from functools import partial

from similarity.embedding.backbones import understands_text
from similarity.errors import SearchError
from similarity.search import AUTO, Recipe, choose_recipe
from similarity.storage.manifest import Manifest
from similarity.vectors.heads import Head
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT
from similarity.vectors.refinement import Refinement, choose_refinement

UNLIMITED = 1 << 62  # bytes of memory


def choose(manifest: Manifest, head: Head | None = None, before: Manifest | None = None) -> Manifest:
    """Complete a manifest by the recipe and the refinement of the generation, and by its head.

    Args:
        manifest: recipe_asked and refinement_asked say what was asked for; count and store are those of the generation.
        head: the head that its embeddings go through before they are compared.
        before: the manifest of the generation that it is a change of.

    Raises:
        SearchError: the recipe or the refinement makes no sense for so many pictures.
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
    """Whether the index of a generation continues that of the one before: same recipe, same store."""
    return (manifest.recipe, manifest.store) == (before.recipe, before.store)


def _recipe(manifest: Manifest, dim: int, before: Manifest | None) -> Recipe:
    """The recipe of a generation.

    Args:
        dim: of the vectors that are compared.
        before: a change keeps the recipe that was asked for, however few pictures are left, and lists stay lists.
    """
    if before is None:
        return choose_recipe(manifest.recipe_asked, manifest.count, dim)
    kept = Recipe(before.recipe, before.recipe_reason)
    if manifest.recipe_asked != AUTO:
        return kept
    # Memory that is short for the moment is no reason to give up exact search.
    free = UNLIMITED if kept.is_exact else None
    chosen = choose_recipe(AUTO, manifest.count, dim, free=free)
    return chosen if kept.is_exact or chosen.is_exact else kept


def _refinement(manifest: Manifest, recipe: Recipe, head: Head | None, before: Manifest | None) -> Refinement:
    """The refinement of a generation; lists that are continued hold refined vectors, which cannot become others."""
    if before and is_continued(manifest, before) and not recipe.is_exact:
        return Refinement(before.refinement, before.refinement_reason)
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
        return choose(AUTO_REFINEMENT)  # a change goes through even if it rules out the refinement that was asked for

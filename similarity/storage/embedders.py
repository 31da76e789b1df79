"""The embedder of a generation: the model that made it, loaded again."""

from similarity.embedding.embedder import Embedder, EmbedderId, Load
from similarity.errors import GalleryError, ModelError
from similarity.storage.generations import Generation
from similarity.storage.manifest import Manifest


def check_has_model(name: str, manifest: Manifest) -> None:
    """Raise GalleryError if the gallery of that name has vectors only, and no model to embed pictures with."""
    if not manifest.has_model:
        raise GalleryError(
            f"The gallery {name} has vectors without a model, so no picture or words can be embedded for it: search it "
            "with one of its own pictures or with a vector, or index its vectors again with the --model that made them."
        )


def restore_embedder(name: str, generation: Generation, load: Load) -> Embedder:
    """Load the model of a generation, the only one that can embed more pictures or queries for it.

    Args:
        name: the name of its gallery, for errors.

    Raises:
        GalleryError: it cannot be loaded, or its weights have changed.
    """
    manifest = generation.manifest
    check_has_model(name, manifest)
    identity = EmbedderId(
        manifest.model,
        manifest.weights_sha256,
        manifest.precision,
        generation.quantised,
        manifest.network_sha256,
    )
    try:
        embedder = load(identity).with_view(manifest.view)
    except ModelError as error:
        raise GalleryError(
            f"The gallery {name} was made with {manifest.model}, which cannot be loaded: {error}"
        ) from error
    if not embedder.serves(identity) or embedder.preprocessing != manifest.preprocessing:
        raise GalleryError(f"The gallery {name} was made with another model or preprocessing: index it again.")
    return embedder

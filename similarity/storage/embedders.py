"""The embedder of a generation: the model that made it, loaded again."""

from similarity.embedding.embedder import Embedder, EmbedderId, Load
from similarity.errors import GalleryError, ModelError
from similarity.storage.generations import Generation


def restore_embedder(name: str, generation: Generation, load: Load) -> Embedder:
    """Load the model of a generation, the only one that can embed more pictures or queries for it.

    Args:
        name: the name of its gallery, for errors.

    Raises:
        GalleryError: it cannot be loaded, or its weights have changed.
    """
    manifest = generation.manifest
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

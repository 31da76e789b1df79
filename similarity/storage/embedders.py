"""The embedder that made a generation: the only one that can embed more pictures for it, or queries."""

from similarity.embedding.embedder import Embedder, EmbedderId, Load
from similarity.errors import GalleryError, ModelError
from similarity.storage.generations import Generation


def restore_embedder(name: str, generation: Generation, load: Load) -> Embedder:
    """Load the embedder that made a generation.

    Args:
        name: of its gallery, for errors.

    Raises:
        GalleryError: it cannot be loaded, or its weights are not the same any more.
    """
    made = generation.manifest
    identity = EmbedderId(made.model, made.weights_sha256, made.precision, generation.quantised, made.network_sha256)
    try:
        embedder = load(identity)
    except ModelError as error:
        raise GalleryError(f"The gallery {name} was made with {made.model}, which cannot be loaded: {error}") from error
    if not embedder.serves(identity) or embedder.backbone.preprocessing.facts() != made.preprocessing:
        raise GalleryError(f"The gallery {name} was made with another model or preprocessing: index it again.")
    return embedder

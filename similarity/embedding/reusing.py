"""An embedder that is loaded once for a gallery and for what becomes of it."""

from similarity.embedding.embedder import Embedder, EmbedderId
from similarity.indexing.operations import Load


class Reusing:
    """Loads an embedder as another function does, and gives the same one again as long as it is the right one.

    A gallery and what becomes of it share one, which holds nothing else of them.
    """

    def __init__(self, load: Load, embedder: Embedder | None = None) -> None:
        self._load = load
        self._embedder = embedder

    def __call__(self, identity: EmbedderId) -> Embedder:
        if self._embedder is None or not self._embedder.serves(identity):
            self._embedder = self._load(identity)
        return self._embedder

"""Pictures to embeddings."""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.embedding.embedder import Embedder, EmbedderId
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "Embedder": "similarity.embedding.embedder",
            "EmbedderId": "similarity.embedding.embedder",
        },
    )

__all__ = ["Embedder", "EmbedderId"]

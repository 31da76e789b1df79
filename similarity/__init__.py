"""Visual search: show it a picture, and it finds the most similar pictures of a gallery."""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.embedding.embedder import Embedder
    from similarity.errors import SimilarityError
    from similarity.gallery import Gallery
    from similarity.query.inputs import Examples, Text
    from similarity.search import Hit
    from similarity.sources import Item
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "Embedder": "similarity.embedding.embedder",
            "Examples": "similarity.query.inputs",
            "Gallery": "similarity.gallery",
            "Hit": "similarity.search",
            "Item": "similarity.sources",
            "SimilarityError": "similarity.errors",
            "Text": "similarity.query.inputs",
        },
    )

__all__ = ["Embedder", "Examples", "Gallery", "Hit", "Item", "SimilarityError", "Text"]

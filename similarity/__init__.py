"""Visual search: show it a picture, and it finds the most similar pictures of a gallery."""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.embedding.embedder import Embedder
    from similarity.errors import SimilarityError
    from similarity.galleries import Galleries
    from similarity.gallery import Gallery
    from similarity.query.inputs import Crop, Examples, ItemId, Text, Vector
    from similarity.search import Hit
    from similarity.sources import Item
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "Embedder": "similarity.embedding.embedder",
            "Crop": "similarity.query.inputs",
            "Examples": "similarity.query.inputs",
            "Galleries": "similarity.galleries",
            "Gallery": "similarity.gallery",
            "Hit": "similarity.search",
            "Item": "similarity.sources",
            "ItemId": "similarity.query.inputs",
            "SimilarityError": "similarity.errors",
            "Text": "similarity.query.inputs",
            "Vector": "similarity.query.inputs",
        },
    )

__all__ = [
    "Crop",
    "Embedder",
    "Examples",
    "Galleries",
    "Gallery",
    "Hit",
    "Item",
    "ItemId",
    "SimilarityError",
    "Text",
    "Vector",
]

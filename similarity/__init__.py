"""Visual search: show it a picture, and it finds the most similar pictures of a gallery."""

from similarity.embedding.embedder import Embedder
from similarity.errors import SimilarityError
from similarity.gallery import Gallery
from similarity.query.inputs import Examples, Text
from similarity.search import Hit
from similarity.sources import Item

__all__ = ["Embedder", "Examples", "Gallery", "Hit", "Item", "SimilarityError", "Text"]

"""From what a person asks with, pictures and words, to the one vector that a gallery is searched for."""

from collections.abc import Callable, Sequence
from pathlib import Path

import numpy as np

from similarity.embedding.backbones import understands_text
from similarity.embedding.embedder import Embedder
from similarity.errors import GalleryError, SearchError
from similarity.query.inputs import Examples, Text, decode_query
from similarity.storage.manifest import Manifest
from similarity.text.plain import LONGEST
from similarity.vectors.arrays import Vectors, balance, combine
from similarity.vectors.memmap import StoredVectors

# How many of a gallery's pictures say how much scores differ; see `vectors.balance`.
BALANCED_WITH = 1000


class Asking:
    """Embeds queries as one gallery compares them. Safe to share between threads."""

    def __init__(
        self,
        directory: Path,
        manifest: Manifest,
        vectors: StoredVectors,
        refine: Callable[[Vectors], Vectors],
        embedder: Callable[[], Embedder],
    ) -> None:
        """For the gallery in a folder, whose model `embedder` gives, and whose embeddings `refine` refines."""
        self._directory, self._manifest, self._vectors = directory, manifest, vectors
        self._refine, self._embedder = refine, embedder

    @property
    def understands_text(self) -> bool:
        """Whether the gallery's model compares words with pictures."""
        return understands_text(self._manifest.model)

    def embed(self, examples: Examples) -> Vectors:
        """What a query is searched for with, float32 (dim,), of unit length; see `Gallery.embed_query`."""
        if not examples.like:
            raise SearchError("Show it a picture that the results should look like, too, or say it in words.")
        asked = [*examples.like, *examples.unlike]
        embedder = self._embedder()
        side = embedder.backbone.preprocessing.resize
        images = [decode_query(one, side=side) for one in asked if not isinstance(one, Text)]
        pictures = iter(self._refine(embedder.embed(images)))
        vectors = [self.embed_text(one.words) if isinstance(one, Text) else next(pictures) for one in asked]
        are_words = [isinstance(one, Text) for one in asked]
        return self.combine(np.array(vectors), are_words, len(examples.like), examples.weights)

    def embed_text(self, words: str) -> Vectors:
        """See `Gallery.embed_text`."""
        if len(words) > LONGEST:
            raise SearchError(f"Words have {LONGEST:,} characters at most, and these {len(words):,}: say it shorter.")
        if self._manifest.head_sha256 and self.understands_text:
            raise GalleryError(
                f"The gallery {self._directory.name} compares through a head, which words do not go through: "
                f"run `python -m similarity rebuild --gallery {self._directory} --head none --refinement none`."
            )
        if self._manifest.refinement != "none" and self.understands_text:
            raise GalleryError(
                f"The gallery {self._directory.name} compares refined embeddings, which words cannot be compared with: "
                f"run `python -m similarity rebuild --gallery {self._directory} --refinement none`."
            )
        vector: Vectors = self._embedder().embed_texts([words])[0]
        return vector

    def combine(
        self, asked: Vectors, are_words: Sequence[bool], examples: int, weights: Sequence[float] = ()
    ) -> Vectors:
        """See `Gallery.combine`."""
        is_mixed = len(set(are_words)) > 1
        some = self._vectors[:: max(1, len(self._vectors) // BALANCED_WITH)] if is_mixed else asked
        balanced = balance(asked, are_words, some)
        return combine(balanced[:examples], balanced[examples:], weights)

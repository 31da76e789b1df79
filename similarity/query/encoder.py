"""From a query, pictures and words, to the one vector that a gallery is searched for."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from similarity.embedding.backbones import understands_text
from similarity.embedding.embedder import Embedder, seen_box
from similarity.errors import GalleryError, SearchError
from similarity.images.picture import QueryFile
from similarity.query.explain import Look, decompose
from similarity.query.inputs import Examples, Text, decode_query
from similarity.storage.manifest import Manifest
from similarity.text.plain import LONGEST
from similarity.vectors.arrays import Vectors, balance, combine
from similarity.vectors.heads import Head
from similarity.vectors.memmap import StoredVectors

# How many of a gallery's pictures say how much scores differ; see `vectors.balance`.
BALANCED_WITH = 1000


@dataclass(frozen=True, slots=True, eq=False)
class EncodedQuery:
    """A query that was read, decoded and embedded once: for its hits, for how sure they are, and to explain them.

    Attributes:
        examples: its pictures, whose files have been read, and its words.
        vector: float32 (dim,), of unit length, as the gallery compares it.
        look: the first picture that results should look like, taken apart into regions, if that was requested.
    """

    examples: Examples
    vector: Vectors
    look: Look | None = None

    @property
    def files(self) -> list[QueryFile]:
        """The picture files that results should look like."""
        return [example for example in self.examples.like if isinstance(example, QueryFile)]

    @property
    def has_words(self) -> bool:
        """Whether any part of it is words."""
        return any(isinstance(example, Text) for example in (*self.examples.like, *self.examples.unlike))


@dataclass(frozen=True, slots=True, eq=False)
class QueryEncoder:
    """Encodes queries as one gallery compares them. Safe to share between threads.

    Attributes:
        directory, manifest, vectors, head: the gallery's.
    """

    directory: Path
    manifest: Manifest
    vectors: StoredVectors
    head: Head | None

    @property
    def understands_text(self) -> bool:
        """Whether the gallery's model compares words with pictures."""
        return understands_text(self.manifest.model)

    def check(self, examples: Examples) -> None:
        """Raise SearchError or GalleryError if the gallery cannot be searched with these; no model is loaded."""
        if not examples.like:
            raise SearchError("Show it a picture that the results should look like, too, or say it in words.")
        for example in (*examples.like, *examples.unlike):
            if isinstance(example, Text):
                self.check_text(example.words)

    def check_text(self, words: str) -> None:
        """Raise SearchError or GalleryError if the gallery cannot be searched with words, or not with so many."""
        if len(words) > LONGEST:
            raise SearchError(f"Words have {LONGEST:,} characters at most, and these {len(words):,}: say it shorter.")
        if self.manifest.head_sha256 and self.understands_text:
            raise GalleryError(
                f"The gallery {self.directory.name} compares through a head, which words do not go through: "
                f"run `python -m similarity rebuild --gallery {self.directory} --head none --refinement none`."
            )
        if self.manifest.refinement != "none" and self.understands_text:
            raise GalleryError(
                f"The gallery {self.directory.name} compares refined embeddings, which words cannot be compared with: "
                f"run `python -m similarity rebuild --gallery {self.directory} --refinement none`."
            )

    def encode(self, examples: Examples, embedder: Embedder, *, with_regions: bool = False) -> EncodedQuery:
        """Decode and embed a query that passes `check`.

        Args:
            embedder: the gallery's.
            with_regions: take the first picture that results should look like apart, too.

        Raises:
            ImageError, FetchError: a picture cannot be read. ModelError: the model cannot embed words, or has no map of
                a picture whose regions are requested.
        """
        queries = [*examples.like, *examples.unlike]
        side = embedder.backbone.preprocessing.resize
        images = [decode_query(query, side=side) for query in queries if not isinstance(query, Text)]
        has_picture = any(not isinstance(query, Text) for query in examples.like)
        embeddings, look = self._embed(images, embedder, with_regions=with_regions and has_picture)
        pictures = iter(self._refine(embeddings))
        vectors = [
            embedder.embed_texts([query.words])[0] if isinstance(query, Text) else next(pictures) for query in queries
        ]
        are_words = [isinstance(query, Text) for query in queries]
        vector = self.combine(np.array(vectors), are_words, len(examples.like), examples.weights)
        return EncodedQuery(examples, vector, look)

    def combine(
        self, parts: Vectors, are_words: Sequence[bool], examples: int, weights: Sequence[float] = ()
    ) -> Vectors:
        """See `Gallery.combine`."""
        is_mixed = len(set(are_words)) > 1
        some = self.vectors[:: max(1, len(self.vectors) // BALANCED_WITH)] if is_mixed else parts
        balanced = balance(parts, are_words, some)
        return combine(balanced[:examples], balanced[examples:], weights)

    def _embed(
        self, images: Sequence[Image.Image], embedder: Embedder, *, with_regions: bool
    ) -> tuple[Vectors, Look | None]:
        """Embeddings of pictures, float32 (n, dim), and the first picture taken apart if that is requested."""
        if not with_regions:
            return embedder.embed(images), None
        embedding, seen = embedder.embed_with_map(images[0])
        look = decompose(seen, seen_box(images[0].size, embedder.backbone.preprocessing), self.vectors, self.head)
        return np.concatenate([embedding[np.newaxis], embedder.embed(images[1:])]), look

    def _refine(self, embeddings: Vectors) -> Vectors:
        """Embeddings as the gallery compares them; see `Gallery.refine`."""
        return self.vectors.refine(embeddings if self.head is None else self.head.project(embeddings))

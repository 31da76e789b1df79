"""Encoding a query, pictures and words, as the one vector that a gallery is searched with."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from shlex import quote

import numpy as np
from PIL import Image

from similarity.embedding.backbones import understands_text
from similarity.embedding.embedder import Embedder
from similarity.errors import GalleryError, SearchError
from similarity.images.picture import QueryFile
from similarity.query.explain import Look, decompose
from similarity.query.inputs import Examples, Text, decode_query
from similarity.storage.manifest import Manifest
from similarity.text.plain import LONGEST
from similarity.vectors.arrays import Vectors, balance, combine
from similarity.vectors.heads import Head
from similarity.vectors.memmap import StoredVectors

# Pictures of a gallery that the spread of scores is estimated from; see `vectors.balance`.
BALANCED_WITH = 1000


@dataclass(frozen=True, slots=True, eq=False)
class EncodedQuery:
    """A query that was read, decoded and embedded once, for its hits, their probabilities and explanations.

    Attributes:
        examples: its pictures, whose files have been read, and its words.
        vector: the vector to search with, float32 (dim,), of unit length.
        embeddings: of the pictures that results should look like, neither projected nor refined, float32 (m, dim).
        parts: of which the vector is made, one for each example and counter-example, float32 (n, dim).
        look: the first example picture, decomposed into regions, if that was requested.
        turned: by how many degrees clockwise the first example picture was turned before it was embedded.
    """

    examples: Examples
    vector: Vectors
    embeddings: Vectors
    parts: Vectors
    look: Look | None = None
    turned: int = 0

    @property
    def files(self) -> list[QueryFile]:
        """The picture files that results should look like."""
        return [example for example in self.examples.like if isinstance(example, QueryFile)]

    def decode_first(self, *, side: int) -> Image.Image:
        """Decode the first picture that results should look like, as it was given, not turned, with `side` pixels on
        its shorter side or more.

        Raises:
            SearchError: there is none, only words.
        """
        pictures = [example for example in self.examples.like if not isinstance(example, Text)]
        if not pictures:
            raise SearchError("Words have no pixels: give a picture.")
        return decode_query(pictures[0], side=side)

    @property
    def has_words(self) -> bool:
        """Whether any part of it is words."""
        return any(isinstance(example, Text) for example in (*self.examples.like, *self.examples.unlike))


@dataclass(frozen=True, slots=True, eq=False)
class QueryEncoder:
    """Encodes queries as one gallery compares them. Safe to share between threads.

    Attributes:
        directory, manifest, vectors, head: those of the gallery.
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
            raise SearchError("A query needs an example, a picture or words, beside its counter-examples.")
        for example in (*examples.like, *examples.unlike):
            if isinstance(example, Text):
                self.check_text(example.words)

    def check_text(self, words: str) -> None:
        """Raise SearchError or GalleryError if the gallery cannot be searched with words, or there are too many."""
        if len(words) > LONGEST:
            raise SearchError(f"Words can have {LONGEST:,} characters at most; these have {len(words):,}.")
        if self.manifest.head_sha256 and self.understands_text:
            raise GalleryError(
                f"The gallery {self.directory.name} has a head, which cannot be applied to words: "
                f"run `python -m similarity rebuild --gallery {quote(str(self.directory))} --head none "
                "--refinement none`."
            )
        if self.manifest.refinement != "none" and self.understands_text:
            raise GalleryError(
                f"The gallery {self.directory.name} has refined embeddings, which cannot be compared with words: "
                f"run `python -m similarity rebuild --gallery {quote(str(self.directory))} --refinement none`."
            )

    def encode(self, examples: Examples, embedder: Embedder, *, with_regions: bool = False) -> EncodedQuery:
        """Decode and embed a query that passes `check`.

        Args:
            embedder: the embedder of the gallery.
            with_regions: decompose the first example picture, too.

        Raises:
            ImageError, FetchError: a picture cannot be read. ModelError: the model cannot embed words, or has no
                feature map for the requested regions.
        """
        queries = [*examples.like, *examples.unlike]
        side = embedder.backbone.preprocessing.resize
        images = [decode_query(query, side=side) for query in queries if not isinstance(query, Text)]
        has_picture = any(not isinstance(query, Text) for query in examples.like)
        embeddings, look = self._embed(images, embedder, with_regions=with_regions and has_picture)
        pictures = iter(self._refine(embeddings))
        parts = np.array(
            [embedder.embed_texts([query.words])[0] if isinstance(query, Text) else next(pictures) for query in queries]
        )
        are_words = [isinstance(query, Text) for query in queries]
        vector = self.combine(parts, are_words, len(examples.like), examples.weights)
        wanted = embeddings[: are_words[: len(examples.like)].count(False)]
        return EncodedQuery(examples, vector, wanted, parts, look)

    def combine(
        self, parts: Vectors, are_words: Sequence[bool], examples: int, weights: Sequence[float] = ()
    ) -> Vectors:
        """See `Gallery.combine`."""
        is_mixed = len(set(are_words)) > 1
        sample = self.vectors[:: max(1, len(self.vectors) // BALANCED_WITH)] if is_mixed else parts
        balanced = balance(parts, are_words, sample)
        return combine(balanced[:examples], balanced[examples:], weights)

    def _embed(
        self, images: Sequence[Image.Image], embedder: Embedder, *, with_regions: bool
    ) -> tuple[Vectors, Look | None]:
        """Embed pictures, float32 (n, dim), and decompose the first one if that is requested."""
        if not with_regions:
            return embedder.embed(images), None
        embedding, seen = embedder.embed_with_map(images[0])
        look = decompose(seen, embedder.seen_box(images[0].size), self.vectors, self.head)
        return np.concatenate([embedding[np.newaxis], embedder.embed(images[1:])]), look

    def _refine(self, embeddings: Vectors) -> Vectors:
        """Apply the gallery's head and refinement; see `Gallery.refine`."""
        return self.vectors.refine(embeddings if self.head is None else self.head.project(embeddings))

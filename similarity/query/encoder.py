"""Encoding a query, pictures and words, as the one vector that a gallery is searched with."""

from collections.abc import Callable, Sequence
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
from similarity.query.inputs import Crop, Examples, KnownPicture, Query, Text, Vector, decode_query, needs_model
from similarity.sources.originals import file_name
from similarity.storage.manifest import Manifest
from similarity.text.plain import LONGEST
from similarity.vectors.arrays import Vectors, balance, combine
from similarity.vectors.heads import Head
from similarity.vectors.memmap import StoredVectors

VECTOR = "Vector"  # the name of a vector for people
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
    def title(self) -> str:
        """Its name for people: that of the first picture, or its words."""
        return _name_of(self.examples.like[0])

    @property
    def first_name(self) -> str:
        """The name of its first picture; of words, if it has none."""
        pictures = (example for example in self.examples.like if not isinstance(example, Text))
        return _name_of(next(pictures, self.examples.like[0]))

    @property
    def has_picture(self) -> bool:
        """Whether any example is a picture, not only words or vectors."""
        return any(not isinstance(example, Text | Vector) for example in self.examples.like)

    @property
    def files(self) -> list[QueryFile]:
        """The picture files that results should look like."""
        return [example for example in self.examples.like if isinstance(example, QueryFile)]

    @property
    def contents(self) -> list[str]:
        """The SHA-256, in hex, of the pictures that results should look like, as far as they are files."""
        return [
            example.item.sha256 if isinstance(example, KnownPicture) else example.sha256
            for example in self.examples.like
            if isinstance(example, KnownPicture | QueryFile)
        ]

    @property
    def unwanted(self) -> list[str]:
        """The ids of the gallery's own pictures that results should not look like."""
        return [example.item.id for example in self.examples.unlike if isinstance(example, KnownPicture)]

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
    def has_pixels(self) -> bool:
        """Whether its first part beside words is a picture, which can be looked at again, and not a vector."""
        first = next((example for example in self.examples.like if not isinstance(example, Text)), None)
        return not isinstance(first, Vector | None)

    @property
    def has_words(self) -> bool:
        """Whether any part of it is words."""
        return any(isinstance(example, Text) for example in (*self.examples.like, *self.examples.unlike))


def _name_of(query: Query) -> str:
    """Return the name of a part of a query for people."""
    if isinstance(query, Text):
        return query.words
    if isinstance(query, Vector):
        return VECTOR
    if isinstance(query, Crop):
        return _name_of(query.picture)
    return file_name(query.item) if isinstance(query, KnownPicture) else str(getattr(query, "name", "Picture"))


def _pictures(examples: Examples) -> list[Query]:
    """Return the parts of a query that are pictures to be embedded, examples first."""
    return [one for one in (*examples.like, *examples.unlike) if needs_model(one) and not isinstance(one, Text)]


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
            elif isinstance(example, Vector):
                example.embedding(self.manifest.dim)

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

    def embed(self, examples: Examples, load: Callable[[], Embedder]) -> Vectors:
        """Decode and embed the pictures of a query, float32 (n, dim), to `encode` it for several galleries of a model.

        Raises as `encode`.
        """
        return self._embed(_pictures(examples), load, with_regions=False)[0]

    def encode(
        self,
        examples: Examples,
        load: Callable[[], Embedder],
        *,
        with_regions: bool = False,
        embedded: Vectors | None = None,
    ) -> EncodedQuery:
        """Decode and embed a query that passes `check`.

        Args:
            load: gives the embedder of the gallery, if any part of the query has to be embedded.
            with_regions: decompose the first example picture, too.
            embedded: the result of `embed`, if the pictures have been embedded already; without regions then.

        Raises:
            ImageError, FetchError: a picture cannot be read. ModelError: the model cannot embed words, or has no
                feature map for the requested regions. GalleryError: the model cannot be loaded.
        """
        queries = [*examples.like, *examples.unlike]
        look = None
        if embedded is None:
            embedded, look = self._embed(_pictures(examples), load, with_regions=with_regions)
        fresh = iter(zip(embedded, self._refine(embedded), strict=True))
        parts, wanted = [], []
        for place, query in enumerate(queries):
            if isinstance(query, Text):
                parts.append(load().embed_texts([query.words])[0])
                continue
            embedding, vector = self._known(query) or next(fresh)
            parts.append(vector)
            if place < len(examples.like):
                wanted.append(embedding)
        are_words = [isinstance(query, Text) for query in queries]
        vector = self.combine(np.array(parts), are_words, len(examples.like), examples.weights)
        embeddings = np.array(wanted, np.float32).reshape(-1, self.manifest.dim)
        return EncodedQuery(examples, vector, embeddings, np.array(parts), look)

    def combine(
        self, parts: Vectors, are_words: Sequence[bool], examples: int, weights: Sequence[float] = ()
    ) -> Vectors:
        """See `Gallery.combine`."""
        is_mixed = len(set(are_words)) > 1
        sample = self.vectors[:: max(1, len(self.vectors) // BALANCED_WITH)] if is_mixed else parts
        balanced = balance(parts, are_words, sample)
        return combine(balanced[:examples], balanced[examples:], weights)

    def _known(self, query: Query) -> tuple[Vectors, Vectors] | None:
        """Return embedding and compared vector of a part that has them; None if it has to be embedded."""
        if isinstance(query, KnownPicture):
            return query.embedding, query.vector
        if isinstance(query, Vector):
            embedding = query.embedding(self.manifest.dim)
            return embedding, self._refine(embedding[np.newaxis])[0]
        return None

    def _embed(
        self, pictures: Sequence[Query], load: Callable[[], Embedder], *, with_regions: bool
    ) -> tuple[Vectors, Look | None]:
        """Embed pictures, float32 (n, dim), and decompose the first one if that is requested."""
        if not pictures:
            return np.empty((0, self.manifest.dim), np.float32), None
        embedder = load()
        images = [decode_query(one, side=embedder.backbone.preprocessing.resize) for one in pictures]
        if not with_regions:
            return embedder.embed(images), None
        embedding, seen = embedder.embed_with_map(images[0])
        look = decompose(seen, embedder.seen_box(images[0].size), self.vectors, self.head)
        return np.concatenate([embedding[np.newaxis], embedder.embed(images[1:])]), look

    def _refine(self, embeddings: Vectors) -> Vectors:
        """Apply the gallery's head and refinement; see `Gallery.refine`."""
        return self.vectors.refine(embeddings if self.head is None else self.head.project(embeddings))

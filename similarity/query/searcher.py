"""The searching half of a gallery: queries in, hits and their explanations out."""

from collections.abc import Callable, Sequence
from functools import cached_property
from pathlib import Path
from typing import TYPE_CHECKING, Unpack

from similarity.embedding.embedder import Embedder, Load
from similarity.fetch.web import fetch
from similarity.images.decoding import THUMBNAIL_SIDE
from similarity.images.picture import Box
from similarity.progress import OnProgress
from similarity.query.belonging import Belonging
from similarity.query.distinct import ProvenCopies
from similarity.query.duplicate_groups import find_groups
from similarity.query.encoder import EncodedQuery, QueryEncoder
from similarity.query.explain import Explanation, Look, check_same, explain, look
from similarity.query.filters import Facets
from similarity.query.gallery_belonging import find_belonging, find_nearest
from similarity.query.hits import Hits
from similarity.query.inputs import Examples, Picture, Query, decode_query, read_examples
from similarity.query.known import look_up
from similarity.query.near_duplicates import Group
from similarity.query.options import DEFAULTS, SearchKeywords, SearchOptions
from similarity.query.presets import LOOK_ALIKES, Preset
from similarity.query.ranking import Ranker
from similarity.query.thresholds import THRESHOLD
from similarity.search import Hit, Rows
from similarity.sources import Item
from similarity.sources.base import existing_first
from similarity.sources.originals import read_original
from similarity.storage.embedders import restore_embedder
from similarity.storage.generations import Generation
from similarity.vectors.arrays import Vectors

if TYPE_CHECKING:
    from similarity.query.copies import Copy


class Searcher:
    """Searches one generation of a gallery. Safe to share between threads.

    Attributes:
        directory: the gallery's.
        manifest, items, embeddings, vectors, head: the generation's; see `Gallery`.
    """

    def __init__(self, directory: Path, generation: Generation, load: Load) -> None:
        """`load` gives the embedder, once a query needs it."""
        self.directory = directory
        self.manifest = generation.manifest
        self.items = generation.items
        self.embeddings = generation.embeddings
        self.vectors = generation.vectors
        self.head = generation.head
        self._generation = generation
        self._load = load

    def __len__(self) -> int:
        """How many pictures it has."""
        return len(self.items)

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.directory.name

    @cached_property
    def embedder(self) -> Embedder:
        """The model that made this gallery, the only one that can embed its queries.

        Raises:
            GalleryError: it cannot be loaded, or its weights are not the same any more.
        """
        return restore_embedder(self.name, self._generation, self._load)

    def search(
        self,
        query: Query | Examples | EncodedQuery,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        exclude_query: bool = False,
        **keywords: Unpack[SearchKeywords],
    ) -> Hits:
        """Find the pictures most similar to a query, of any kind that `inputs.Query` lists, or as `encode` gives it: a
        path, an address, bytes, an open file, an image, pixels, a Text, ItemId, Vector or Crop, or Examples of them.

        Args:
            k: how many to look for; `options` and single fields of them in `keywords`: which pictures may be results.
            exclude_query: leave out pictures with the same content as a file of the query.

        Raises:
            ImageError, FetchError: the query cannot be read. SearchError: k is below 1, or an option makes no sense.
            GalleryError: the gallery's model cannot be loaded.
        """
        encoded = query if isinstance(query, EncodedQuery) else self.encode(query)
        contents = encoded.contents
        options = options.updated(**keywords).asked_with(contents).without(encoded.unwanted)
        if exclude_query:
            options = options.without([content for content in contents if self.items.find(content) is not None])
        return Hits(self.search_vector(encoded.vector, k, options), self.directory, encoded)

    def search_vector(
        self,
        vector: Vectors,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        **keywords: Unpack[SearchKeywords],
    ) -> Hits:
        """Find the pictures most similar to an embedding; best first.

        Args:
            vector: refined, float32 (dim,), of unit length.
            k: how many to look for; there are fewer where fewer meet the conditions.
            options: which pictures may be results, and which of these are returned.
            keywords: single fields of `options`.

        Raises:
            SearchError: k is below 1, offset below 0, the accuracy unknown, or a condition is on a column that no
                picture has.
        """
        return Hits(self._ranker.rank(vector, k, options.updated(**keywords)), self.directory)

    def prepare_parts(self, progress: OnProgress | None = None) -> None:
        """Refine the parts of its pictures now, instead of in the first search with `parts`; raises as that."""
        self._ranker.parts.prepare(progress)

    def encode(
        self, query: Query | Examples, *, with_regions: bool = False, embedded: Vectors | None = None
    ) -> EncodedQuery:
        """Read, decode and embed a query once, for several uses of it; raises as `search`.

        Args:
            with_regions: take its first picture apart, too, to `explain` hits, or raise ModelError if the model cannot.
            embedded: its pictures' embeddings by the same model, if there are some; see `QueryEncoder.embed`.
        """
        examples = look_up(self, read_examples(query), with_pixels=with_regions)
        self.encoder.check(examples)
        return self.encoder.encode(examples, lambda: self.embedder, with_regions=with_regions, embedded=embedded)

    def embed_query(self, query: Query | Examples) -> Vectors:
        """The vector of a query, float32 (dim,), of unit length; raises as `search`."""
        return self.encode(query).vector

    def embed_text(self, words: str) -> Vectors:
        """The vector of words, float32 (dim,), of unit length.

        Raises:
            SearchError: they say nothing. GalleryError, ModelError: they cannot be compared with its pictures.
        """
        self.encoder.check_text(words)
        vector: Vectors = self.embedder.embed_texts([words])[0]
        return vector

    def combine(
        self, asked: Vectors, are_words: Sequence[bool], examples: int, weights: Sequence[float] = ()
    ) -> Vectors:
        """One query out of several, of which the first are examples and the others counter-examples.

        Args:
            asked: float32 (m, dim), rows of unit length; see `embed_query` and `vectors.combine`.
            are_words: for each of them whether it is of a text; words and pictures count alike.
            examples: how many are examples, at least 1.
            weights: how much each example counts; equally unless given.
        """
        return self.encoder.combine(asked, are_words, examples, weights)

    @property
    def understands_text(self) -> bool:
        """Whether its model compares words with pictures."""
        return self.encoder.understands_text

    def refine(self, embeddings: Vectors, own: Rows | None = None) -> Vectors:
        """Embeddings of other pictures by the same model as they are compared with those of the gallery.

        Args:
            embeddings: float32 (n, dim), rows of unit length.
            own: for each of them the row of the same picture in the gallery, of which nothing is to be known.

        Returns:
            float32 (n, dim of the compared vectors), likewise: projected by the gallery's head, if it has one, and
            refined; see `heads.py` and `refinement.py`.
        """
        return self.vectors.refine(self.project(embeddings), own)

    def project(self, embeddings: Vectors) -> Vectors:
        """Embeddings as the gallery's head makes them, or as they are if it has none."""
        return embeddings if self.head is None else self.head.project(embeddings)

    def belongs(self, query: Query | Examples | EncodedQuery) -> float | None:
        """The share of the gallery's own pictures that are no nearer to others of it than a query is, in 0..1.

        Below 0.01 the query looks like nothing in the gallery, see `belonging.py`. The first call compares the pictures
        with each other, which takes 0.3 s for 20,000 and 1.4 s for 100,000, and caches the result. None if no picture
        is part of the query, or if the gallery has fewer than 30. Raises as `search`.
        """
        embeddings = (query if isinstance(query, EncodedQuery) else self.encode(query)).embeddings
        if self.belonging is None or not len(embeddings):
            return None
        return self.belonging.share(find_nearest(self, embeddings))

    @cached_property
    def belonging(self) -> Belonging | None:
        """How near its pictures are to each other, from the cache, or measured; None if it has too few."""
        return find_belonging(self, str(self._generation.state))

    def nearest_rows(self, vector: Vectors, k: int) -> Rows:
        """The rows of the pictures nearest to a refined vector, float32 (dim,), best first."""
        return self._ranker.nearest_rows(vector, k)

    def find_copies(self, query: EncodedQuery, hits: Sequence[Hit]) -> "list[Copy | None]":
        """Look at hits a second time: whether each is the very picture of the query, turned, cut or mirrored.

        Local features of a hit are stored beside its thumbnail when they are first needed; see `copies.py`.

        Args:
            query: of which the first picture is looked at.

        Returns:
            For each hit what was found; None if it is another picture.

        Raises:
            SearchError: no picture is part of the query.
        """
        # OpenCV is loaded only where it is needed.
        from similarity.query.copies import QueryKeypoints
        from similarity.query.gallery_copies import look_again

        return look_again(self, QueryKeypoints.of(query.decode_first(side=THUMBNAIL_SIDE)), [hit.item for hit in hits])

    @cached_property
    def facets(self) -> Facets:
        """Which values its labels and metadata have."""
        return self._ranker.facets

    def sort(self, hits: Sequence[Hit], by: str) -> list[Hit]:
        """Put results in the order of a column, such as `taken`, or `-taken` for the latest first; ranks stay.

        Raises SearchError if there is no such column.
        """
        return [hits[place] for place in self.facets.sort([hit.item for hit in hits], by)]

    def without_repeats(self, hits: Sequence[Hit], options: SearchOptions) -> list[Hit]:
        """Leave out hits that repeat an earlier one, if `distinct` or `one_per_product` is wanted."""
        return self._ranker.without_repeats(hits, options)

    def find(self, item_id: str) -> Item:
        """The picture with an id or a SHA-256, or its copy that is there; raises SearchError if there is none."""
        return existing_first(self.items[self._ranker.row(item_id)])

    def vector(self, item_id: str) -> Vectors:
        """The vector of the picture with an id, float32 (dim,); raises SearchError if there is none."""
        return self.vectors[self._ranker.row(item_id)]

    def embedding(self, item_id: str) -> Vectors:
        """The embedding of the picture with an id, neither projected nor refined; raises as `vector`."""
        return self.embeddings[self._ranker.row(item_id)]

    def near_identical(self, item_id: str, most: int) -> list[Hit]:
        """The proven copies of the picture with an id, best first, of those that are most similar; see `prove`."""
        return self._ranker.near_identical(item_id, most)

    def duplicates(
        self, threshold: float = THRESHOLD, *, preset: Preset = LOOK_ALIKES, progress: OnProgress | None = None
    ) -> list[Group]:
        """Group copies, largest groups first: `exact`, the `same` picture or `look-alikes`; see `find_groups`."""
        return find_groups(self, preset, threshold, index=self._generation.index, progress=progress)

    def look(self, query: Picture, box: Box | None = None) -> Look:
        """Take a picture, or the part of it in a box, apart into regions, to `explain` it; raises as `explain`."""
        image = decode_query(query, side=self.embedder.backbone.preprocessing.resize, box=box)
        return look(image, self.embedder, self.vectors, self.head)

    def explain(self, query: Picture | Look, item_id: str, *, fetch: Callable[[str], bytes] = fetch) -> Explanation:
        """Why a picture and the one with an id are as similar as they are, region by region; see `explain.py`.

        Args:
            query: a picture, or the result of `look`, which is worth keeping where there are several results.
            fetch: returns the bytes of an address.

        Raises:
            ImageError, FetchError: one of the pictures cannot be read, or is another one now than was indexed.
            ModelError: the model does not look at regions. SearchError: there is no picture with this id.
        """
        asked = query if isinstance(query, Look) else self.look(query)
        row = self._ranker.row(item_id)
        item = self.items[row]
        found = self.look(read_original(item, fetch=fetch))
        check_same(found, self.embeddings[row], item.path)
        return explain(asked, found, self.vectors[row])

    @property
    def encoder(self) -> QueryEncoder:
        """What makes vectors of its queries."""
        return QueryEncoder(self.directory, self.manifest, self.vectors, self.head)

    @cached_property
    def _ranker(self) -> Ranker:
        return Ranker(self.directory, self._generation, ProvenCopies(self.directory, self.items, self.embeddings))

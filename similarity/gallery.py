"""A gallery: pictures that were indexed once, kept in a folder, and searched by showing it another picture."""

from __future__ import annotations

import logging
from collections.abc import Callable, Sequence
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from typing import Literal, Unpack

from similarity.embedding.backbones.weights import AUTO, ModelChoice, choose_model
from similarity.embedding.embedder import Embedder, EmbedderId, Reusing
from similarity.embedding.precision import Precision
from similarity.errors import FetchError, GalleryError, GalleryNotFoundError, ImageError
from similarity.fetch.http import fetch
from similarity.images.decoding import grey_thumbnail, thumbnail
from similarity.images.picture import Box
from similarity.indexing import operations
from similarity.indexing.options import IndexOptions
from similarity.paths import full_path
from similarity.progress import OnProgress
from similarity.query.encoder import EncodedQuery, QueryEncoder
from similarity.query.explain import Explanation, Look, check_same, explain, look
from similarity.query.filters import Facets
from similarity.query.inputs import Examples, Picture, Query, decode_query, read_once
from similarity.query.options import DEFAULTS, SearchKeywords, SearchOptions
from similarity.query.ranking import Ranker
from similarity.query.thresholds import SAME_TO_THE_EYE
from similarity.search import AUTO as AUTO_RECIPE
from similarity.search import Hit, Recipe, Rows
from similarity.search.stores import Store
from similarity.sources import Item, Source, open_source
from similarity.sources.originals import read_original
from similarity.storage.current import live_state
from similarity.storage.generations import Generation, go_back, read_generation
from similarity.storage.inventory import find_gallery, list_galleries
from similarity.storage.items import Items
from similarity.storage.locks import writing
from similarity.storage.manifest import Manifest, Report
from similarity.storage.thumbnails import read_thumbnail
from similarity.vectors.arrays import Vectors
from similarity.vectors.heads import Head
from similarity.vectors.memmap import StoredVectors
from similarity.vectors.refinement import AUTO as AUTO_REFINEMENT

logger = logging.getLogger(__name__)


class Gallery:
    """One generation of a gallery, opened for searching. Safe to share between threads.

    Attributes:
        directory: where it lies.
        manifest: what it is: model, count, recipe, when it was made, what was skipped ...
        items: its pictures, in the order of their rows.
        embeddings: of its pictures, float32 (n, dim), rows of unit length, read from the disk as they are asked for,
        vectors: and what they are compared as, likewise; see `heads.py` and `refinement.py`.
        head: what was learned of labels or marks, if there is one.
        report: of the change that gave this gallery, such as `add`; None if it was only opened.
    """

    def __init__(
        self,
        directory: Path,
        generation: Generation,
        *,
        load: Callable[[EmbedderId], Embedder] = Embedder.restore,
        report: Report | None = None,
    ) -> None:
        self.directory = directory
        self.report = report
        self.manifest: Manifest = generation.manifest
        self.items: Items = generation.items
        self.embeddings: StoredVectors = generation.embeddings
        self.vectors: StoredVectors = generation.vectors
        self.head: Head | None = generation.head
        self._generation = generation
        self._load = load if isinstance(load, Reusing) else Reusing(load)

    @classmethod
    def build(
        cls,
        source: str | Path | Source,
        directory: str | Path,
        *,
        model: str | ModelChoice = AUTO,
        precision: Precision = "auto",
        recipe: str = AUTO_RECIPE,
        refinement: str = AUTO_REFINEMENT,
        store: Store | None = None,
        progress: OnProgress | None = None,
    ) -> Gallery:
        """Index a source into a folder; if a gallery is there, it is replaced once the new one is complete.

        Pictures that are embedded already, in that gallery or by a run that was interrupted, are not embedded again.

        Args:
            source: a folder, a zip or a CSV of pictures, or any source.
            directory: where the gallery is to lie.
            model: a backbone's name or `auto`, or what `choose_model` made of it.
            precision: of the network's arithmetic; int8 is the fastest, and calibrated on up to 300 of the pictures.
            recipe: of the index, see `search.recipes`.
            refinement: of the embeddings, see `refinement.py`.
            store: where the index is to lie, see `stores.py`; where it was, or where new ones are, unless given.
            progress: told what is going on.

        Raises:
            SearchError: the recipe or the refinement makes no sense for so many pictures.
            SourceError: no pictures, or none that can be read. ModelError: the model cannot be had.
            GalleryBusyError: somebody else writes the gallery. GalleryError: the folder cannot be written.
            StoreError: the store cannot be used.
        """
        choice = choose_model(model) if isinstance(model, str) else model
        options = IndexOptions(choice, precision, recipe, refinement, store)
        directory = full_path(directory)
        report, embedder = operations.index(_listed(source), directory, options, progress=progress)
        return cls(directory, read_generation(directory), load=Reusing(Embedder.restore, embedder), report=report)

    @classmethod
    def open(cls, directory: str | Path, *, load: Callable[[EmbedderId], Embedder] = Embedder.restore) -> Gallery:
        """Open a gallery at its live generation.

        Args:
            directory: where it lies.
            load: gives the embedder that made it; the default loads it anew.

        Raises:
            GalleryNotFoundError: there is none. GalleryDamagedError: a file of it is not what was written.
            GalleryError: it is of another version.
        """
        directory = full_path(directory)
        return cls(directory, read_generation(directory), load=load)

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
        return operations.restore_embedder(self.name, self._generation, self._load)

    @property
    def state(self) -> str:
        """The line of CURRENT when it was opened; see `current.live_state`."""
        return str(self._generation.state)

    @property
    def is_live(self) -> bool:
        """Whether the gallery on disk is still as this one is; cheap enough to ask before every search."""
        try:
            return live_state(self.directory) == self.state
        except GalleryError:
            return False

    def add(self, source: str | Path | Source, *, progress: OnProgress | None = None) -> Gallery:
        """Add the pictures of a source that are not in the gallery, and those that have changed.

        Returns:
            The gallery as it is then. This one stays as it is.

        Raises:
            As `build`, and GalleryDamagedError if the live generation is damaged.
        """
        return self._updated("add", source, progress)

    def sync(self, source: str | Path | Source, *, progress: OnProgress | None = None) -> Gallery:
        """Bring the gallery in step with a source: as `add`, and files that left the source leave the gallery."""
        return self._updated("sync", source, progress)

    def remove(self, *, ids: Sequence[str] = (), paths: Sequence[str] = (), labels: Sequence[str] = ()) -> Gallery:
        """Take pictures out; a path may be a folder's. Returns the gallery as it is then.

        Raises:
            GalleryError: one of these is of no picture in it, or none would be left.
        """
        return self._changed(operations.remove(self.directory, ids=ids, paths=paths, labels=labels))

    def rebuild(
        self,
        recipe: str | None = None,
        refinement: str | None = None,
        head: Head | Literal["none"] | None = None,
        *,
        store: Store | None = None,
        into: str | Path | None = None,
        progress: OnProgress | None = None,
    ) -> Gallery:
        """Make the index anew of the stored embeddings; no picture is looked at. Returns the gallery as it is then.

        An approximate index has embeddings stored in half precision. An exact one that is made of these compares with
        them, and scores differ by up to 0.0003 from those of a gallery that always was exact; `build` embeds anew.

        Args:
            recipe: another one than the gallery has; see `search.recipes`,
            refinement: and likewise; see `refinement.py`.
            head: what embeddings are to go through from now on, or none; see `heads.py`.
            store: where the index is to lie from now on; see `stores.py`.
            into: the folder of another gallery to be made; this one stays as it is then.
            progress: told what is going on.

        Raises:
            SearchError: one of them makes no sense for so many pictures. HeadError: the head is of another model.
            StoreError: the store cannot be used.
        """
        target = full_path(into) if into else self.directory
        report = operations.rebuild(
            self.directory, recipe, refinement, head, store=store, into=target, progress=progress
        )
        return self._changed(report, target)

    @property
    def is_exact(self) -> bool:
        """Whether its index finds all that comparing with every picture would find."""
        return Recipe(self.manifest.recipe, "").is_exact

    @property
    def drift(self) -> str:
        """Why its index would be better made anew, if it would; see `rebuild`."""
        return self._generation.index.drift

    def _updated(self, task: str, source: str | Path | Source, progress: OnProgress | None) -> Gallery:
        return self._changed(operations.update(task, _listed(source), self.directory, self._load, progress=progress))

    def _changed(self, report: Report, directory: Path | None = None) -> Gallery:
        """Open the gallery that a change gave, with the report of it."""
        place = directory or self.directory
        return Gallery(place, read_generation(place), load=self._load, report=report)

    def search(
        self,
        query: Query | Examples | EncodedQuery,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        exclude_query: bool = False,
        **keywords: Unpack[SearchKeywords],
    ) -> list[Hit]:
        """Find the pictures most similar to a query: a path, an http(s) address, a file's bytes, an image, words in a
        `Text`, examples, or any of these as `encode` gives it.

        Args:
            k: how many to look for.
            options: which pictures may be results, and which of these are returned.
            exclude_query: leave out pictures with the same content as a file of the query.
            keywords: single fields of `options`.

        Raises:
            ImageError, FetchError: the query cannot be read. SearchError: k is below 1, or an option makes no sense.
            GalleryError: the gallery's model cannot be loaded.
        """
        encoded = query if isinstance(query, EncodedQuery) else self.encode(query)
        options = options.updated(**keywords)
        if exclude_query:
            contents = [file.sha256 for file in encoded.files]
            options = options.without([content for content in contents if self.items.find(content) is not None])
        return self.search_vector(encoded.vector, k, options)

    def encode(self, query: Query | Examples, *, with_regions: bool = False) -> EncodedQuery:
        """Read, decode and embed a query once, for several uses of it; raises as `search`.

        Args:
            with_regions: take its first picture apart, too, to `explain` hits; a model that does not look at regions
                raises ModelError then.
        """
        examples = query if isinstance(query, Examples) else Examples([query])
        like, unlike = (tuple(map(read_once, some)) for some in (examples.like, examples.unlike))
        examples = replace(examples, like=like, unlike=unlike)
        self._encoder.check(examples)
        return self._encoder.encode(examples, self.embedder, with_regions=with_regions)

    def embed_query(self, query: Query | Examples) -> Vectors:
        """The vector of a query, float32 (dim,), of unit length; raises as `search`."""
        return self.encode(query).vector

    def embed_text(self, words: str) -> Vectors:
        """The vector of words, float32 (dim,), of unit length.

        Raises:
            SearchError: they say nothing. GalleryError, ModelError: they cannot be compared with its pictures.
        """
        self._encoder.check_text(words)
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
        """
        return self._encoder.combine(asked, are_words, examples, weights)

    @property
    def understands_text(self) -> bool:
        """Whether its model compares words with pictures."""
        return self._encoder.understands_text

    @property
    def _encoder(self) -> QueryEncoder:
        return QueryEncoder(self.directory, self.manifest, self.vectors, self.head)

    def refine(self, embeddings: Vectors, own: Rows | None = None) -> Vectors:
        """Embeddings of other pictures by the same model as they are compared with those of the gallery.

        Args:
            embeddings: float32 (n, dim), rows of unit length.
            own: for each of them the row of the same picture in the gallery, of which nothing is to be known.

        Returns:
            float32 (n, dim of what is compared), likewise: projected by the gallery's head, if it has one, and refined;
            see `heads.py` and `refinement.py`.
        """
        return self.vectors.refine(self.project(embeddings), own)

    def project(self, embeddings: Vectors) -> Vectors:
        """Embeddings as the gallery's head makes them, or as they are if it has none."""
        return embeddings if self.head is None else self.head.project(embeddings)

    def search_vector(
        self,
        vector: Vectors,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        **keywords: Unpack[SearchKeywords],
    ) -> list[Hit]:
        """Find the pictures most similar to an embedding; best first.

        Args:
            vector: refined, float32 (dim,), of unit length.
            k: how many to look for; there are fewer where fewer meet the conditions.
            options: which pictures may be results, and which of these are returned.
            keywords: single fields of `options`.

        Raises:
            SearchError: k is below 1, offset below 0, accuracy none of those, or a condition is about something that no
                picture has.
        """
        return self._ranker.rank(vector, k, options.updated(**keywords))

    @cached_property
    def _ranker(self) -> Ranker:
        return Ranker(self.name, self._generation)

    @cached_property
    def facets(self) -> Facets:
        """Which values its labels and metadata have."""
        return self._ranker.facets

    def find(self, item_id: str) -> Item:
        """The picture with an id, or with a SHA-256 in hex; raises SearchError if there is none."""
        return self.items[self._ranker.row(item_id)]

    def vector(self, item_id: str) -> Vectors:
        """The vector of the picture with an id, float32 (dim,); raises SearchError if there is none."""
        return self.vectors[self._ranker.row(item_id)]

    def look(self, query: Picture, box: Box | None = None) -> Look:
        """Take a picture, or the part of it in a box, apart into regions, to `explain` it; raises as `explain`."""
        image = decode_query(query, side=self.embedder.backbone.preprocessing.resize, box=box)
        return look(image, self.embedder, self.vectors, self.head)

    def explain(self, query: Picture | Look, item_id: str, *, fetch: Callable[[str], bytes] = fetch) -> Explanation:
        """Why a picture and the one with an id are as similar as they are, region by region; see `explain.py`.

        Args:
            query: a picture, or what `look` made of it, which is worth keeping where there are several results.
            fetch: what gets the bytes of an address.

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

    def near_identical(self, item_id: str, most: int) -> list[Hit]:
        """The pictures that are nearly identical to the one with an id, best first, of those that are most similar."""
        embedding, near = self.embeddings[self._ranker.row(item_id)], self.search_vector(self.vector(item_id), most + 1)
        others = [hit for hit in near if hit.item.id != item_id]
        rows = [self._ranker.row(hit.item.id) for hit in others]
        is_near = self.embeddings[rows] @ embedding >= SAME_TO_THE_EYE
        return [hit for hit, near in zip(others, is_near, strict=True) if near]

    def thumbnail(self, item: Item) -> bytes:
        """A small JPEG of one of its pictures, made when it was indexed.

        If that is gone it is made anew from the picture; if that is gone too, it is a grey one.
        """
        if kept := read_thumbnail(self.directory, item.sha256):
            return kept
        logger.warning("The thumbnail of %s is gone from %s", item.id, self.directory)
        try:
            return thumbnail(read_original(item).decode())
        except (ImageError, FetchError):
            return grey_thumbnail(item.width, item.height)


def restore(directory: str | Path, *, load: Callable[[EmbedderId], Embedder] = Embedder.restore) -> Gallery:
    """Go back to the newest sound state of a gallery before the live one: out of damage, or to undo a change.

    Raises:
        GalleryError: there is none, or somebody else is writing the gallery.
    """
    directory = full_path(directory)
    if not directory.is_dir():
        raise GalleryNotFoundError(f"There is no gallery in {directory}.")
    with writing(directory, "restore"):
        go_back(directory)
    return Gallery.open(directory, load=load)


def _listed(source: str | Path | Source) -> Source:
    return open_source(source) if isinstance(source, str | Path) else source


def open_gallery(name: str) -> Gallery:
    """Open a gallery by name or path; an unknown one is an error that says which there are."""
    directory = find_gallery(name)
    try:
        return Gallery.open(directory)
    except GalleryNotFoundError:
        known = ", ".join(path.name for path in list_galleries())
        hint = f"there are: {known}" if known else "make one with `python -m similarity index FOLDER --gallery NAME`"
        raise GalleryNotFoundError(f"There is no gallery named {name}; {hint}.") from None

"""Several galleries that are asked one question at once."""

from __future__ import annotations

import fnmatch
import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import replace
from functools import cache
from operator import attrgetter
from typing import Unpack

from similarity.embedding.embedder import Embedder
from similarity.errors import GalleryError, GalleryNotFoundError, SearchError, SimilarityError
from similarity.fetch.web import fetch
from similarity.gallery import Gallery, open_gallery
from similarity.images.picture import QueryFile
from similarity.query.ask_all import DEADLINE, Answer, ask_all
from similarity.query.conditions import parse
from similarity.query.encoder import EncodedQuery
from similarity.query.filters import Facets
from similarity.query.fused_hits import FusedHits
from similarity.query.fusion import GalleryHit, content_of, fuse, space_of, standing_of
from similarity.query.inputs import Crop, Examples, ItemId, Query, needs_model, read_examples
from similarity.query.known import look_up
from similarity.query.options import DEFAULTS, SearchKeywords, SearchOptions
from similarity.query.ranking import whole
from similarity.sources.originals import read_original
from similarity.storage.inventory import list_galleries
from similarity.vectors.arrays import Vectors

# Hits of a search that galleries are asked for together.
MOST_HITS = 200_000
NONE = "There is no gallery to search: name some, or a pattern such as 'shop-*'."


class Galleries:
    """Several galleries, searched at once and with one list of hits. Safe to share between threads.

    Attributes:
        galleries: by name, in the order that equal hits have.
        missing: by name, those that could not be opened, each with a sentence that says why.
    """

    def __init__(self, galleries: Iterable[Gallery], missing: Mapping[str, str] | None = None) -> None:
        """Raise SearchError if there is no gallery, or two have the same name."""
        opened = list(galleries)
        self.galleries = {gallery.name: gallery for gallery in opened}
        self.missing = dict(missing or {})
        if not opened:
            raise SearchError(NONE)
        if len(self.galleries) < len(opened):
            raise SearchError("Two of these galleries have the same name, which tells their results apart: rename one.")

    @classmethod
    def open(cls, *names: str) -> Galleries:
        """Open galleries by names, paths, or patterns such as `shop-*`.

        One that is there and cannot be opened is `missing`, as long as another can.

        Raises:
            GalleryNotFoundError: there is none of a name, or none that fits a pattern. GalleryError: none can be
                opened. SearchError: no name is given, or two galleries have the same.
        """
        load = cache(Embedder.restore)
        return cls.open_with(lambda name: open_gallery(name, load), expand(names))

    @classmethod
    def open_with(cls, open_one: Callable[[str], Gallery], names: Iterable[str]) -> Galleries:
        """Open galleries by names, one by one, as `open` does; raises as that."""
        opened: list[Gallery] = []
        errors: dict[str, GalleryError] = {}
        for name in names:
            try:
                opened.append(open_one(name))
            except GalleryNotFoundError:
                raise
            except GalleryError as error:
                errors[name] = error
        if errors and not opened:
            raise next(iter(errors.values()))
        return cls(opened, {name: str(error) for name, error in errors.items()})

    def __len__(self) -> int:
        """How many pictures they have; one that several have counts for each."""
        return sum(map(len, self.galleries.values()))

    @property
    def is_one_space(self) -> bool:
        """Whether the scores of all can be compared; see `fusion.py`."""
        return len(set(map(space_of, self.galleries.values()))) == 1

    def search(
        self,
        query: Query | Examples | Question,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        conditions: Sequence[str] = (),
        exclude_query: bool = False,
        deadline: float = DEADLINE,
        facets: Callable[[Gallery], Facets] = attrgetter("facets"),
        **keywords: Unpack[SearchKeywords],
    ) -> FusedHits:
        """Find the pictures most similar to a query in all galleries; see `Gallery.search`, and `fusion.py` for order.

        A gallery that fails or does not answer in time is left out and named in the result, and so are those that are
        `missing`. Copies and pictures of one product are left out within each gallery, if that is wanted.

        Args:
            query: an `ItemId` is of the first gallery that has it; others are searched with the same picture.
            conditions: as people write them, such as `label=shoe`; each gallery understands them by its own columns.
            deadline: seconds that it waits.
            facets: returns the columns of a gallery that conditions may be about.

        Raises:
            SearchError: there are both `conditions` and `where`, or too many hits would be skipped. As
                `Gallery.search`, if no gallery answers.
        """
        options = options.updated(**keywords)
        depth = self._depth(k, options, conditions, deadline)
        question = query if isinstance(query, Question) else self.read(query)
        encoded, unasked = question.encode_all()
        is_one_space = self.is_one_space

        def ask(name: str) -> Answer:
            gallery = self.galleries[name]
            own = _as_known(options, gallery, conditions, facets)
            hits = gallery.search(encoded[name], depth, own, exclude_query=exclude_query)
            return hits, None if is_one_space else standing_of(gallery.vectors, gallery.index, gallery.state)

        answers, unanswered = ask_all(ask, {name: self.galleries[name] for name in encoded}, deadline)
        errors = unasked | unanswered
        if not answers:
            raise next(iter(errors.values()))
        fused = [with_others(hit, self.galleries, answers) for hit in fuse(answers)[options.offset : depth]]
        directories = {name: self.galleries[name].directory for name in answers}
        partial = {name: gallery.left_out for name, gallery in self.galleries.items() if gallery.left_out}
        left_out = self.missing | partial | {name: str(error) for name, error in errors.items()}
        return FusedHits(fused, directories, next(iter(encoded.values())), left_out)

    def read(self, query: Query | Examples, fetch: Callable[[str], bytes] = fetch) -> Question:
        """Read the pictures of a query, for `search`; raises as `Gallery.search`.

        Args:
            fetch: returns the bytes of the address of a picture of one of the galleries.
        """
        return Question(read_examples(query), self.galleries, fetch)

    def _depth(self, k: int, options: SearchOptions, conditions: Sequence[str], deadline: float) -> int:
        """Return how many hits each gallery is asked for; raises SearchError for what makes no sense."""
        k = whole(k, "The number of results", least=1)
        depth = k + whole(options.offset, "The number of results to skip", least=0)
        if depth * len(self.galleries) > MOST_HITS:
            raise SearchError(f"So many results of {len(self.galleries)} galleries are too many: skip fewer.")
        if conditions and options.where:
            raise SearchError("Give conditions either as texts or in `where`, not both.")
        if not deadline > 0:
            raise SearchError(f"The deadline must be a number of seconds above 0, not {deadline!r}.")
        return depth


def _as_known(
    options: SearchOptions, gallery: Gallery, conditions: Sequence[str], facets: Callable[[Gallery], Facets]
) -> SearchOptions:
    """Return options as a gallery is searched with them from its first hit on; raises SearchError for a condition."""
    excluded = [item_id for item_id in options.exclude_ids if gallery.items.find_any(item_id) is not None]
    own = replace(options, offset=0, exclude_ids=excluded)
    if not conditions:
        return own
    known = facets(gallery)
    return replace(own, where=known.original(parse(conditions, known.names)))


def with_others(hit: GalleryHit, galleries: Mapping[str, Gallery], names: Iterable[str]) -> GalleryHit:
    """Return a hit with the other galleries, of some names, that have the picture."""
    content = content_of(hit.item)
    others = [name for name in names if name != hit.gallery and content]
    return replace(hit, also_in=tuple(name for name in others if galleries[name].items.find_any(content) is not None))


class Question:
    """A query of several galleries, whose pictures have been read; each model embeds them once."""

    def __init__(self, examples: Examples, galleries: Mapping[str, Gallery], fetch: Callable[[str], bytes]) -> None:
        """Ask with examples whose files have been read; `fetch` reads pictures of galleries that are addresses."""
        self._galleries, self._fetch = galleries, fetch
        self._files: dict[str, QueryFile] = {}
        self._examples: dict[str, Examples] = {}
        self._errors: dict[str, SimilarityError] = {}
        for name, gallery in galleries.items():
            try:
                like, unlike = (
                    [self._as_known(gallery, part) for part in parts] for parts in (examples.like, examples.unlike)
                )
            except SimilarityError as error:
                self._errors[name] = error
            else:
                self._examples[name] = replace(examples, like=like, unlike=unlike)

    def encode_all(self) -> tuple[dict[str, EncodedQuery], dict[str, SimilarityError]]:
        """Return the query as each gallery is searched with it, and why others cannot be."""
        encoded: dict[str, EncodedQuery] = {}
        errors, embedded = dict(self._errors), dict[object, Vectors]()
        for name, examples in self._examples.items():
            try:
                encoded[name] = _encode(self._galleries[name], examples, embedded)
            except SimilarityError as error:
                errors[name] = error
        return encoded, errors

    def _as_known(self, gallery: Gallery, part: Query) -> Query:
        """Return a part as a gallery can be asked with it: by the file of a picture that only others have."""
        if isinstance(part, Crop) and isinstance(part.picture, ItemId):
            return Crop(self._read(part.picture.id), part.box)
        if not isinstance(part, ItemId):
            return part
        owner = self._owner(part.id)
        item = owner.find(part.id)
        if gallery is owner:
            return ItemId(item.id)
        content = content_of(item)
        is_known = bool(content) and gallery.items.find_any(content) is not None
        return ItemId(content) if is_known else self._read(part.id)

    def _owner(self, item_id: str) -> Gallery:
        for gallery in self._galleries.values():
            if gallery.items.find_any(item_id) is not None:
                return gallery
        raise SearchError(f"The picture {item_id!r} is in none of these galleries.")

    def _read(self, item_id: str) -> QueryFile:
        """Read a picture of one of the galleries; raises ImageError or FetchError if it is gone."""
        if item_id not in self._files:
            self._files[item_id] = read_original(self._owner(item_id).find(item_id), fetch=self._fetch)
        return self._files[item_id]


def _encode(gallery: Gallery, examples: Examples, embedded: dict[object, Vectors]) -> EncodedQuery:
    """Return a query as a gallery is searched with it.

    Args:
        embedded: by model and by which parts have to be embedded, what galleries before it have embedded.
    """
    known = look_up(gallery, examples)
    new = tuple(map(needs_model, [*known.like, *known.unlike]))
    if not any(new):
        return gallery.encode(known)
    gallery.encoder.check(known)
    key = repr(gallery.manifest.identity), new
    if key not in embedded:
        embedded[key] = gallery.encoder.embed(known, lambda: gallery.embedder)
    return gallery.encode(known, embedded=embedded[key])


def expand(names: Iterable[str], known: Sequence[str] | None = None) -> list[str]:
    """Return names of galleries, each once, with those that fit a pattern such as `shop-*` in place of it.

    Args:
        known: names that patterns may fit; by default those of all galleries in SIMILARITY_HOME.

    Raises:
        GalleryNotFoundError: no gallery fits a pattern.
    """
    found: dict[str, None] = {}
    for name in names:
        fitting = [name]
        if is_pattern(name):
            known = [path.name for path in list_galleries()] if known is None else known
            fits = re.compile(fnmatch.translate(name)).match  # fnmatch itself keeps tens of thousands of patterns
            fitting = list(filter(fits, known))
        if not fitting:
            raise GalleryNotFoundError(f"No gallery fits {name!r}; there are: {', '.join(known or ()) or 'none'}.")
        found |= dict.fromkeys(fitting)
    return list(found)


def is_pattern(name: str) -> bool:
    """Whether a name is a pattern of names; a path is none."""
    return "/" not in name and any(sign in name for sign in "*?[")

"""The answers to many searches at once, each as `find_answer` gives it, at the rate of indexing."""

import os
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from similarity.embedding.pipeline import ahead
from similarity.errors import FetchError, ImageError, SimilarityError
from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.query.encoder import EncodedQuery
from similarity.query.many import together
from similarity.service.answers.answer import Answer, answer_with
from similarity.service.answers.request import SearchRequest


@dataclass(frozen=True, slots=True)
class Unanswered:
    """A query that could not be searched with.

    Attributes:
        query: its name.
        error: the reason.
    """

    query: str
    error: SimilarityError


def find_answers(
    gallery: Gallery, queries: Any, request: SearchRequest, progress: OnProgress | None = None
) -> Iterator[Answer | Unanswered]:
    """Search with each of many queries, in order; one that cannot be read does not stop the others.

    Args:
        queries: as `Gallery.search_many` takes them.
        request: what is asked of each search; its own examples and title count for nothing. Explanations and objects
            are found for one query at a time only, and not here.

    Raises:
        SearchError: an option makes no sense. GalleryError: the gallery's model cannot be loaded.
    """
    request = replace(request, explain=False, objects=False).of(gallery.facets)

    def answer(named: tuple[str, EncodedQuery | SimilarityError]) -> Answer | Unanswered:
        name, query = named
        if isinstance(query, SimilarityError):
            return Unanswered(name, query)
        try:
            return answer_with(gallery, query, replace(request, examples=query.examples, title=name))
        except (ImageError, FetchError) as error:  # it is looked at a second time, or turned
            return Unanswered(name, error)

    encoded = gallery.encode_many(queries, progress=progress)
    for first in map(answer, encoded):
        yield first
        if isinstance(first, Answer):  # which has measured the gallery, if that is due: once, for all
            break
    is_heavy = request.copies or request.turned
    with together(os.cpu_count() or 1) if is_heavy else together() as pool:
        yield from ahead(pool, encoded, answer)

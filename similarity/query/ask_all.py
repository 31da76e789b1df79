"""Asking several galleries at once, without waiting for one that hangs."""

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future, ThreadPoolExecutor, wait
from pathlib import Path

from similarity.errors import GalleryError, SimilarityError
from similarity.query.fusion import Standing
from similarity.query.searcher import Searcher
from similarity.search import Hit

# The hits of one gallery, and how near its pictures are to each other if scores cannot be compared.
Answer = tuple[Sequence[Hit], Standing | None]
# Seconds that a search waits for its galleries.
DEADLINE = 20.0
# Galleries that are asked at the same moment.
THREADS = 4
STILL_LATE = "It has not answered an earlier search yet."
TOO_LATE = "It did not answer within {:g} seconds."

# Galleries that are asked at once, by all searches together; and what was asked and has not come to its end.
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="gallery")
_late: dict[Path, Future[Answer]] = {}


def ask_all(
    ask: Callable[[str], Answer], galleries: Mapping[str, Searcher], deadline: float
) -> tuple[dict[str, Answer], dict[str, SimilarityError]]:
    """Ask galleries at once; returns answers by their names, and why others have none.

    One that has not ended an earlier question, long after its deadline, is not asked again before it has.
    """
    answers: dict[str, Answer] = {}
    errors: dict[str, SimilarityError] = {}
    asked: dict[str, Future[Answer]] = {}
    for name, gallery in galleries.items():
        if (late := _late.get(gallery.directory)) is not None and not late.done():
            errors[name] = GalleryError(STILL_LATE)
        else:
            asked[name] = _pool.submit(ask, name)
    wait(asked.values(), deadline)
    for name, future in asked.items():
        if not future.done():
            errors[name] = GalleryError(TOO_LATE.format(deadline))
            if not future.cancel():
                _late[galleries[name].directory] = future
            continue
        try:
            answers[name] = future.result()
        except SimilarityError as error:
            errors[name] = error
    return answers, errors

"""Queries that come while others are being answered are answered together, with one pass over all vectors."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from similarity.vectors.arrays import Vectors

Answer = TypeVar("Answer")
# Float32 (m, dim) and the largest k to an answer for each.
Ask = Callable[[Vectors, int], Sequence[Answer]]
# More would make the first of them wait too long.
MOST = 32


@dataclass(slots=True)
class _Question(Generic[Answer]):
    query: Vectors
    k: int
    answers: list[Answer]
    error: BaseException | None = None


class Batcher(Generic[Answer]):
    """Asks with one query at a time as long as only one thread has a query, and with all that wait otherwise."""

    def __init__(self) -> None:
        self._waiting: list[_Question[Answer]] = []
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def __call__(self, query: Vectors, k: int, ask: Ask[Answer]) -> Answer:
        """The answer to a query; it may be one for a larger k.

        Args:
            query: float32 (1, dim).
            ask: gives the answers, always in the same way.
        """
        mine: _Question[Answer] = _Question(query, k, [])
        with self._lock:
            self._waiting.append(mine)
        with self._turn:
            while not (mine.answers or mine.error):  # else somebody has taken it along
                with self._lock:
                    batch, self._waiting = self._waiting[:MOST], self._waiting[MOST:]
                _run(batch, ask)
        if mine.error:
            raise mine.error
        return mine.answers[0]


def _run(batch: list[_Question[Answer]], ask: Ask[Answer]) -> None:
    try:
        answers = ask(np.concatenate([one.query for one in batch]), max(one.k for one in batch))
        for one, answer in zip(batch, answers, strict=True):
            one.answers.append(answer)
    except BaseException as error:  # noqa: BLE001 - each of them hears of it
        for one in batch:
            one.error = error

"""Batching of concurrent queries: those that arrive during a search are answered together, in one pass."""

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

import numpy as np

from similarity.vectors.arrays import Vectors

Answer = TypeVar("Answer")
# Queries, float32 (m, dim), and the largest k -> an answer for each query.
Ask = Callable[[Vectors, int], Sequence[Answer]]
# Maximum size of a batch: in a larger one the first query would wait too long.
MAX_BATCH = 32


@dataclass(slots=True)
class _Pending(Generic[Answer]):
    query: Vectors
    k: int
    answers: list[Answer]
    error: BaseException | None = None


class Batcher(Generic[Answer]):
    """Passes on one query at a time, or all waiting ones at once if several threads have queries."""

    def __init__(self) -> None:
        self._waiting: list[_Pending[Answer]] = []
        self._lock, self._turn = threading.Lock(), threading.Lock()

    def __call__(self, query: Vectors, k: int, ask: Ask[Answer]) -> Answer:
        """Return the answer to a query, possibly for a larger k.

        Args:
            query: float32 (1, dim).
            ask: searches for a batch; must be the same function in every call.
        """
        pending: _Pending[Answer] = _Pending(query, k, [])
        with self._lock:
            self._waiting.append(pending)
        with self._turn:
            while not (pending.answers or pending.error):  # otherwise another thread has answered it
                with self._lock:
                    batch, self._waiting = self._waiting[:MAX_BATCH], self._waiting[MAX_BATCH:]
                _run(batch, ask)
        if pending.error:
            raise pending.error
        return pending.answers[0]


def _run(batch: list[_Pending[Answer]], ask: Ask[Answer]) -> None:
    try:
        answers = ask(np.concatenate([pending.query for pending in batch]), max(pending.k for pending in batch))
        for pending, answer in zip(batch, answers, strict=True):
            pending.answers.append(answer)
    except BaseException as error:  # noqa: BLE001 - raised in the thread of each query
        for pending in batch:
            pending.error = error

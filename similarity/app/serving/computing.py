"""Turns at computing for the visitor for whom a page is drawn."""

from collections.abc import Iterator
from contextlib import contextmanager

from similarity.app.serving import drawing, visitors
from similarity.images.picture import QueryFile
from similarity.service import turns


@contextmanager
def take_turn(file: QueryFile | None = None) -> Iterator[None]:
    """Take a turn at work for the current visitor; meanwhile, other pages are drawn.

    Args:
        file: is decoded; the turn is a heavy one if it is a large picture.

    Raises:
        QuotaError: the visitor has used up a minute's share, or very many are waiting.
    """
    is_heavy = file is not None and turns.is_heavy(file.data)
    drawing.shared_drawing().give_back()
    with turns.shared_turns().take(visitors.current(), heavy=is_heavy):
        yield

"""Objects that exist once in a process and are shared by all of its visitors and threads."""

import threading
from collections.abc import Callable
from typing import TypeVar

from cachetools import cached

T = TypeVar("T")


def singleton(make: Callable[[], T]) -> Callable[[], T]:
    """Make a function without arguments return the same object at every call, from whichever thread."""
    return cached({}, lock=threading.Lock())(make)

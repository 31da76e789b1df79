"""Work that waits for turns and for other servers, in threads of its own: those of the pages and of short answers stay
free.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from typing import TypeVar

from similarity.service.turns import MOST_WAITING

# More than may wait for turns, so that whoever is one too many is told at once.
THREADS = MOST_WAITING + 40
_pool = ThreadPoolExecutor(THREADS, thread_name_prefix="api")
T = TypeVar("T")


async def run(work: Callable[..., T], *arguments: object) -> T:
    """Return the result of work that may wait; raises what it raises."""
    return await asyncio.get_running_loop().run_in_executor(_pool, partial(work, *arguments))

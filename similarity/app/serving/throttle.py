"""How often addresses are fetched for people, so that the app is no means to knock at other servers."""

import threading

from cachetools import cached
from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from similarity.app.serving import visitors
from similarity.errors import FetchError

PER_SESSION, IN_ALL = parse("20/minute"), parse("120/minute")


@cached({}, lock=threading.Lock())
def _limiter() -> MovingWindowRateLimiter:
    return MovingWindowRateLimiter(MemoryStorage())


def count_fetch() -> None:
    """Count a fetch of this session; raises FetchError if there were too many in the last minute."""
    session = visitors.current().session
    if not (_limiter().hit(PER_SESSION, session) and _limiter().hit(IN_ALL)):
        raise FetchError(
            "That were very many addresses in a short time: wait a minute, or download the picture and upload it."
        )

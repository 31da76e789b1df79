"""Rate limits on fetching addresses for visitors, so that the app cannot be used to probe other servers."""

from limits import parse
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

from similarity.errors import FetchError
from similarity.service.singleton import singleton

PER_SESSION, IN_ALL = parse("20/minute"), parse("120/minute")


class FetchLimiter:
    """Counts fetches within the last minute, by session and in all. Safe to share between threads."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def count(self, session: str) -> None:
        """Count a fetch of a session; raises FetchError if there were too many in the last minute."""
        if not (self._limiter.hit(PER_SESSION, session) and self._limiter.hit(IN_ALL)):
            raise FetchError(
                "Too many addresses were fetched in a short time: wait a minute, or download the picture and upload it."
            )


@singleton
def shared_limiter() -> FetchLimiter:
    """Return the limiter of this process."""
    return FetchLimiter()

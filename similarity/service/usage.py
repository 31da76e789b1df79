"""The time that each visitor has used within the last minute."""

import threading

from cachetools import LRUCache
from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from similarity.service.visitor import Visitor

# Visitors and networks of whom less than a hundredth of a second is left to be counted, or less than FEW of work that
# takes less than one: to count takes a tenth of a search that is quick.
MOST_RESTS, FEW = 10_000, 10


class Usage:
    """Time used by session and by network, in hundredths of a second. Safe to share between threads."""

    def __init__(self, quota: int) -> None:
        """Count up to a quota, in hundredths of a second; who has used more counts as having used the quota."""
        self._quota = RateLimitItemPerMinute(quota)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())
        self._rests: LRUCache[str, float] = LRUCache(MOST_RESTS)
        self._lock = threading.Lock()

    def add(self, visitor: Visitor, seconds: float) -> None:
        """Count time."""
        for key in _keys(visitor):
            # A cost beyond what is left would not be counted at all.
            if cost := min(self._whole(key, seconds), self._left(key)):
                self._limiter.hit(self._quota, key, cost=cost)

    def of(self, visitor: Visitor) -> int:
        """Return the time used by the session and in its network: a new tab has used none, but its network has."""
        return sum(self._quota.amount - self._left(key) for key in _keys(visitor))

    def is_used_up(self, session: str) -> bool:
        """Whether a session has nothing left of its quota."""
        return not self._limiter.test(self._quota, session)

    def _whole(self, key: str, seconds: float) -> int:
        """Return the hundredths of a second of some time and an earlier rest that are to be counted; keeps the rest."""
        now = 100 * max(seconds, 0.0)
        with self._lock:
            time = self._rests.get(key, 0.0) + now
            is_due = now >= 1 or time >= FEW
            self._rests[key] = time % 1 if is_due else time
        return int(time) if is_due else 0

    def _left(self, key: str) -> int:
        return self._limiter.get_window_stats(self._quota, key).remaining


def _keys(visitor: Visitor) -> list[str]:
    return [key for key in (visitor.session, visitor.network) if key]

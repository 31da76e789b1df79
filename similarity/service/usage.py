"""The time that each visitor has used within the last minute."""

import math

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from similarity.service.visitor import Visitor


class Usage:
    """Time used by session and by network, in hundredths of a second. Safe to share between threads."""

    def __init__(self, quota: int) -> None:
        """Count up to a quota, in hundredths of a second; who has used more counts as having used the quota."""
        self._quota = RateLimitItemPerMinute(quota)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def add(self, visitor: Visitor, seconds: float) -> None:
        """Count time."""
        for key in _keys(visitor):
            # A cost beyond what is left would not be counted at all.
            self._limiter.hit(self._quota, key, cost=max(0, min(math.ceil(100 * seconds), self._left(key))))

    def of(self, visitor: Visitor) -> int:
        """Return the time used by the session and in its network: a new tab has used none, but its network has."""
        return sum(self._quota.amount - self._left(key) for key in _keys(visitor))

    def is_used_up(self, session: str) -> bool:
        """Whether a session has nothing left of its quota."""
        return not self._limiter.test(self._quota, session)

    def _left(self, key: str) -> int:
        return self._limiter.get_window_stats(self._quota, key).remaining


def _keys(visitor: Visitor) -> list[str]:
    return [key for key in (visitor.session, visitor.network) if key]

"""Servers that are busy: when each is asked again, if that is before the deadline."""

import random
import time

import requests
import urllib3
from tenacity import RetryCallState, retry, retry_if_exception_type

from similarity.errors import FetchError
from similarity.fetch.explanations import explain_status

# Statuses of busy servers, and the seconds after which one is asked again, once, that does not say when.
BUSY = {429: 1.0, 503: 0.3}
MOST_ATTEMPTS = 5
JITTER_SECONDS = 0.2  # so that the rows of a table do not all ask again at the same moment


class BusyError(FetchError):
    """A server that is busy, or refuses so many requests.

    Attributes:
        wait: seconds after which it wants to be asked again; None if it does not say.
        pause: seconds after which it is asked again.
        deadline: the time of `time.monotonic` after which it is not.
    """

    def __init__(self, url: str, response: requests.Response, deadline: float) -> None:
        self.wait, self.deadline = retry_after(response), deadline
        super().__init__(explain_status(url, response.status_code, what="picture", wait=self.wait), url)
        asked = BUSY[response.status_code] if self.wait is None else self.wait
        self.pause = asked + random.uniform(0, JITTER_SECONDS)


def retry_after(response: requests.Response) -> float | None:
    """The seconds in a Retry-After header (RFC 9110 section 10.2.3), a number or a date; None if there is none."""
    try:
        return max(0.0, float(urllib3.Retry().parse_retry_after(response.headers["Retry-After"])))
    except (KeyError, ValueError, OverflowError, urllib3.exceptions.InvalidHeader):
        return None


def _busy(state: RetryCallState) -> BusyError:
    error = state.outcome.exception() if state.outcome else None
    assert isinstance(error, BusyError)
    return error


def _is_too_late(state: RetryCallState) -> bool:
    """Whether a server is not asked again: it has been often enough, or the deadline is near."""
    busy = _busy(state)
    most = 2 if busy.wait is None else MOST_ATTEMPTS
    return state.attempt_number >= most or time.monotonic() + busy.pause >= busy.deadline


# Decorates a function that raises BusyError: it is called again when the server wants that.
when_free = retry(
    retry=retry_if_exception_type(BusyError), wait=lambda state: _busy(state).pause, stop=_is_too_late, reraise=True
)

"""Sending events to the web address that whoever runs this has named, which may be in their own network."""

import hashlib
import hmac
from urllib.parse import urlsplit

import requests
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from similarity.errors import FetchError
from similarity.fetch.downloads import NETWORK_ERRORS
from similarity.fetch.http import MAX_SECONDS, SOCKET_SECONDS, user_agent, within

ATTEMPTS = 4
# Answers of the kind of 400 that are not about what was sent: too late, too early, too often.
PASSING = (408, 425, 429)
SIGNATURE, DELIVERY = "X-Similarity-Signature", "X-Similarity-Delivery"


class RefusedError(FetchError):
    """A server was reached, and will not take this event, however often it is sent."""


class _AnswerError(Exception):
    """A server answered with something else than success."""

    def __init__(self, status: int) -> None:
        super().__init__(f"answered {status}")
        self.is_lasting = 400 <= status < 500 and status not in PASSING


def send(url: str, body: bytes, *, secret: str = "", delivery: str = "") -> None:
    """Send a body of JSON, a few times if need be, for half a minute at most; redirects are not followed.

    Args:
        url: an http(s) address; only its host is told of in errors, since the rest may be secret.
        secret: makes the header X-Similarity-Signature: `sha256=` and the HMAC-SHA256 of the body in hex.
        delivery: tells this event from others, for who gets it twice.

    Raises:
        RefusedError: the last answer says that it is at fault itself.
        FetchError: no server there took it.
    """
    headers = {"Content-Type": "application/json", "User-Agent": user_agent(), DELIVERY: delivery}
    if secret:
        headers[SIGNATURE] = f"sha256={hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()}"
    try:
        _send(url, body, headers)
    except (_AnswerError, *NETWORK_ERRORS) as error:
        reason = str(error) if isinstance(error, _AnswerError) else f"could not be reached ({type(error).__name__})"
        kind = RefusedError if isinstance(error, _AnswerError) and error.is_lasting else FetchError
        raise kind(f"{urlsplit(url).hostname or 'The address'} {reason}.") from error


@retry(
    retry=retry_if_exception_type((_AnswerError, *NETWORK_ERRORS)),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_exponential(multiplier=0.5, max=8),
    reraise=True,
)
def _send(url: str, body: bytes, headers: dict[str, str]) -> None:
    def post() -> int:
        options = {"timeout": SOCKET_SECONDS, "allow_redirects": False, "stream": True}
        with requests.post(url, data=body, headers=headers, **options) as response:  # type: ignore[arg-type]
            return response.status_code

    if not 200 <= (status := within(MAX_SECONDS, post)) < 300:
        raise _AnswerError(status)

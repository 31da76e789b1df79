"""Errors of requests and urllib3, and statuses of servers, as sentences for the person who gave the address."""

import socket
from http import HTTPStatus

import requests
import urllib3
from requests_hardened.ip_filter import InvalidIPAddress

from similarity.fetch.addresses import NO_WEB_ADDRESS, PRIVATE_ADDRESS, BadAddressError

MAX_REDIRECTS = 4
NO_ADDRESS_THERE = "redirects to something that is not a web address."
# Each sentence follows the address. The first type that fits counts, since some types are bases of others.
EXPLANATIONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((InvalidIPAddress,), PRIVATE_ADDRESS),
    (
        (requests.TooManyRedirects,),
        f"redirects more than {MAX_REDIRECTS} times: open it in a browser and copy the final address.",
    ),
    ((requests.exceptions.InvalidSchema,), NO_ADDRESS_THERE),
    (
        (requests.Timeout, urllib3.exceptions.TimeoutError, TimeoutError),
        "did not answer in time: try again, or download the picture and upload it.",
    ),
    (
        (urllib3.exceptions.ProtocolError,),
        "broke off before the end: try again, or download the picture and upload it.",
    ),
    ((requests.exceptions.SSLError,), "has no valid certificate, so it was not fetched."),
    (
        (requests.exceptions.ContentDecodingError, urllib3.exceptions.DecodeError),
        "sends something that cannot be unpacked.",
    ),
    (
        (requests.ConnectionError, socket.gaierror),
        "could not be reached: check the address and the network connection.",
    ),
    ((requests.exceptions.InvalidURL,), NO_WEB_ADDRESS),
    ((ValueError,), NO_ADDRESS_THERE),  # raised where a redirect is followed
)


PHRASES = {status.value: f" {status.phrase}" for status in HTTPStatus}  # rather than the server's own text
# Statuses with which sites keep programs away, whatever a browser would be shown.
REFUSALS = frozenset({401, 403, 406, 429, 451})


def explain_status(url: str, code: int, *, what: str, wait: float | None = None) -> str:
    """A status other than 200 as one sentence.

    Args:
        what: what was to be fetched, such as a picture.
        wait: seconds after which the server wants to be asked again, if it says so.
    """
    answered = f"{url} answered {code}{PHRASES.get(code, '')}"
    later = "try again later" if wait is None else f"try again in {wait:,.0f} seconds"
    if code in REFUSALS:
        return f"{answered}; the site refuses programs: download the {what}{'' if wait is None else f', or {later}'}."
    if HTTPStatus.INTERNAL_SERVER_ERROR <= code < 600:
        return f"{answered}; the site has a fault or is busy: {later}."
    return f"{answered}: check the address."


def explain(url: str, error: Exception) -> str:
    """The error of requests or urllib3 as one sentence."""
    if isinstance(error, BadAddressError):
        return f"{url} {error}"
    for types, sentence in EXPLANATIONS:
        if isinstance(error, types):
            return f"{url} {sentence}"
    return f"{url} could not be fetched ({type(error).__name__})."

"""Errors of requests and urllib3 as sentences for the person who gave the address."""

import socket

import requests
import urllib3
from requests_hardened.ip_filter import InvalidIPAddress

from similarity.fetch.addresses import NO_WEB_ADDRESS, BadAddressError

MAX_REDIRECTS = 4
NO_ADDRESS_THERE = "redirects to something that is not a web address."
# Each sentence follows the address. The first type that fits counts, since some types are bases of others.
EXPLANATIONS: tuple[tuple[tuple[type[Exception], ...], str], ...] = (
    ((InvalidIPAddress,), "leads to a private network address, which is not fetched."),
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


def explain(url: str, error: Exception) -> str:
    """The error of requests or urllib3 as one sentence."""
    if isinstance(error, BadAddressError):
        return f"{url} {error}"
    for types, sentence in EXPLANATIONS:
        if isinstance(error, types):
            return f"{url} {sentence}"
    return f"{url} could not be fetched ({type(error).__name__})."

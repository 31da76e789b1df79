"""Who calls the API, and what they may do and see.

Without a key, the API only searches, and is for this computer only, as changes of galleries are on its pages;
SIMILARITY_API opens it to `everyone`, or closes it with `nobody`. A key opens the galleries that it is for, from
anywhere. Galleries are changed by those who may change them on the pages, and with keys that may `write`.
"""

import logging
import os
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Annotated

from fastapi import Depends, HTTPException, Request
from limits import parse as parse_rate
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter
from starlette.requests import HTTPConnection

from similarity.errors import KeyFileError, QuotaError
from similarity.fetch.redaction import redact_sentence
from similarity.service import access
from similarity.service.audit import THIS_COMPUTER, VISITOR, Actor
from similarity.service.hosts import is_from_elsewhere
from similarity.service.keys import Key, KeyRing
from similarity.service.redacted import redact_item, redact_place
from similarity.service.singleton import singleton
from similarity.service.visitor import Visitor, network_of
from similarity.sources import Item
from similarity.text.plain import one_line

# Headers that programs send of their own accord, beside those of a browser; one that a proxy adds is none of these.
# curl announces a large file with `expect`, and Java offers HTTP/2 with `http2-settings`.
OF_PROGRAMS = frozenset({
    "authorization", "content-length", "content-type", "expect", "http2-settings", "if-none-match", "last-event-id",
    "te", "transfer-encoding", "x-api-key",
})  # fmt: skip
# Requests of one network without a key, from another computer.
STRANGERS = "120/minute"
TOO_OFTEN = "There were too many requests within a minute: try again later, or less often."
REFUSAL = (
    "This API answers programs on the computer that it runs on, and those that have a key. Whoever runs it can make "
    "one with `similarity key add`."
)
WRONG_KEY = "This key is not valid."
NOT_FOR_IT = "This key is not for this gallery."
NO_CHANGES = (
    "Galleries are changed by programs on the computer that this API runs on, and with keys that may. Whoever runs it "
    "can make one with `similarity key add --write`."
)
NOT_TO_CHANGE = "This key may not change this gallery: whoever runs the API can make one with `key add --write`."
UNREADABLE = "The keys of this API cannot be read: whoever runs it finds the reason in its log."
ASKS_FOR_KEY = {"WWW-Authenticate": "Bearer"}

logger = logging.getLogger(__name__)


@dataclass(frozen=True)
class Caller:
    """Somebody who calls.

    Attributes:
        visitor: whose share of the computer is used.
        sees_places: whether they may see where pictures lie, and change galleries, as on the pages.
        key: that they have shown; None without one.
    """

    visitor: Visitor
    sees_places: bool
    key: Key | None = None

    @property
    def fetches_as(self) -> str:
        """Whose share of fetched addresses is used: a key's own, that of a network, or that of this computer."""
        return f"key {self.key.name}" if self.key else self.visitor.session or "api"

    def may_read(self, gallery: str) -> bool:
        """Whether they may search a gallery."""
        return self.key is None or self.key.may_read(gallery)

    def may_change(self, gallery: str) -> bool:
        """Whether they may change a gallery, or make it."""
        return self.key.may_write(gallery) if self.key else self.sees_places

    @property
    def actor(self) -> Actor:
        """Their name in the record of changes."""
        somebody = VISITOR if self.visitor.session else THIS_COMPUTER  # which has no share of its own
        return Actor(f"key {self.key.name}" if self.key else somebody, self.visitor.address)

    def seen(self, item: Item) -> Item:
        """Return an item as they may see it: with the file's name instead of its path, unless they may see places."""
        if self.sees_places:
            return item
        return replace(redact_item(item), id=item.public_id, path=redact_place(item))

    def redact_sentence(self, sentence: str, *places: str) -> str:
        """Return a sentence as they may see it, in one line.

        Args:
            places: addresses and paths that the sentence is known to contain, even with spaces in them.
        """
        return one_line(sentence if self.sees_places else redact_sentence(sentence, *places))


class Rates:
    """Counts the requests of keys and networks within a minute or so. Safe to share between threads."""

    @cached_property
    def _limiter(self) -> MovingWindowRateLimiter:
        return MovingWindowRateLimiter(MemoryStorage())

    def count(self, rate: str, name: str) -> None:
        """Count a request; raises QuotaError if there were too many."""
        if rate and not self._limiter.hit(parse_rate(rate), name):
            raise QuotaError(TOO_OFTEN)


@singleton
def shared_rates() -> Rates:
    """Return the counts of this process."""
    return Rates()


@singleton
def shared_keys() -> KeyRing:
    """Return the keys of this process."""
    return KeyRing()


def find_caller(request: Request) -> Caller:
    """Return who sent a request, whether they may call or not; a wrong key is none here."""
    return _caller_from(request, *_place(request))


def _caller_from(request: Request, address: str, near: bool) -> Caller:
    key = _find_key(request)
    # The share of a minute is for those whom nobody has let in.
    session = "" if key or near else f"api {network_of(address)}"
    # A page of another origin is no program of whoever sits at this computer, even in a browser there.
    is_own = key is None and not is_from_elsewhere(request.headers)
    sees = is_own and access.may_manage_from(is_local=near)
    return Caller(Visitor(session=session, address=address), sees, key)


async def admit(request: Request) -> Caller:
    """Return the caller of a request; a coroutine, since going to a thread and back takes longer than what it does.

    Raises:
        HTTPException: the key is wrong, or there is none and it is needed, or it is not for the gallery of the address.
        QuotaError: there were too many requests.
    """
    address, near = _place(request)
    caller = _caller_from(request, address, near)
    if caller.key is not None:
        shared_rates().count(caller.key.rate, f"key {caller.key.name}")
    elif _token(request):
        raise HTTPException(401, WRONG_KEY, ASKS_FOR_KEY)
    elif not (near if setting() == "local" else setting() == "everyone"):
        raise HTTPException(401, REFUSAL, ASKS_FOR_KEY)
    elif not near:
        shared_rates().count(STRANGERS, f"network {network_of(address)}")
    gallery = request.path_params.get("gallery")
    if gallery is not None and not caller.may_read(gallery):
        raise HTTPException(403, NOT_FOR_IT)
    return caller


def admit_change(request: Request, caller: Annotated[Caller, Depends(admit)]) -> Caller:
    """Return the caller of a request that changes the gallery of its address, or any, if that names none.

    Raises:
        HTTPException: there is no key and it is needed, or it may not change the gallery, or none at all.
    """
    gallery = request.path_params.get("gallery")
    if caller.key is None and not caller.sees_places:
        raise HTTPException(401, NO_CHANGES, ASKS_FOR_KEY)
    if caller.key is not None and not (caller.may_change(gallery) if gallery is not None else caller.key.write):
        raise HTTPException(403, NOT_TO_CHANGE)
    return caller


def has_valid_key(request: HTTPConnection) -> bool:
    """Whether a request shows a valid key, which opens the API where pages are behind a login."""
    try:
        return bool(_token(request)) and shared_keys().find(_token(request)) is not None
    except KeyFileError as error:
        logger.error("Nobody gets in with a key. %s", error)
        return False


def setting() -> str:
    """Return the setting SIMILARITY_API: who may search without a key."""
    return os.environ.get("SIMILARITY_API", "local").strip().lower()


def _find_key(request: Request) -> Key | None:
    token = _token(request)
    try:
        return shared_keys().find(token) if token else None
    except KeyFileError as error:  # nobody gets in with a key that cannot be looked up
        logger.error("Nobody gets in with a key. %s", error)
        raise HTTPException(503, UNREADABLE) from error


def _token(request: HTTPConnection) -> str:
    """Return the key that a request shows; empty without one."""
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else request.headers.get("x-api-key", "").strip()


def _place(request: Request) -> tuple[str, bool]:
    """Return the address that a request comes from, and whether that is this computer."""
    address = request.client.host if request.client else ""
    return address, access.is_local(address, _own_headers(request))


def _own_headers(request: Request) -> dict[str, str]:
    return {name: value for name, value in request.headers.items() if name.lower() not in OF_PROGRAMS}


Admitted = Annotated[Caller, Depends(admit)]
Changing = Annotated[Caller, Depends(admit_change)]

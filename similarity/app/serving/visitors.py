"""The visitor for whom a page is drawn, turns taken for that visitor, and which tabs are still open."""

from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from contextvars import ContextVar

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from similarity.images.decoding import count_pixels
from similarity.images.picture import QueryFile
from similarity.service import turns
from similarity.service.turns import Visitor

NOBODY = Visitor()
# Decoding a PNG of so many pixels takes about 0.3 s.
HEAVY_PIXELS = 12_000_000
_acting_for: ContextVar[Visitor | None] = ContextVar("acting_for", default=None)


def current() -> Visitor:
    """Return the visitor for whom the page is drawn, or whom `acting_for` names."""
    if (named := _acting_for.get()) is not None:
        return named
    context = get_script_run_ctx()
    return Visitor(context.session_id, st.context.ip_address or "") if context else NOBODY


@contextmanager
def acting_for(visitor: Visitor) -> Iterator[None]:
    """Work for a visitor outside of a page, such as while a download is made."""
    before = _acting_for.set(visitor)
    try:
        yield
    finally:
        _acting_for.reset(before)


def take_turn(file: QueryFile | None = None) -> AbstractContextManager[None]:
    """Take a turn at work for the current visitor, a heavy one if a large picture is decoded; raises QuotaError."""
    is_heavy = file is not None and count_pixels(file.data) > HEAVY_PIXELS
    return turns.shared_turns().take(current(), heavy=is_heavy)


def is_connected(session: str) -> bool:
    """Whether the browser tab of a session is still connected."""
    return runtime.exists() and runtime.get_instance().is_active_session(session)

"""The visitor for whom a page is drawn and which tabs are still open."""

from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import streamlit as st
from streamlit import runtime
from streamlit.runtime.scriptrunner import get_script_run_ctx

from similarity.app.serving import browser_cookie
from similarity.service.visitor import Visitor

NOBODY = Visitor()
_acting_for: ContextVar[Visitor | None] = ContextVar("acting_for", default=None)


def current() -> Visitor:
    """Return the visitor for whom the page is drawn, or whom `acting_for` names."""
    if (named := _acting_for.get()) is not None:
        return named
    context = get_script_run_ctx()
    if context is None:
        return NOBODY
    browser = browser_cookie.valid(st.context.cookies.get(browser_cookie.NAME))
    return Visitor(context.session_id, st.context.ip_address or "", browser)


@contextmanager
def acting_for(visitor: Visitor) -> Iterator[None]:
    """Work for a visitor outside of a page, such as while a download is made."""
    before = _acting_for.set(visitor)
    try:
        yield
    finally:
        _acting_for.reset(before)


def is_connected(session: str) -> bool:
    """Whether the browser tab of a session is still connected."""
    return runtime.exists() and runtime.get_instance().is_active_session(session)

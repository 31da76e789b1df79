"""The login wall: where a login is required, every request without one is stopped before Streamlit sees it.

Streamlit checks logins page by page. Pictures, uploads and downloads have addresses of their own, so that all requests
are checked here.
"""

import html
import logging
from functools import cache
from urllib.parse import urlencode

import streamlit as st
from starlette.datastructures import MutableHeaders
from starlette.requests import HTTPConnection
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.url_util import make_url_path
from streamlit.user_info import generate_login_redirect_url

from similarity.api.application import PREFIX
from similarity.api.callers import has_valid_key
from similarity.app.serving import users
from similarity.service import access
from similarity.service.access import Claims

HEALTH = "_stcore/health"
# Where the login itself is, which Streamlit serves.
OPEN = ("auth/login", "auth/logout", "oauth2callback")
BEGIN = "login"
HEADERS = {"Cache-Control": "no-store"}
NOT_SET_UP = "This app asks for a login that is not set up. Whoever runs it finds in its log what to do.\n"
PAGE = """<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width"><title>Similarity</title>
<style>
:root {{ color-scheme: light dark; font: 1.1rem/1.5 sans-serif; }}
main {{ max-width: 30rem; margin: 20vh auto 0; padding: 0 1rem; }}
a {{ display: inline-block; margin: 1rem 1rem 0 0; padding: .5rem 1.25rem; border-radius: .5rem;
     background: #0f766e; color: #fff; text-decoration: none; }}
</style></head>
<body><main><h1>Similarity</h1><p>{sentence}</p><p>{links}</p></main></body></html>
"""

logger = logging.getLogger(__name__)


class Login:
    """Passes requests of logged-in visitors on; all others get the login page or a plain sentence."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or answer it with the login page."""
        if scope["type"] == "lifespan" or scope["path"] == _path(HEALTH) or not users.is_asked_for():
            await self._app(scope, receive, send)
            return
        answer = _stop(HTTPConnection(scope))
        if answer is None:
            await self._app(scope, receive, _with_secure_cookies(send) if users.is_https() else send)
        elif scope["type"] == "websocket":
            await send({"type": "websocket.close", "code": 1008, "reason": ""})  # before it is opened: an answer 403
        else:
            await answer(scope, receive, send)


def stop_if_logged_out() -> None:
    """Stop drawing the page if the visitor's login has ended while it was open."""
    if users.is_asked_for() and not access.may_enter(st.user.to_dict()):
        st.info("Your login has ended. Reload this page to log in again.", icon=":material/lock:")
        st.stop()


def _stop(request: HTTPConnection) -> Response | None:
    """Return the response to a visitor who may not enter; None for one who may."""
    if trouble := users.find_trouble():
        _report(trouble)
        return PlainTextResponse(NOT_SET_UP, 503, HEADERS)
    path = request.scope["path"]
    if path in map(_path, OPEN):
        return None
    # A browser asks, without a key, whether a page may send a request with one; the API answers that by itself.
    is_question = request.scope.get("method") == "OPTIONS" and "access-control-request-method" in request.headers
    if path.startswith(f"{_path(PREFIX)}/") and (is_question or has_valid_key(request)):
        return None
    if path == _path(BEGIN):
        return _begin(request.query_params.get("with", ""))
    claims = users.read_cookies(request.cookies)
    return None if access.may_enter(claims) else _refuse(request, claims)


def _begin(provider: str) -> Response:
    """Redirect the browser to the identity provider."""
    known = provider in users.providers()
    return RedirectResponse(generate_login_redirect_url(provider) if known else _path(""), 302, HEADERS)


def _refuse(request: HTTPConnection, claims: Claims) -> Response:
    if "text/html" not in request.headers.get("accept", ""):
        return PlainTextResponse("Log in first.\n", 403, HEADERS)
    sentence = "Log in to search."
    if access.is_logged_in(claims):
        name = access.email(claims) or "somebody whose e-mail address nobody has verified"
        sentence = f"You are logged in as {name}, and may not use this app. Whoever runs it can let you in."
    return HTMLResponse(PAGE.format(sentence=html.escape(sentence), links=_links()), 403, HEADERS)


def _links() -> str:
    labels = {name: "Log in" if name == "default" else f"Log in with {name}" for name in users.providers()}
    return "".join(
        f'<a href="{html.escape(_path(BEGIN))}?{urlencode({"with": name})}">{html.escape(label)}</a>'
        for name, label in labels.items()
    )


def _path(place: str) -> str:
    """Return the path of a place of the app, below the base path if there is one."""
    return make_url_path(str(st.get_option("server.baseUrlPath") or ""), place)


@cache
def _report(trouble: str) -> None:
    """Log a mistake in the setup once."""
    logger.error("Nobody can log in. %s", trouble)


def _with_secure_cookies(send: Send) -> Send:
    """Return a `send` that marks all cookies as Secure, which Streamlit does not."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            cookies = headers.getlist("set-cookie")
            del headers["set-cookie"]
            for cookie in cookies:
                headers.append("set-cookie", cookie if "; secure" in cookie.lower() else f"{cookie}; Secure")
        await send(message)

    return sent

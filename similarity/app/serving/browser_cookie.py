"""A cookie that tells one browser from another, so that a page that is loaded again finds its visitor's uploads.

It is a random number that says nothing about the visitor, goes with the browser's window, and is read by no page.
"""

import re
import secrets
from http.cookies import CookieError, SimpleCookie

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

NAME = "similarity_browser"
VALUE = re.compile(r"[\w-]{43}")


class BrowserCookie:
    """Gives each browser that opens a page the cookie, unless it has one."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; a page that is sent in answer brings the cookie."""
        is_new = scope["type"] == "http" and not browser_of(Headers(scope=scope).get("cookie", ""))
        await self._app(scope, receive, _with_cookie(send, is_safe=scope["scheme"] == "https") if is_new else send)


def browser_of(cookies: str) -> str:
    """Return the value of the cookie in a Cookie header; empty if it is not there or malformed."""
    try:
        morsel = SimpleCookie(cookies).get(NAME)
    except CookieError:
        return ""
    return valid(morsel.value if morsel else None)


def valid(value: object) -> str:
    """Return the value of a cookie if we can have made it; empty if not."""
    return value if isinstance(value, str) and VALUE.fullmatch(value) else ""


def _with_cookie(send: Send, *, is_safe: bool) -> Send:
    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            if headers.get("content-type", "").startswith("text/html"):
                cookie = f"{NAME}={secrets.token_urlsafe(32)}; Path=/; HttpOnly; SameSite=Strict"
                headers.append("set-cookie", f"{cookie}; Secure" if is_safe else cookie)
        await send(message)

    return sent

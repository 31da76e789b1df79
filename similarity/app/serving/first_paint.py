"""The app's own style in the document that a browser loads first, so that nothing moves when the app itself arrives.

Streamlit sends styles with a page's elements, which are laid out without them until then.
"""

from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

END = b"</body>"
# Without these, the document comes whole and as it is: neither packed, nor a part, nor "as you have it".
LEFT_OUT = (b"accept-encoding", b"if-none-match", b"if-modified-since", b"if-range", b"range")
# What tells one document from another, and does not know of the style.
FORGOTTEN = ("etag", "last-modified", "accept-ranges")


class FirstPaint:
    """Adds a style to each document, at its end: of rules that weigh the same, those of the style hold."""

    def __init__(self, app: ASGIApp, style: str) -> None:
        """Args: style: a `<style>` element."""
        self._app = app
        self._style = style.strip().encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on; if a browser opens a page, add the style to the answer."""
        if (
            scope["type"] != "http"
            or scope["method"] != "GET"
            or "text/html" not in Headers(scope=scope).get("accept", "")
        ):
            await self._app(scope, receive, send)
            return
        headers = [(name, value) for name, value in scope["headers"] if name not in LEFT_OUT]
        await self._app({**scope, "headers": headers}, receive, _with_style(send, self._style))


def _with_style(send: Send, style: bytes) -> Send:
    """Return a `send` that keeps a document until it is whole, and adds the style; other answers pass as they come."""
    start: Message | None = None
    body = b""

    async def sent(message: Message) -> None:
        nonlocal start, body
        if message["type"] == "http.response.start" and _is_document(message):
            start = message
        elif start is None:
            await send(message)
        elif message["type"] == "http.response.body":
            body += message.get("body", b"")
            if not message.get("more_body"):
                body = body.replace(END, style + END)
                headers = MutableHeaders(scope=start)
                for name in FORGOTTEN:
                    del headers[name]
                headers["content-length"] = str(len(body))
                await send(start)
                await send({**message, "body": body})

    return sent


def _is_document(message: Message) -> bool:
    headers = Headers(raw=message["headers"])
    return headers.get("content-type", "").startswith("text/html") and "content-encoding" not in headers

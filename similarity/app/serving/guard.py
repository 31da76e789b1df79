"""A guard in front of the web server: refuses requests meant for other hosts or sent by pages of other origins.

A browser lets any page connect to any server in a visitor's name. Such a page is told from one of ours by the Origin,
which a page cannot forge, and the Host, which is the name that the visitor typed.
"""

from urllib.parse import urlsplit

from aiolimiter import AsyncLimiter
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtoMessage
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from similarity.api.application import PREFIX
from similarity.app.serving.hashed_files import base_path
from similarity.app.shell.fields import LONGEST_LINES
from similarity.app.shell.parameters import LONGEST_IN_ALL
from similarity.service.hosts import api_origins, find_refusal

# Messages that our pages send. Streamlit accepts others, which would empty caches or reveal source code.
OWN_MESSAGES = frozenset({"rerun_script", "stop_script", "app_heartbeat", "file_urls_request"})
OWN_OPERATIONS = frozenset({"deferred_file", "dataframe_chunk"})  # a download, and a long table's next part
# The longest text that a page accepts, in characters, and the most values of a field; then texts that can be cut.
LONGEST_TEXT, MOST_VALUES = LONGEST_LINES, 2_000
LONGEST_MESSAGE = 1 << 20  # bytes, after cutting; larger messages do not come from our pages
CUT = {"query_string": LONGEST_IN_ALL + 1, "string_value": LONGEST_TEXT + 1, "data": LONGEST_TEXT + 1}
# So many messages may arrive at once, and as many again in so many seconds; further ones wait, none is dropped.
MESSAGES, SECONDS = 20, 4.0
# Streamlit's pages contain inline scripts and styles, and its charts compile code from text.
CONTENT = {
    "default-src": "'self'",
    "script-src": "'self' 'unsafe-inline' 'unsafe-eval' blob: data:",
    "style-src": "'self' 'unsafe-inline'",
    "img-src": "'self' data: blob:",
    "media-src": "'self' data: blob:",
    "font-src": "'self' data:",
    "connect-src": "'self' data: blob:",
    "worker-src": "'self' blob:",
    "object-src": "'none'",
    "base-uri": "'self'",
    "form-action": "'self'",
    "frame-ancestors": "'none'",
}
HEADERS = {
    "Content-Security-Policy": "; ".join(f"{kind} {sources}" for kind, sources in CONTENT.items()),
    "X-Content-Type-Options": "nosniff",
    "X-Frame-Options": "DENY",
    "Referrer-Policy": "same-origin",
    "Cross-Origin-Opener-Policy": "same-origin",
    "Cross-Origin-Resource-Policy": "same-origin",
}


class Guard:
    """Passes requests for this app on, and adds security headers to each response."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Pass a request on, or refuse it with a plain sentence."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif refusal := find_refusal(Headers(scope=scope), api_origins() if _is_of_api(scope) else ()):
            await _refuse(refusal, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(_of_one_origin(scope), _only_own(receive), send)
        else:
            await self._app(scope, receive, _with_headers(send))


def _is_of_api(scope: Scope) -> bool:
    """Whether a request is for the API, whose answers pages of some other origins may have."""
    return scope["type"] == "http" and str(scope["path"]).startswith(f"{base_path()}{PREFIX}/")


def _of_one_origin(scope: Scope) -> Scope:
    """Copy the host of the Origin to the Host; where they differ, Streamlit asks the internet for its own address."""
    headers = MutableHeaders(raw=list(scope["headers"]))
    if origin := headers.get("origin"):
        headers["host"] = urlsplit(origin).netloc
    return {**scope, "headers": headers.raw}


async def _refuse(refusal: str, scope: Scope, receive: Receive, send: Send) -> None:
    if scope["type"] == "websocket":
        await send({"type": "websocket.close", "code": 1008, "reason": ""})  # before it is opened: an answer 403
        return
    await PlainTextResponse(refusal + "\n", 403, HEADERS)(scope, receive, send)


def _only_own(receive: Receive) -> Receive:
    """Return a `receive` that drops messages our pages never send, shortens long ones and limits their rate."""

    pace = AsyncLimiter(MESSAGES, SECONDS)

    async def received() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            await pace.acquire()
            parsed = _parse(message)
            if parsed is not None and _is_own(parsed):
                if len(message["bytes"]) <= LONGEST_TEXT:
                    return message
                _shorten(parsed)
                if len(shorter := parsed.SerializeToString()) <= LONGEST_MESSAGE:
                    return {**message, "bytes": shorter}

    return received


def _parse(message: Message) -> BackMsg | None:
    parsed = BackMsg()
    try:
        parsed.ParseFromString(message.get("bytes") or b"")
    except DecodeError:
        return None
    return parsed


def _is_own(message: BackMsg) -> bool:
    kind = message.WhichOneof("type")
    if kind == "backend_operation_request":
        return message.backend_operation_request.WhichOneof("payload") in OWN_OPERATIONS
    return kind in OWN_MESSAGES


def _shorten(message: ProtoMessage) -> None:
    """Cut texts and lists that are longer than any page accepts; the page then says that they are too long.

    Fields that make no sense when they are cut, such as JSON, are cleared.
    """
    for field, value in message.ListFields():
        if field.is_repeated:
            del value[MOST_VALUES:]
            if field.type == field.TYPE_STRING:
                value[:] = [text[: LONGEST_TEXT + 1] for text in value]
            elif field.type == field.TYPE_MESSAGE:
                for part in value:
                    _shorten(part)
        elif field.type == field.TYPE_MESSAGE:
            _shorten(value)
        elif field.type in (field.TYPE_STRING, field.TYPE_BYTES) and len(value) > CUT.get(field.name, LONGEST_TEXT):
            if field.name in CUT:
                setattr(message, field.name, value[: CUT[field.name]])
            else:
                message.ClearField(field.name)


def _with_headers(send: Send) -> Send:
    """Return a `send` that adds the security headers to each response."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sent

"""A guard in front of the web server: whoever asks for something must have meant this app, and may ask for no more.

A browser lets any page connect to any server in a visitor's name. What tells such a page from one of ours is the
Origin, which a page cannot forge, and the Host, which is the name that the visitor himself gave.
"""

import ipaddress
import os
from urllib.parse import urlsplit

from aiolimiter import AsyncLimiter
from google.protobuf.message import DecodeError
from google.protobuf.message import Message as ProtoMessage
from starlette.datastructures import Headers, MutableHeaders
from starlette.responses import PlainTextResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send
from streamlit.proto.BackMsg_pb2 import BackMsg

from similarity.app.shell.fields import LONGEST_LINES
from similarity.app.shell.links import LONGEST_IN_ALL
from similarity.service.hosts import OWN_NAMES, hostname

# What a page of ours tells the server. Streamlit knows more, which would empty caches or tell of the source code.
OWN_MESSAGES = frozenset({"rerun_script", "stop_script", "app_heartbeat", "file_urls_request"})
OWN_OPERATIONS = frozenset({"deferred_file", "dataframe_chunk"})  # a download, and a long table's next part
# The longest text that a page takes, in characters, how many values a field may have, and texts that can be cut.
LONGEST_TEXT, MOST_VALUES = LONGEST_LINES, 2_000
LONGEST_MESSAGE = 1 << 20  # in bytes; whatever is larger then is nothing that a page of ours says
CUT = {"query_string": LONGEST_IN_ALL + 1, "string_value": LONGEST_TEXT + 1, "data": LONGEST_TEXT + 1}
# So many messages may come at once, and as many again in so many seconds; more wait, and nothing is lost.
MESSAGES, SECONDS = 20, 4.0
# Streamlit's own pages bring scripts and styles within themselves, and its charts make code out of text.
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
    """Passes on what is meant for this app, and says with each answer what a browser may do with it."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer a request, or refuse it with a plain sentence."""
        if scope["type"] == "lifespan":
            await self._app(scope, receive, send)
        elif refusal := _refusal(Headers(scope=scope)):
            await _refuse(refusal, scope, receive, send)
        elif scope["type"] == "websocket":
            await self._app(_of_one_origin(scope), _only_own(receive), send)
        else:
            await self._app(scope, receive, _with_headers(send))


def _refusal(headers: Headers) -> str | None:
    """Why a request is refused, if it is."""
    hosts = headers.getlist("host")
    name = hostname(hosts[0]) if len(hosts) == 1 else None
    if name is None:
        return "This request does not say once which server it is meant for."
    if not _is_meant(name):
        return (
            f"This app does not know the name {name!r}. Open it at http://localhost, or by its address in numbers. "
            "Whoever runs it can add names with the setting SIMILARITY_HOSTS; the README tells how."
        )
    if not all(_is_same(origin, hosts[0]) for origin in headers.getlist("origin")):
        return "Pages of other servers may not use this app."
    return None


def _is_meant(name: str) -> bool:
    """Whether a name is this server's; an address in numbers is, as no stranger can make it lead elsewhere."""
    named = {one.strip().lower().rstrip(".") for one in os.environ.get("SIMILARITY_HOSTS", "").split(",")}
    return name in OWN_NAMES or name in named - {""} or _is_address(name)


def _is_address(name: str) -> bool:
    try:
        ipaddress.ip_address(name)
    except ValueError:
        return False
    return True


def _is_same(origin: str, host: str) -> bool:
    """Whether a page's origin is the server that it asks; the port counts, the scheme may be a proxy's."""
    try:
        page = urlsplit(origin)
        default = {"http": 80, "https": 443}[page.scheme]
        asked = urlsplit(f"//{host}")
        return (page.hostname, page.port or default) == (asked.hostname, asked.port or default)
    except (ValueError, KeyError):
        return False


def _of_one_origin(scope: Scope) -> Scope:
    """A connection whose host is written as its origin is; Streamlit would ask the internet whether they are one."""
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
    """What comes through a connection, without messages that no page of ours sends, and no more than one can."""

    pace = AsyncLimiter(MESSAGES, SECONDS)

    async def received() -> Message:
        while True:
            message = await receive()
            if message["type"] != "websocket.receive":
                return message
            await pace.acquire()
            told = _read(message)
            if told is not None and _is_own(told):
                if len(message["bytes"]) <= LONGEST_TEXT:
                    return message
                _shorten(told)
                if len(shorter := told.SerializeToString()) <= LONGEST_MESSAGE:
                    return {**message, "bytes": shorter}

    return received


def _read(message: Message) -> BackMsg | None:
    told = BackMsg()
    try:
        told.ParseFromString(message.get("bytes") or b"")
    except DecodeError:
        return None
    return told


def _is_own(told: BackMsg) -> bool:
    kind = told.WhichOneof("type")
    if kind == "backend_operation_request":
        return told.backend_operation_request.WhichOneof("payload") in OWN_OPERATIONS
    return kind in OWN_MESSAGES


def _shorten(told: ProtoMessage) -> None:
    """Cut off what is longer than any page takes, before anybody reads it; the page then says that it is too long.

    What would make no sense when it is cut, such as JSON, is left out altogether.
    """
    for field, value in told.ListFields():
        if field.is_repeated:
            del value[MOST_VALUES:]
            if field.type == field.TYPE_STRING:
                value[:] = [one[: LONGEST_TEXT + 1] for one in value]
            elif field.type == field.TYPE_MESSAGE:
                for one in value:
                    _shorten(one)
        elif field.type == field.TYPE_MESSAGE:
            _shorten(value)
        elif field.type in (field.TYPE_STRING, field.TYPE_BYTES) and len(value) > CUT.get(field.name, LONGEST_TEXT):
            if field.name in CUT:
                setattr(told, field.name, value[: CUT[field.name]])
            else:
                told.ClearField(field.name)


def _with_headers(send: Send) -> Send:
    """What goes out, with headers that say what a browser may do with it."""

    async def sent(message: Message) -> None:
        if message["type"] == "http.response.start":
            headers = MutableHeaders(scope=message)
            for name, value in HEADERS.items():
                headers[name] = value
        await send(message)

    return sent

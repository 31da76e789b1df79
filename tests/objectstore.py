"""A small S3 on loopback: objects in buckets, HEAD, GET of parts too, PUT, DELETE and listings; nothing is signed."""

import itertools
import os
import threading
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit
from xml.sax.saxutils import escape

import pytest

NO_SUCH_KEY = b"<Error><Code>NoSuchKey</Code><Message>It is not here.</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
CHANGED = "2015-10-21T07:28:00.000Z"


class ObjectStore:
    """The server.

    Attributes:
        objects: "bucket/key" -> bytes; None is one that may not be read.
        page: how many objects a listing tells of at a time.
        asked: methods and paths of all requests.
        before: called with the key of an object before it is sent.
    """

    def __init__(self, page: int = 1000) -> None:
        self.objects: dict[str, bytes | None] = {}
        self.page = page
        self.before: Callable[[str], object] = lambda _: None
        self.asked: list[str] = []
        self.refused: set[str] = set()
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                store.asked.append(f"{self.command} {self.path}")
                address = urlsplit(self.path)
                key = unquote(address.path).strip("/")
                if key in store.objects:
                    data = store.objects[key]
                    self.answer(403, DENIED) if data is None else self.give(key, data)
                elif "list-type" in (query := parse_qs(address.query)):
                    self.answer(200, store.listing(key, {name: values[0] for name, values in query.items()}).encode())
                else:
                    self.answer(404, NO_SUCH_KEY)

            do_HEAD = do_GET  # noqa: N815 - its name in http.server

            def do_PUT(self) -> None:
                store.asked.append(f"{self.command} {self.path}")
                key = unquote(urlsplit(self.path).path).strip("/")
                data = self.rfile.read(int(self.headers["Content-Length"]))
                if self.command in store.refused:
                    self.answer(403, DENIED)
                    return
                store.objects[key] = data
                self.answer(200, b"")

            def do_DELETE(self) -> None:
                store.asked.append(f"{self.command} {self.path}")
                if self.command in store.refused:
                    self.answer(403, DENIED)
                    return
                store.objects.pop(unquote(urlsplit(self.path).path).strip("/"), None)
                self.answer(204, b"")

            def give(self, key: str, data: bytes) -> None:
                if self.command == "GET":
                    store.before(key)
                unit, _, span = self.headers.get("Range", "").partition("=")
                if not unit:
                    self.answer(200, data)
                    return
                first, last = (int(number) for number in span.split("-"))
                last = min(last, len(data) - 1)
                self.answer(206, data[first : last + 1], f"bytes {first}-{last}/{len(data)}")

            def answer(self, status: int, body: bytes, span: str = "") -> None:
                self.send_response(status)
                if span:
                    self.send_header("Content-Range", span)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
                self.send_header("ETag", '"0123456789abcdef"')
                self.end_headers()
                if self.command != "HEAD":
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of clients that hang up
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def listing(self, bucket: str, query: dict[str, str]) -> str:
        """A page of the objects below a prefix; with a delimiter, folders in place of what is in them."""
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        keys = sorted(name.removeprefix(f"{bucket}/") for name in self.objects if name.startswith(f"{bucket}/{prefix}"))

        def folder(key: str) -> str:
            below = key.removeprefix(prefix)
            return prefix + below.partition(delimiter)[0] + delimiter if delimiter and delimiter in below else ""

        entries = [
            (name, None) if name else (key, self.objects[f"{bucket}/{key}"] or b"")
            for name, group in itertools.groupby(keys, folder)
            for key in ([next(group)] if name else group)
        ]
        start = int(query.get("continuation-token", "0"))
        shown, stop = entries[start : start + self.page], start + self.page
        more = f"<NextContinuationToken>{stop}</NextContinuationToken>" if stop < len(entries) else ""
        return (
            f"<ListBucketResult><IsTruncated>{str(bool(more)).lower()}</IsTruncated>{more}"
            f"<KeyCount>{len(shown)}</KeyCount>{''.join(itertools.starmap(_entry, shown))}</ListBucketResult>"
        )

    @property
    def environment(self) -> dict[str, str]:
        """For a process that is to find it."""
        return {
            "AWS_ENDPOINT_URL": f"http://127.0.0.1:{self._server.server_port}",
            "AWS_ACCESS_KEY_ID": "test",
            "AWS_SECRET_ACCESS_KEY": "test",
            "AWS_DEFAULT_REGION": "us-east-1",
            "AWS_CONFIG_FILE": os.devnull,
            "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
        }

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


def _entry(key: str, data: bytes | None) -> str:
    if data is None:
        return f"<CommonPrefixes><Prefix>{escape(key)}</Prefix></CommonPrefixes>"
    facts = f"<LastModified>{CHANGED}</LastModified><ETag>&quot;0&quot;</ETag><Size>{len(data)}</Size>"
    return f"<Contents><Key>{escape(key)}</Key>{facts}</Contents>"


@pytest.fixture
def store(monkeypatch: pytest.MonkeyPatch) -> Iterator[ObjectStore]:
    """An object store that this process finds."""
    from similarity.sources.object_store import _store

    s3fs = pytest.importorskip("s3fs")
    server = ObjectStore()
    for name, value in server.environment.items():
        monkeypatch.setenv(name, value)
    s3fs.S3FileSystem.clear_instance_cache()  # made with the settings of whichever test came before
    _store.cache_clear()
    yield server
    s3fs.S3FileSystem.clear_instance_cache()
    _store.cache_clear()
    server.close()

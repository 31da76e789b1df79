"""A small S3 on loopback: objects in buckets, HEAD, GET and listings, as far as s3fs asks for them; unsigned."""

import os
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import parse_qs, unquote, urlsplit

NO_SUCH_KEY = b"<Error><Code>NoSuchKey</Code><Message>It is not here.</Message></Error>"
DENIED = b"<Error><Code>AccessDenied</Code><Message>Access Denied</Message></Error>"
LISTED = "<ListBucketResult><IsTruncated>false</IsTruncated><KeyCount>0</KeyCount></ListBucketResult>"


class ObjectStore:
    """The server.

    Attributes:
        objects: "bucket/key" -> bytes; None is one that may not be read.
        asked: methods and paths of all requests.
    """

    def __init__(self) -> None:
        self.objects: dict[str, bytes | None] = {}
        self.asked: list[str] = []
        store = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                store.asked.append(f"{self.command} {self.path}")
                address = urlsplit(self.path)
                key = unquote(address.path).strip("/")
                if key in store.objects:
                    data = store.objects[key]
                    self.answer(403, DENIED) if data is None else self.answer(200, data)
                elif "list-type" in parse_qs(address.query):
                    self.answer(200, LISTED.encode())
                else:
                    self.answer(404, NO_SUCH_KEY)

            do_HEAD = do_GET  # noqa: N815 - its name in http.server

            def answer(self, status: int, body: bytes) -> None:
                self.send_response(status)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("Last-Modified", "Wed, 21 Oct 2015 07:28:00 GMT")
                self.send_header("ETag", '"0123456789abcdef"')
                self.end_headers()
                if self.command == "GET":
                    self.wfile.write(body)

            def log_message(self, *_: object) -> None:
                pass

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._server.daemon_threads = True
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of clients that hang up
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

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

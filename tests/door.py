"""The door of the deployment, and that of the documentation for a single computer: Caddy, run for real."""

import os
import re
import shutil
import socket
import ssl
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from e2e.server import free_port

ROOT = Path(__file__).resolve().parents[1]
USER, PASSWORD = "ann", "hiccup"
# Of that password, and cheap to check, unlike those that `caddy hash-password` makes.
HASH = "$2a$04$iBr9UgcOktIbr2OsQXqFRuA.XDmv4kwAJ1H3pdkqYUuVYNMF0dft."


def tool(name: str) -> str:
    """A program that tests/requirements.txt installs beside Python."""
    beside = Path(sys.executable).with_name(name)
    found = str(beside) if beside.exists() else shutil.which(name)
    if not found:
        pytest.skip(f"{name} is not installed")
    return found


def of_the_image() -> str:
    """What Caddy is told in the image of the door."""
    found = re.search(r"COPY <<'END' /etc/caddy/Caddyfile\n(.*?\n)END\n", (ROOT / "Dockerfile").read_text(), re.DOTALL)
    assert found
    return found[1]


def of_the_documentation() -> str:
    """What `docs/deployment.md` tells whoever has one computer to tell Caddy."""
    found = re.search(r"```caddy\n(.*?\n)```\n", (ROOT / "docs" / "deployment.md").read_text(), re.DOTALL)
    assert found
    return found[1]


def image_before(upstream: str, port: int) -> str:
    """The configuration of the image, at a free port, with an address in place of the app's replicas."""
    text = re.sub(r"dynamic a app 8501 \{[^}]*\}", f"to {upstream}", of_the_image())
    return text.replace("8443", str(port)).replace("8081", str(free_port()))


def documented_before(upstream: str, port: int) -> str:
    """The configuration of the documentation, at a free port, under a name that this computer has."""
    text = of_the_documentation().replace("127.0.0.1:8501", upstream)
    assert "admin off\n" in text
    text = text.replace("admin off\n", f"admin off\n\tskip_install_trust\n\thttp_port {free_port()}\n")
    return re.sub(r"^photos.example \{", f"localhost:{port} {{", text, flags=re.MULTILINE)


def environment(**changes: str) -> dict[str, str]:
    """Of the door, as compose.yaml makes it."""
    return {
        "SIMILARITY_DOMAIN": "localhost",
        "SIMILARITY_TLS": "internal",
        "SIMILARITY_LOGIN": "password",
        "SIMILARITY_USER": USER,
        "SIMILARITY_PASSWORD_HASH": HASH,
        "PASSWORD_HASH": HASH,
    } | changes


@contextmanager
def running(config: str, folder: Path, environment: Mapping[str, str], port: int) -> Iterator[int]:
    """Run Caddy with a configuration until the block ends, and wait until it answers at a port; gives its number."""
    (folder / "Caddyfile").write_text(config)
    own = {"XDG_DATA_HOME": str(folder / "data"), "XDG_CONFIG_HOME": str(folder / "config"), "HOME": str(folder)}
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(
            [tool("caddy"), "run", "--config", str(folder / "Caddyfile")],
            env=dict(os.environ) | own | dict(environment),
            stdout=log,
            stderr=log,
        )
    try:
        _wait(port, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(30)


def _wait(port: int, process: "subprocess.Popen[bytes]") -> None:
    deadline = time.monotonic() + 60
    while time.monotonic() < deadline and process.poll() is None:
        try:
            with closing(connect(port)):
                return
        except OSError:
            time.sleep(0.05)
    raise RuntimeError("Caddy did not start")


def connect(port: int, protocol: str = "http/1.1") -> ssl.SSLSocket:
    """A connection by TLS, to somebody whose certificate nobody knows."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols([protocol])
    plain = socket.create_connection(("127.0.0.1", port), timeout=30)
    try:
        return context.wrap_socket(plain, server_hostname="localhost")
    except BaseException:
        plain.close()
        raise


class Upstream:
    """What is behind the door: tells what came, reads bodies to their end, and echoes what comes through connections.

    Attributes:
        heads: of each request, its headers.
        address: where it is, with its port.
    """

    def __init__(self, host: str = "127.0.0.1", port: int = 0) -> None:
        self.heads: list[dict[str, str]] = []
        upstream = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self) -> None:
                upstream.heads.append({name.lower(): value for name, value in self.headers.items()})
                if self.headers.get("Upgrade", "").lower() == "websocket":
                    self._echo()
                    return
                self._read()
                self.send_response(200)
                self.send_header("Content-Length", "2")
                self.end_headers()
                self.wfile.write(b"ok")

            do_POST = do_PUT = do_GET  # noqa: N815 - names that the library looks for

            def _echo(self) -> None:
                self.send_response(101)
                self.send_header("Upgrade", "websocket")
                self.send_header("Connection", "Upgrade")
                self.end_headers()
                while said := self.rfile.read1(100):
                    self.wfile.write(said)
                    self.wfile.flush()
                self.close_connection = True

            def _read(self) -> None:
                left = int(self.headers.get("Content-Length", 0))
                while left > 0 and (part := self.rfile.read(min(left, 65536))):
                    left -= len(part)
                if self.headers.get("Transfer-Encoding") == "chunked":
                    while (size := int(self.rfile.readline() or b"0", 16)) > 0:
                        self.rfile.read(size + 2)

            def log_message(self, *_: Any) -> None:
                pass

        self._server = ThreadingHTTPServer((host, port), Handler)
        self._server.handle_error = lambda *_: None  # type: ignore[method-assign]  # of those who are cut off
        self._server.daemon_threads = True
        self.port = self._server.server_port
        self.address = f"{host}:{self.port}"
        threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True).start()

    def close(self) -> None:
        """Stop serving."""
        self._server.shutdown()
        self._server.server_close()


class Names:
    """Somebody to ask what `app` is the name of, as Docker's own is: all replicas that are there.

    Attributes:
        replicas: their addresses, which may change.
    """

    def __init__(self, replicas: list[str]) -> None:
        self.replicas = replicas
        self._socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self._socket.bind(("127.0.0.1", 0))
        self.address = f"127.0.0.1:{self._socket.getsockname()[1]}"
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self) -> None:
        while True:
            try:
                asked, whom = self._socket.recvfrom(512)
            except OSError:
                return
            # The question ends with a zero byte, its type and its class; what comes behind is for others.
            end = asked.index(b"\0", 12) + 5
            found = self.replicas if asked[end - 4 : end - 2] == b"\0\1" else []
            head = asked[:2] + b"\x84\x00\0\1" + len(found).to_bytes(2, "big") + bytes(4)
            records = [b"\xc0\x0c\0\1\0\1" + bytes(4) + b"\0\4" + socket.inet_aton(one) for one in found]
            self._socket.sendto(head + asked[12:end] + b"".join(records), whom)

    def close(self) -> None:
        """Answer no more."""
        self._socket.close()

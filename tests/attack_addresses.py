"""Addresses and servers that mean harm, for every door that fetches one.

The test's own resolver knows a few names, and reads every way to write a number as the system's does; no name is looked
up anywhere. One public address, PUBLIC, stands for a server on loopback. A connection to any other address ends at the
forbidden server, so that nothing leaves the machine even where the defence fails.
"""

import gzip
import io
import socket
import threading
import time
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler

import pytest
from conftest import Site, draw
from urllib3.util import connection

PUBLIC = "93.184.215.14"
NAMES = {
    "public.test": [PUBLIC],
    "loopback.test": ["127.0.0.1"],
    "loopback6.test": ["::1"],
    "metadata.test": ["169.254.169.254"],
    "intranet.test": ["10.1.2.3"],
    "mapped.test": ["::ffff:127.0.0.1"],
    "mixed.test": [PUBLIC, "127.0.0.1"],
    "mixed-first.test": ["127.0.0.1", PUBLIC],
    "mixed6.test": [PUBLIC, "fd00:ec2::254"],
}


class Internet:
    """What the program under test can reach.

    Attributes:
        site: the server behind PUBLIC.
        forbidden: how many connections went anywhere else.
        lookups: how often each name was looked up.
    """

    def __init__(self, site: Site) -> None:
        self.site = site
        self.forbidden = 0
        self.lookups: dict[str, int] = {}
        self._connect = connection.create_connection
        self._look_up = socket.getaddrinfo
        self._listener = socket.create_server(("127.0.0.1", 0))
        threading.Thread(target=self._count, daemon=True).start()

    def connect(self, address: tuple[str, int], *arguments: object, **options: object) -> socket.socket:
        """In place of urllib3's own."""
        is_public = address[0] == PUBLIC
        port = self.site.host.rpartition(":")[2] if is_public else self._listener.getsockname()[1]
        return self._connect(("127.0.0.1", int(port)), *arguments, **options)  # type: ignore[arg-type]

    def look_up(self, host: str, port: object, *_: object, **__: object) -> list[object]:
        """In place of the system's: names from the table, and numbers however they are written."""
        host = host.decode() if isinstance(host, bytes) else host
        self.lookups[host] = self.lookups.get(host, 0) + 1
        if host == "rebind.test":
            answers = [PUBLIC] if self.lookups[host] == 1 else ["127.0.0.1"]
        elif host == "rebind-late.test":
            answers = [PUBLIC] if self.lookups[host] <= 2 else ["127.0.0.1"]
        elif host.lower().rstrip(".") == "localhost":
            answers = ["127.0.0.1", "::1"]
        elif host in NAMES:
            answers = NAMES[host]
        else:
            found = self._look_up(host, 80, type=socket.SOCK_STREAM, flags=socket.AI_NUMERICHOST)
            answers = [str(one[4][0]) for one in found]
        return [
            (socket.AF_INET6 if ":" in one else socket.AF_INET, socket.SOCK_STREAM, 6, "", (one, port))
            for one in answers
        ]

    def _count(self) -> None:
        while True:
            try:
                connected, _ = self._listener.accept()
            except OSError:
                return
            self.forbidden += 1
            connected.close()

    def close(self) -> None:
        self._listener.close()


@contextmanager
def made_internet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    """Everything that this process can reach, until the block ends."""
    site = Site()
    site.pages["/a.jpg"] = (200, {"Content-Type": "image/jpeg"}, picture())
    network = Internet(site)
    monkeypatch.setattr(connection, "create_connection", network.connect)
    monkeypatch.setattr(socket, "getaddrinfo", network.look_up)
    try:
        yield network
    finally:
        network.close()
        site.close()


def picture() -> bytes:
    buffer = io.BytesIO()
    draw("dots", 1).save(buffer, "JPEG")
    return buffer.getvalue()


PRIVATE = "leads to a private network address, which is not fetched"
NO_ADDRESS = "is not a web address"
UNREACHABLE = "could not be reached"
REDIRECT = "redirects to an address that is not fetched|redirects to something that is not a web address"

PRIVATE_HOSTS = [
    # loopback, in every spelling that a resolver takes
    *("127.0.0.1", "127.1", "127.0.1", "127.255.255.254", "2130706433", "0x7f000001", "0x7f.0.0.1", "0x7f.1"),
    *(
        "017700000001",
        "0177.0.0.1",
        "0177.1",
        "0177.0.0.01",
        "0x7F.0x0.0x0.0x1",
        "localhost",
        "LOCALHOST",
        "localhost.",
    ),
    *("[::1]", "[0:0:0:0:0:0:0:1]", "[0000:0000:0000:0000:0000:0000:0000:0001]", "[::]", "0.0.0.0", "0", "0x0"),
    # IPv4 hidden in IPv6: mapped, compatible, NAT64, 6to4, Teredo, ISATAP
    *("[::ffff:127.0.0.1]", "[::ffff:7f00:1]", "[::127.0.0.1]", "[::7f00:1]", "[::ffff:0:127.0.0.1]"),
    *("[64:ff9b::7f00:1]", "[64:ff9b::127.0.0.1]", "[64:ff9b:1::7f00:1]", "[2002:7f00:1::]", "[2002:a9fe:a9fe::]"),
    *("[2001:0:7f00:1::]", "[2001::7f00:1]", "[2a01:4f8::5efe:7f00:1]", "[2a01:4f8::200:5efe:127.0.0.1]"),
    # private, link-local, site-local, multicast, documentation, reserved
    *("10.0.0.1", "10.255.255.255", "0xa000001", "012.0.0.1", "172.16.0.1", "172.31.255.255", "192.168.0.1"),
    *("192.168.257", "0300.0250.0.1", "3232235521", "[fe80::1]", "[febf::1]", "[fec0::1]", "[feff::1]", "[fc00::1]"),
    *("[fdff::1]", "[ff02::1]", "[ff0e::1]", "[2001:db8::1]", "[3fff::1]", "[5f00::1]", "[100::1]", "[2001:20::1]"),
    *("192.0.0.170", "192.0.2.1", "192.88.99.1", "198.18.0.1", "198.51.100.1", "203.0.113.1", "224.0.0.1"),
    *("239.255.255.250", "240.0.0.1", "255.255.255.255", "100.64.0.1", "100.127.255.254"),
    # metadata services
    *(
        "169.254.169.254",
        "2852039166",
        "0xa9fea9fe",
        "0251.0376.0251.0376",
        "169.254.43518",
        "[::ffff:169.254.169.254]",
    ),
    *("[::ffff:a9fe:a9fe]", "100.100.100.200", "168.63.129.16", "[fd00:ec2::254]", "[64:ff9b::a9fe:a9fe]"),
    # names that lead there, alone or among others
    *("loopback.test", "loopback6.test", "metadata.test", "intranet.test", "mapped.test"),
    *("mixed.test", "mixed-first.test", "mixed6.test", "rebind.test"),
]


ODD_ADDRESSES = [
    ("file:///etc/passwd", NO_ADDRESS),
    ("file://public.test/etc/passwd", NO_ADDRESS),
    ("data:image/png;base64,iVBORw0KGgo=", NO_ADDRESS),
    ("ftp://public.test/a.jpg", NO_ADDRESS),
    ("gopher://127.0.0.1:6379/_INFO", NO_ADDRESS),
    ("dict://127.0.0.1:11211/stats", NO_ADDRESS),
    ("javascript:alert(1)", NO_ADDRESS),
    ("//public.test/a.jpg", NO_ADDRESS),
    ("http:/public.test/a.jpg", NO_ADDRESS),
    ("http:public.test/a.jpg", NO_ADDRESS),
    ("http://", NO_ADDRESS),
    ("http:///a.jpg", NO_ADDRESS),
    ("http://[::1/a.jpg", NO_ADDRESS),
    ("http://[127.0.0.1]/a.jpg", NO_ADDRESS),
    ("http://[fe80::1%25eth0]/a.jpg", f"{NO_ADDRESS}|{PRIVATE}|{UNREACHABLE}"),
    ("http://public.test:99999/a.jpg", NO_ADDRESS),
    ("http://public.test:-1/a.jpg", NO_ADDRESS),
    ("http://public.test:80:22/a.jpg", NO_ADDRESS),
    ("http://public.test:8x/a.jpg", NO_ADDRESS),
    ("http://" + "a" * 70 + ".test/", f"{NO_ADDRESS}|{UNREACHABLE}"),
    ("http://.public.test/", f"{NO_ADDRESS}|{UNREACHABLE}"),
    ("http://%31%32%37.0.0.1/a.jpg", f"{NO_ADDRESS}|{PRIVATE}|{UNREACHABLE}"),
    ("http://127.0.0.1%2f@public.test/", "user name or password"),
    ("http://user:secret@public.test/a.jpg", "has a user name or password in it, which is not sent: leave it out"),
    ("http://user@public.test/a.jpg", "user name or password"),
    ("http://:@public.test/a.jpg", "user name or password"),
    ("http://@public.test/a.jpg", f"user name or password|{NO_ADDRESS}"),
    ("http://public.test@127.0.0.1/a.jpg", "user name or password"),
    ("http://127.0.0.1@public.test/a.jpg", "user name or password"),
    ("http://public.test:80@127.0.0.1/a.jpg", "user name or password"),
    ("http://public.test\\@127.0.0.1/a.jpg", "backslashes"),
    ("http://127.0.0.1\\.public.test/a.jpg", "backslashes"),
    ("http:\\\\127.0.0.1/a.jpg", "backslashes"),
    ("http://public.test\t@127.0.0.1/", "control characters"),
    ("http://public.test\r\nHost: 127.0.0.1/", "control characters"),
    ("http://public.test/a.jpg\r\nX-Evil: 1", "control characters"),
    ("http://127.0.0.1\x00.public.test/", "control characters"),
    ("http://public\u200b.test/a.jpg", "control characters"),
    ("http://public.test /a.jpg", "has spaces"),
    (" http://127.0.0.1/a.jpg", "has spaces"),
    ("http://127.0.0.1#@public.test/a.jpg", PRIVATE),
    ("http://127.0.0.1?@public.test/a.jpg", PRIVATE),
    ("http://127.0.0.1/@public.test/a.jpg", PRIVATE),
    ("http://127.0.0.1;.public.test/a.jpg", f"{NO_ADDRESS}|{PRIVATE}|{UNREACHABLE}"),
    ("http://public.test:22/a.jpg", "names port 22; pictures are only fetched from the ports of web servers"),
    ("http://public.test:25/a.jpg", "names port 25"),
    ("http://public.test:6379/a.jpg", "names port 6379"),
    ("https://public.test:8443/a.jpg", "names port 8443"),
    ("http://127.0.0.1:11211/a.jpg", PRIVATE),
    ("http://localhost:8777/a.jpg", PRIVATE),
    ("http://[::1]:8777/a.jpg", PRIVATE),
    ("http://unknown.test/a.jpg", UNREACHABLE),
    # digits and dots of other scripts
    ("http://１２７.０.０.１/a.jpg", NO_ADDRESS),
    ("http://①②⑦.⓪.⓪.①/a.jpg", NO_ADDRESS),
    ("http://127。0。0。1/a.jpg", f"{NO_ADDRESS}|{PRIVATE}"),
    ("http://１６９.２５４.１６９.２５４/", NO_ADDRESS),
    ("http://ⓛⓞⓒⓐⓛⓗⓞⓢⓣ/a.jpg", f"{NO_ADDRESS}|{PRIVATE}|{UNREACHABLE}"),
    ("http://xn--/a.jpg", f"{NO_ADDRESS}|{UNREACHABLE}"),
]


REDIRECTS = [
    ("http://127.0.0.1/a.jpg", PRIVATE),
    ("http://127.1/a.jpg", PRIVATE),
    ("http://[::1]/a.jpg", PRIVATE),
    ("http://169.254.169.254/latest/meta-data/", PRIVATE),
    ("http://100.100.100.200/", PRIVATE),
    ("http://168.63.129.16/", PRIVATE),
    ("http://[fd00:ec2::254]/", PRIVATE),
    ("http://metadata.test/", PRIVATE),
    ("https://intranet.test/", PRIVATE),
    ("//127.0.0.1/a.jpg", PRIVATE),
    ("http://2130706433/", PRIVATE),
    ("http://public.test:22/a.jpg", REDIRECT),
    ("http://127.0.0.1:6379/", REDIRECT),
    ("http://user:secret@public.test/a.jpg", REDIRECT),
    ("http://public.test@127.0.0.1/a.jpg", REDIRECT),
    ("file:///etc/passwd", REDIRECT),
    ("ftp://public.test/a.jpg", REDIRECT),
    ("gopher://127.0.0.1:6379/_INFO", REDIRECT),
    ("data:image/png;base64,iVBORw0KGgo=", REDIRECT),
    ("javascript:alert(1)", REDIRECT),
    ("http://", "redirects more than 4 times"),
    ("/away", "redirects more than 4 times"),
    ("http://public.test\\@127.0.0.1/a.jpg", f"{REDIRECT}|{PRIVATE}|{NO_ADDRESS}|{UNREACHABLE}|answered 404"),
]


Page = Callable[[BaseHTTPRequestHandler], None]


def head(handler: BaseHTTPRequestHandler, **headers: str) -> None:
    handler.send_response(200)
    for name, value in headers.items():
        handler.send_header(name.replace("_", "-"), value)
    handler.end_headers()


def never_answers(_: BaseHTTPRequestHandler) -> None:
    time.sleep(10)


def drips_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for letter in b"X-Slow: " + b"x" * 100:
        time.sleep(0.1)
        handler.wfile.write(bytes([letter]))


def drips_a_body(handler: BaseHTTPRequestHandler) -> None:
    head(handler, Content_Length="1000000")
    for _ in range(100):
        time.sleep(0.1)
        handler.wfile.write(b"x")


def announces_too_much(handler: BaseHTTPRequestHandler) -> None:
    head(handler, Content_Length="1000000000")
    handler.wfile.write(picture()[:100])
    handler.close_connection = True


def announces_too_little(handler: BaseHTTPRequestHandler) -> None:
    head(handler, Content_Length="100", Content_Type="image/jpeg")
    handler.wfile.write(picture())


def announces_nonsense(handler: BaseHTTPRequestHandler) -> None:
    head(handler, Content_Length="-5")
    handler.wfile.write(b"x" * 30_000_000)


def packed(encoding: str, body: bytes) -> Page:
    def send(handler: BaseHTTPRequestHandler) -> None:
        head(handler, Content_Encoding=encoding, Content_Type="image/jpeg")
        handler.wfile.write(body)

    return send


def sends_endless_headers(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\n")
    for number in range(200_000):
        handler.wfile.write(b"X-%d: y\r\n" % number)


def sends_an_endless_header(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nX: ")
    for _ in range(2_000):
        handler.wfile.write(b"y" * 65_536)


def sends_200_megabytes(handler: BaseHTTPRequestHandler) -> None:
    head(handler, Content_Type="image/jpeg")
    for _ in range(3_200):
        handler.wfile.write(b"z" * 65_536)


def sends_endless_chunks(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
    for _ in range(100_000):
        handler.wfile.write(b"4000\r\n" + b"c" * 0x4000 + b"\r\n")


def sends_a_chunk_that_is_too_long(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nFFFFFFFFFFFF\r\n" + b"c" * 50_000)


def speaks_no_http(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"+OK redis ready\r\n" * 1000)


def calls_a_status_names(handler: BaseHTTPRequestHandler) -> None:
    handler.wfile.write(b"HTTP/1.1 404 <script>alert(1)</script>\r\nContent-Length: 0\r\n\r\n")


def redirects_with(body: bytes, **headers: str) -> Page:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.send_response(302)
        for name, value in {"Location": "/a.jpg", **headers}.items():
            handler.send_header(name.replace("_", "-"), value)
        handler.end_headers()
        handler.wfile.write(body)

    return send


def redirects_endlessly(handler: BaseHTTPRequestHandler) -> None:
    redirects_with(b"")(handler)
    for _ in range(3_200):
        handler.wfile.write(b"z" * 65_536)


def redirects_to(target: bytes) -> Page:
    def send(handler: BaseHTTPRequestHandler) -> None:
        handler.wfile.write(b"HTTP/1.1 302 Found\r\nContent-Length: 0\r\nLocation: " + target + b"\r\n\r\n")

    return send


LATE = "did not answer in time"
BROKEN = "broke off before the end|could not be reached|cannot be unpacked|could not be fetched"
LARGE = "sends more than 20 MB"
NO_PICTURE = "is not a picture that can be read|is damaged or incomplete|is empty"
# Three times what is taken of a picture, and a thousandth of that as it is sent.
BOMB = bytes(60_000_000)
ZIPPED = gzip.compress(BOMB, 1)

SERVERS: list[tuple[str, object, str]] = [
    ("never answers", never_answers, LATE),
    ("drips its headers", drips_headers, LATE),
    ("drips its body", drips_a_body, LATE),
    ("announces a gigabyte", announces_too_much, BROKEN),
    ("announces a hundred bytes", announces_too_little, NO_PICTURE),
    ("announces a negative length", announces_nonsense, f"{LARGE}|{BROKEN}"),
    ("a gzip bomb", packed("gzip", ZIPPED), LARGE),
    ("a gzip bomb in gzip", packed("gzip, gzip", gzip.compress(ZIPPED)), f"{LARGE}|{BROKEN}"),
    ("a deflate bomb", packed("deflate", zlib.compress(BOMB, 1)), LARGE),
    ("gzip many times over", packed(", ".join(["gzip"] * 50), ZIPPED), f"{LARGE}|{BROKEN}"),
    ("what is no gzip", packed("gzip", b"no gzip at all"), BROKEN),
    ("what is called brotli", packed("br", ZIPPED), f"{LARGE}|{BROKEN}|{NO_PICTURE}"),
    ("what is called zstd", packed("zstd", ZIPPED), f"{LARGE}|{BROKEN}|{NO_PICTURE}"),
    ("endless headers", sends_endless_headers, BROKEN),
    ("an endless header", sends_an_endless_header, BROKEN),
    ("200 MB", sends_200_megabytes, LARGE),
    ("endless chunks", sends_endless_chunks, LARGE),
    ("a chunk longer than there is", sends_a_chunk_that_is_too_long, BROKEN),
    ("no HTTP", speaks_no_http, BROKEN),
    ("a web page", (200, {"Content-Type": "image/jpeg"}, b"<!doctype html><p>A boot"), "is a web page, not a picture"),
    ("a page with a mark before it", (200, {}, b"\xef\xbb\xbf\r\n <html>"), "is a web page, not a picture"),
    ("a script", (200, {"Content-Type": "image/png"}, b"#!/bin/sh\nrm -rf /"), NO_PICTURE),
    ("nothing", (200, {}, b""), "is empty"),
    ("no content", (204, {}, b""), "answered 204 No Content"),
    ("401", (401, {"WWW-Authenticate": "Basic"}, b""), "answered 401 Unauthorized"),
    ("a redirect without an address", (302, {}, b""), "answered 302 Found"),
    ("500", (500, {}, b"oops"), "answered 500 Internal Server Error"),
    ("a status of its own", (799, {}, b""), "answered 799: check the address"),
    (
        "a redirect with a bomb behind it",
        redirects_with(ZIPPED, Content_Encoding="gzip"),
        "redirects more than 4 times",
    ),
    ("a redirect with an endless body", redirects_endlessly, "redirects more than 4 times"),
    ("a redirect that is no UTF-8", redirects_to(b"/caf\xe9.jpg"), "something that is not a web address|answered 404"),
    ("a redirect with half a bracket", redirects_to(b"http://[::1/a.jpg"), REDIRECT),
    ("a redirect with half a bracket at its end", redirects_to(b"http://public.test]/"), f"{REDIRECT}|{UNREACHABLE}"),
    ("a redirect to an IPv4 address in brackets", redirects_to(b"http://[127.0.0.1]/a"), REDIRECT),
    ("a status with a script in it", calls_a_status_names, "answered 404 Not Found: check"),
]

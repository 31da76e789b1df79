"""The doors in front of the app, of the deployment and of the documentation: who gets in, and what is cut off."""

import base64
import json
import re
import subprocess
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import closing
from pathlib import Path
from ssl import SSLSocket

import door
import pytest
from e2e.server import free_port

# What the doors wait for, shortened so that a test need not wait as long.
HEADER, BODY = 0.3, 0.6
SHORTER = {"read_header 10s": f"read_header {HEADER:g}s", "read_body 60s": f"read_body {BODY:g}s"}

Say = Callable[..., bytes]


@pytest.fixture(scope="module")
def upstream() -> Iterator[door.Upstream]:
    started = door.Upstream()
    yield started
    started.close()


@pytest.fixture(scope="module", params=[door.image_before, door.documented_before])
def port(
    request: pytest.FixtureRequest, upstream: door.Upstream, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[int]:
    """Where a door listens that waits less long than it does otherwise."""
    chosen = free_port()
    text = request.param(upstream.address, chosen)
    for said, instead in SHORTER.items():
        assert said in text
        text = text.replace(said, instead)
    with door.running(text, tmp_path_factory.mktemp("door"), door.environment(), chosen):
        yield chosen


@pytest.fixture(params=[door.image_before, door.documented_before])
def patient(request: pytest.FixtureRequest, upstream: door.Upstream, tmp_path: Path) -> Iterator[int]:
    """Where a door listens that is as it is."""
    chosen = free_port()
    with door.running(request.param(upstream.address, chosen), tmp_path, door.environment(), chosen):
        yield chosen


def login(user: str = door.USER, password: str = door.PASSWORD) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


def head(method: str = "GET", **headers: str) -> bytes:
    lines = [f"{method} /place HTTP/1.1", "Host: localhost"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return ("\r\n".join(lines) + "\r\n\r\n").encode()


def answer(port: int, said: bytes) -> bytes:
    """All that comes back until the door has no more to say."""
    with closing(door.connect(port)) as connection:
        connection.sendall(said)
        return read_all(connection)


def read_all(connection: SSLSocket) -> bytes:
    parts = []
    try:
        while part := connection.recv(65536):
            parts.append(part)
    except OSError:
        pass
    return b"".join(parts)


def test_only_who_knows_the_password_comes_in_and_the_app_never_hears_it(port: int, upstream: door.Upstream) -> None:
    upstream.heads.clear()
    for headers in ({}, login(password="wrong"), login(user="bob"), {"Authorization": "Bearer x"}):
        assert answer(port, head(Connection="close", **headers)).startswith(b"HTTP/1.1 401 ")
    assert upstream.heads == []
    came = answer(port, head(Connection="close", **login()))
    assert came.startswith(b"HTTP/1.1 200 ")
    assert b"strict-transport-security: max-age=31536000" in came.lower()
    (heard,) = upstream.heads
    assert "authorization" not in heard
    assert heard["host"] == "localhost", "which the app compares with the origin of pages"
    assert {"x-forwarded-for", "via"} & set(heard), "so that nobody is taken for somebody at this computer"


def test_a_connection_without_the_password_is_not_opened(port: int, upstream: door.Upstream) -> None:
    upstream.heads.clear()
    came = answer(port, head(Connection="close, Upgrade", Upgrade="websocket"))
    assert came.startswith(b"HTTP/1.1 401 ")
    assert upstream.heads == []


@pytest.mark.many
@pytest.mark.parametrize(
    ("said", "drip", "longest"),
    [
        (b"", b"", HEADER),
        (b"GET / HTTP/1.1\r\nHost: loc", b"", HEADER),
        (b"GET / HTTP/1.1\r\nHost: localhost\r\nX: ", b"x", HEADER),
        (head("POST", Content_Length="100", **login()) + b"abc", b"", BODY),
        (head("POST", Content_Length="100", **login()) + b"abc", b"x", BODY),
        (head("POST", Content_Length="20000000", **login()) + b"abc", b"", BODY),
        (head("POST", Content_Length="20000000", **login()) + b"abc", b"x", BODY),
        (head("POST", Transfer_Encoding="chunked", **login()) + b"3\r\nabc\r\n", b"1\r\nx\r\n", BODY),
    ],
    ids=[
        "nothing",
        "half a head",
        "a slow head",
        "half a body",
        "a slow body",
        "half a large one",
        "a slow large one",
        "chunks",
    ],
)
def test_a_request_that_is_begun_and_never_ended_is_cut_off(
    port: int, said: bytes, drip: bytes, longest: float
) -> None:
    with closing(door.connect(port)) as connection:
        began = time.monotonic()
        connection.sendall(said)
        connection.settimeout(0.2 if drip else 30)
        came = b""
        while time.monotonic() - began < 30:
            try:
                connection.sendall(drip)
                came = connection.recv(100)
                break
            except TimeoutError:
                continue
            except OSError:
                break
        took = time.monotonic() - began
    assert longest * 0.9 < took < longest * 10
    assert b" 200 " not in came
    assert answer(port, head(Connection="close", **login())).startswith(b"HTTP/1.1 200 ")


@pytest.mark.exhaustive
def test_a_connection_of_a_page_outlives_what_cuts_off_requests(port: int) -> None:
    with closing(door.connect(port)) as connection:
        connection.sendall(head(Connection="Upgrade", Upgrade="websocket", **login()))
        assert connection.recv(1000).startswith(b"HTTP/1.1 101 ")
        connection.settimeout(BODY * 1.5)
        with pytest.raises(TimeoutError):  # that long nothing happens, and nobody hangs up
            connection.recv(1)
        connection.settimeout(30)
        connection.sendall(b"still there?")
        assert connection.recv(100) == b"still there?"


@pytest.mark.many
@pytest.mark.parametrize("is_chunked", [False, True])
def test_a_body_that_is_too_large_is_refused_and_the_largest_upload_is_not(patient: int, is_chunked: bool) -> None:
    for size, expected in ((20 * 2**20 + 4096, b"HTTP/1.1 200 "), (22 * 2**20, b"HTTP/1.1 413 ")):
        data = bytes(size)
        if is_chunked:
            said = head("PUT", Transfer_Encoding="chunked", Connection="close", **login())
            said += f"{size:x}\r\n".encode() + data + b"\r\n0\r\n\r\n"
        else:
            said = head("PUT", Content_Length=str(size), Connection="close", **login()) + data
        with closing(door.connect(patient)) as connection:
            try:
                connection.sendall(said)
            except OSError:
                assert expected != b"HTTP/1.1 200 ", "it hung up while it was sent what it should take"
                continue
            came = read_all(connection)
        assert came.startswith(expected) or (expected.startswith(b"HTTP/1.1 413") and came == b"")


@pytest.mark.parametrize(
    "changes",
    [
        {"SIMILARITY_LOGIN": "nobody-knows"},
        {"SIMILARITY_LOGIN": ""},
        {"SIMILARITY_TLS": "off"},
        {"SIMILARITY_PASSWORD_HASH": ""},
        {"SIMILARITY_USER": ""},
    ],
    ids=str,
)
def test_a_door_that_is_told_nonsense_or_has_no_password_does_not_open(
    tmp_path: Path, changes: Mapping[str, str]
) -> None:
    assert adapt(tmp_path, **changes).returncode != 0


def adapt(folder: Path, **changes: str) -> "subprocess.CompletedProcess[str]":
    """What Caddy understands of the image's configuration."""
    (folder / "Caddyfile").write_text(door.of_the_image())
    command = [door.tool("caddy"), "adapt", "--config", str(folder / "Caddyfile")]
    return subprocess.run(command, capture_output=True, text=True, check=False, env=door.environment(**changes))


def test_the_door_of_the_image_serves_by_tls_alone_and_leads_each_visitor_to_the_same_replica(tmp_path: Path) -> None:
    for changes in ({"SIMILARITY_LOGIN": "oidc"}, {"SIMILARITY_LOGIN": "none"}, {"SIMILARITY_TLS": "public"}, {}):
        done = adapt(tmp_path, **changes)
        assert done.returncode == 0, done.stderr
        told = json.loads(done.stdout)
        assert told["admin"] == {"disabled": True, "config": {"persist": False}}
        servers = told["apps"]["http"]["servers"]
        (outer,) = [one for one in servers.values() if one["listen"] == [":8443"]]
        (health,) = [one for one in servers.values() if one is not outer]
        assert health["listen"] == ["127.0.0.1:8081"]
        assert outer["tls_connection_policies"]
        assert outer["protocols"] == ["h1", "h2"]
        seconds = 10**9
        assert (outer["read_header_timeout"], outer["read_timeout"]) == (10 * seconds, 60 * seconds)
        (route,) = outer["routes"]
        first, *proxies = route["handle"][0]["routes"]
        handlers = {one["handler"]: one for one in first["handle"]}
        assert ("authentication" in handlers) == ("SIMILARITY_LOGIN" not in changes)
        assert handlers["request_body"]["max_size"] == 21_000_000
        assert "reverse_proxy" not in handlers, "or who is not let in reaches the app"
        searches, rest = proxies
        for (proxy,) in (searches["handle"], rest["handle"]):
            assert proxy["handler"] == "reverse_proxy"
            assert proxy["dynamic_upstreams"] | {"name": "app", "port": "8501"} == proxy["dynamic_upstreams"]
            assert proxy["load_balancing"]["selection_policy"]["policy"] == "cookie"
            assert "health_checks" not in proxy, "or one visitor can shut everybody out"
        assert "match" not in rest
        # A body that is kept in part only would be sent again in part only.
        (match,), (proxy,) = searches["match"], searches["handle"]
        largest = max(
            int("9" * n) for n in range(1, 9) if re.match(match["header_regexp"]["Content-Length"]["pattern"], "9" * n)
        )
        assert largest < proxy["request_buffers"] <= 100_000
        assert (match["method"], proxy["load_balancing"]["retry_match"]) == (["POST"], [{"method": ["POST"]}])
        assert all(path.endswith("/search") for path in match["path"])


def test_a_visitor_is_led_to_the_same_replica_again_and_to_another_once_it_is_gone(tmp_path: Path) -> None:
    first = door.Upstream("127.0.0.2")
    second = door.Upstream("127.0.0.3", first.port)
    names, chosen = door.Names(["127.0.0.2", "127.0.0.3"]), free_port()
    text = door.of_the_image().replace("app 8501", f"app {first.port}").replace("8443", str(chosen))
    text = text.replace("refresh 2s", f"refresh 100ms\nresolvers {names.address}").replace("8081", str(free_port()))
    with door.running(text, tmp_path, door.environment(SIMILARITY_LOGIN="none"), chosen):
        came = answer(chosen, head(Connection="close"))
        cookie = re.search(rb"set-cookie: (similarity_replica=[^;]+)", came, re.IGNORECASE)
        assert cookie
        asked = head(Connection="close", Cookie=cookie[1].decode())
        for _ in range(8):
            assert answer(chosen, asked).startswith(b"HTTP/1.1 200 ")
        mine, other = (first, second) if first.heads else (second, first)
        assert (len(mine.heads), len(other.heads)) == (9, 0)
        mine.close()
        names.replicas.remove(mine.address.partition(":")[0])
        deadline = time.monotonic() + 30
        while not other.heads:
            answer(chosen, asked)
            assert time.monotonic() < deadline
    other.close()
    names.close()

"""What the web server lets through where a login is asked for: by asking its guard, without a browser or a provider."""

import asyncio
import hashlib
import json
import logging
import sys
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import pytest
from pages import open_app
from streamlit import config
from streamlit.auth_util import set_cookie_with_chunks
from streamlit.runtime.secrets import secrets_singleton
from streamlit.web.server.starlette.starlette_app_utils import create_signed_value

from similarity.app.serving import access, login, users
from similarity.service.access import MAX_LOGIN_SECONDS
from similarity.service.keys import add_key, revoke_key

pytest.importorskip("authlib", reason="Authlib is not installed")

SECRET = "0123456789abcdef0123456789abcdef"
AUTH = {
    "redirect_uri": "https://photos.example/oauth2callback",
    "cookie_secret": SECRET,
    "client_id": "similarity",
    "client_secret": "x",
    "server_metadata_url": "https://login.example/.well-known/openid-configuration",
}
ANN: dict[str, Any] = {
    "is_logged_in": True,
    "origin": "https://photos.example",
    "email": "Ann@example.org",
    "email_verified": True,
}

Write = Callable[[str], None]


def read_again() -> None:
    """Have the app read the secrets anew."""
    secrets_singleton._reset()
    users.forget_secrets()


@pytest.fixture
def write(tmp_path: Path) -> Iterator[Write]:
    """Writes the secrets that the app reads."""
    path, before = tmp_path / "secrets.toml", config.get_option("secrets.files")
    config._set_option("secrets.files", [str(path)], "a test")
    read_again()

    def written(text: str) -> None:
        path.write_text(text)
        read_again()

    yield written
    config._set_option("secrets.files", before, "a test")
    read_again()
    login._report.cache_clear()


@pytest.fixture
def asked(write: Write) -> None:
    """A login is asked for."""
    write(auth())


def auth(**changes: str | None) -> str:
    """The section [auth] of the secrets."""
    kept = {name: value for name, value in (AUTH | changes).items() if value is not None}
    return "[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in kept.items())


def cookies(secret: str = SECRET, **changes: Any) -> dict[str, str]:
    """Cookies of somebody who has just logged in, as Streamlit makes them."""
    made: dict[str, str] = {}

    def sign(name: str, value: str) -> bytes:
        return create_signed_value(secret, name, value)

    def keep(name: str, value: str) -> None:
        made[name] = sign(name, value).decode()

    issued = time.time() - changes.pop("age", 0)
    claims = ANN | {"iat": issued} | changes
    set_cookie_with_chunks(keep, sign, "_streamlit_user", claims, cookie_attr_size=100)
    return made


async def behind(scope: Any, _: Any, send: Any) -> None:
    """The app behind the guard."""
    if scope["type"] == "websocket":
        await send({"type": "websocket.accept"})
        return
    headers = [(b"set-cookie", b"a=1; Path=/"), (b"set-cookie", b"b=2; Secure"), (b"x-kept", b"1")]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": b"the app"})


def ask(
    path: str = "/",
    sent: Mapping[str, str] | None = None,
    kind: str = "http",
    accept: str = "text/html",
    key: str = "",
    method: str = "GET",
) -> list[dict[str, Any]]:
    """What comes back for a request with these cookies, or with a key; OPTIONS asks what a page may send."""
    answer: list[dict[str, Any]] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": b""}

    async def send(message: Any) -> None:
        answer.append(message)

    place, _, query = path.partition("?")
    headers = [(b"accept", accept.encode())]
    if key:
        headers.append((b"x-api-key", key.encode()))
    if method == "OPTIONS":
        headers.append((b"access-control-request-method", b"POST"))
    if sent:
        headers.append((b"cookie", "; ".join(f"{name}={value}" for name, value in sent.items()).encode()))
    scope = {"type": kind, "method": method, "path": place, "query_string": query.encode(), "headers": headers}
    asyncio.run(login.Login(behind)(scope, receive, send))
    return answer


def is_let_in(sent: Mapping[str, str] | None = None) -> bool:
    """Whether somebody with these cookies gets to the app, by a request as by a connection."""
    page, connection = ask(sent=sent)[0], ask("/_stcore/stream", sent, "websocket")[0]
    assert (page["status"] == 200) == (connection["type"] == "websocket.accept")
    return bool(page["status"] == 200)


@pytest.mark.parametrize("text", [None, "", 'other = "1"', "[database]\nname = 'x'"])
def test_without_a_section_for_it_no_login_is_asked_for(write: Write, text: str | None) -> None:
    if text is not None:
        write(text)
    assert is_let_in()


def test_secrets_that_are_no_file_are_none(write: Write, tmp_path: Path) -> None:
    write("")
    (tmp_path / "secrets.toml").unlink()
    (tmp_path / "secrets.toml").symlink_to("/dev/null")
    read_again()
    assert is_let_in()


@pytest.mark.usefixtures("asked")
def test_whoever_has_logged_in_is_let_in_and_nobody_else() -> None:
    assert is_let_in(cookies())
    assert not is_let_in()
    assert not is_let_in({"_streamlit_user": "nonsense"})
    assert not is_let_in(cookies(secret=SECRET[::-1]))
    assert not is_let_in({"_streamlit_session": cookies()["_streamlit_user"]})


@pytest.mark.usefixtures("asked")
@pytest.mark.parametrize(
    "changes",
    [
        {"is_logged_in": False},
        {"is_logged_in": "true"},
        {"origin": "https://evil.example"},
        {"origin": None},
        {"iat": 0},
        {"age": MAX_LOGIN_SECONDS + 60},
        {"age": -3600},
        {"iat": None},
        {"iat": "now"},
    ],
    ids=str,
)
def test_a_login_that_is_old_or_elsewheres_or_none_lets_nobody_in(changes: dict[str, Any]) -> None:
    assert not is_let_in(cookies(**changes))


@pytest.mark.usefixtures("asked")
def test_a_login_whose_cookie_is_in_parts_is_one_and_all_parts_are_needed() -> None:
    sent = cookies(groups=[hashlib.sha256(bytes([one])).hexdigest() for one in range(150)])
    assert len(sent) > 2
    assert is_let_in(sent)
    for name in sent:
        assert not is_let_in({other: value for other, value in sent.items() if other != name})


@pytest.mark.parametrize(
    ("listed", "changes", "is_on_it"),
    [
        ("", {}, True),
        ("", {"email_verified": False}, True),
        ("ann@example.org", {}, True),
        (" bob@example.org , ANN@EXAMPLE.ORG", {}, True),
        ("@example.org", {}, True),
        ("@elsewhere.example, @Example.org", {}, True),
        ("bob@example.org", {}, False),
        ("example.org", {}, False),
        ("@ample.org", {}, False),
        ("@org", {}, False),
        ("@", {}, False),
        (",", {}, False),
        ("ann@example.org", {"email_verified": False}, False),
        ("ann@example.org", {"email_verified": "true"}, False),
        ("ann@example.org", {"email_verified": None}, False),
        ("ann@example.org", {"email": None}, False),
        ("@example.org", {"email": "example.org"}, False),
        ("@example.org", {"email": "@example.org"}, False),
        ("@example.org", {"email": "ann@example.org@evil.example"}, False),
        ("@example.org", {"email": ["ann@example.org"]}, False),
    ],
)
@pytest.mark.usefixtures("asked")
def test_a_list_of_users_lets_in_verified_addresses_on_it(
    monkeypatch: pytest.MonkeyPatch, listed: str, changes: dict[str, Any], is_on_it: bool
) -> None:
    monkeypatch.setenv("SIMILARITY_USERS", listed)
    assert is_let_in(cookies(**changes)) is is_on_it


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("[auth\n", "cannot be read"),
        ("", "has no section"),
        ("auth = 1", "has no section"),
        (auth(redirect_uri=None), "redirect_uri"),
        (auth(redirect_uri="https://photos.example/"), "with /oauth2callback behind it"),
        (auth(redirect_uri="photos.example/oauth2callback"), "with /oauth2callback behind it"),
        (auth(client_id=None), "client_id"),
        (auth(client_secret=None), "client_secret"),
        (auth(cookie_secret=None), "cookie_secret"),
        (auth(cookie_secret="too short"), "fewer than 32 characters"),
        ("[auth]\nnothing = 1\n", "redirect_uri"),
    ],
)
def test_a_login_that_is_not_set_up_lets_nobody_in_and_the_log_says_what_to_do(
    write: Write, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, text: str, sentence: str
) -> None:
    monkeypatch.setenv("SIMILARITY_LOGIN", "oidc")
    write(text)
    for path in ("/", "/oauth2callback", "/login?with=default", "/pictures/a/b.jpg", "/sheets/a/b.webp"):
        start, body = ask(path, cookies())
        assert start["status"] == 503
        assert body["body"].decode() == login.NOT_SET_UP
    assert not is_let_in(cookies())
    (said,) = [record.getMessage() for record in caplog.records if record.levelno == logging.ERROR]
    assert sentence in said
    assert ask("/_stcore/health")[0]["status"] == 200


@pytest.mark.parametrize("text", ["[auth\n", auth(cookie_secret="short"), "[auth]\nnothing = 1\n"])
def test_secrets_that_are_damaged_never_turn_a_login_off(write: Write, text: str) -> None:
    write(text)
    assert not is_let_in()


@pytest.mark.usefixtures("asked")
def test_without_authlib_nobody_is_let_in_and_the_log_says_what_to_install(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    users._has_authlib.cache_clear()
    with monkeypatch.context() as patch:
        patch.setitem(sys.modules, "authlib.integrations.starlette_client", None)
        patch.setitem(sys.modules, "authlib.integrations", None)
        assert ask(sent=cookies())[0]["status"] == 503
    assert "pip install Authlib httpx2" in caplog.text
    users._has_authlib.cache_clear()


def test_each_provider_has_a_link_of_its_own_and_no_other_is_gone_to(write: Write) -> None:
    shared = {name: AUTH[name] for name in ("redirect_uri", "cookie_secret")}
    text = "[auth]\n" + "".join(f"{name} = {json.dumps(value)}\n" for name, value in shared.items())
    for name in ("google", "acme"):
        text += f"[auth.{name}]\n" + "".join(
            f"{key} = {json.dumps(value)}\n" for key, value in AUTH.items() if key not in shared
        )
    write(text)
    page = ask()[1]["body"].decode()
    assert 'href="/login?with=google">Log in with google' in page
    assert 'href="/login?with=acme">Log in with acme' in page
    for name, place in (("google", "/auth/login?provider="), ("evil", "/"), ("default", "/")):
        start, _ = ask(f"/login?with={name}")
        assert start["status"] == 302
        assert dict(start["headers"])[b"location"].decode().startswith(place)


@pytest.mark.usefixtures("asked")
def test_who_asks_for_anything_but_a_page_gets_a_sentence() -> None:
    start, body = ask("/pictures/a/b.jpg", accept="image/*")
    assert (start["status"], body["body"]) == (403, b"Log in first.\n")
    assert dict(start["headers"])[b"cache-control"] == b"no-store"


def test_cookies_are_for_https_alone_if_the_app_is(write: Write) -> None:
    for redirect, expected in (
        (AUTH["redirect_uri"], [b"a=1; Path=/; Secure", b"b=2; Secure"]),
        ("http://localhost:8501/oauth2callback", [b"a=1; Path=/", b"b=2; Secure"]),
    ):
        write(auth(redirect_uri=redirect))
        headers = ask("/oauth2callback")[0]["headers"]
        assert [value for name, value in headers if name == b"set-cookie"] == expected
        assert (b"x-kept", b"1") in headers


@pytest.mark.usefixtures("asked")
def test_a_program_with_a_key_gets_to_the_api_and_no_further(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SIMILARITY_API_KEYS", str(tmp_path / "keys.json"))
    key = add_key("shop", ["*"])
    assert ask("/api/v1/galleries", key=key)[0]["status"] == 200
    for path, shown in (("/api/v1/galleries", ""), ("/api/v1/galleries", key[:-1]), ("/", key), ("/api/v1x", key)):
        assert ask(path, key=shown)[0]["status"] == 403, path
    assert ask("/_stcore/stream", kind="websocket", key=key)[0]["type"] == "websocket.close"
    revoke_key("shop")
    assert ask("/api/v1/galleries", key=key)[0]["status"] == 403


@pytest.mark.usefixtures("asked")
def test_a_browser_that_asks_whether_a_page_may_call_the_api_gets_its_answer_and_none_from_the_app() -> None:
    assert ask("/api/v1/galleries", method="OPTIONS")[0]["status"] == 200
    for path in ("/", "/api/v1x", "/_stcore/upload_file/a/b", "/incoming/a"):
        assert ask(path, method="OPTIONS")[0]["status"] == 403, path


@pytest.mark.usefixtures("asked")
def test_a_page_below_a_path_is_guarded_as_well(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(login.st, "get_option", lambda _: "photos")
    assert ask("/photos/_stcore/health")[0]["status"] == 200
    assert ask("/photos/oauth2callback")[0]["status"] == 200
    assert ask("/photos/")[0]["status"] == 403
    assert ask("/oauth2callback")[0]["status"] == 403
    assert 'href="/photos/login?with=default"' in ask("/photos/")[1]["body"].decode()


@pytest.mark.usefixtures("asked", "shapes")
def test_a_page_is_not_drawn_for_somebody_whose_login_has_ended() -> None:
    page = open_app().run()
    assert [info.value for info in page.info] == ["Your login has ended. Reload this page to log in again."]
    assert not page.title
    assert not page.selectbox


def somebody_comes(monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any]) -> None:
    """Ann is in front of the browser, on another computer, or somebody whom Streamlit knows by these claims."""

    class User:
        def to_dict(self) -> dict[str, Any]:
            return ANN | {"iat": time.time()} | claims

    monkeypatch.setattr(users.st, "user", User())
    monkeypatch.setattr("similarity.service.access.is_local", lambda *_: False)


@pytest.mark.parametrize(
    ("claims", "setting", "may"),
    [
        ({}, "nobody", True),
        ({}, "local", True),
        ({"email_verified": False}, "nobody", False),
        ({"email": "bob@example.org"}, "nobody", False),
        ({"email": "bob@example.org"}, "everyone", True),
        ({"iat": 0}, "nobody", False),
        ({"is_logged_in": False}, "nobody", False),
    ],
)
@pytest.mark.usefixtures("asked")
def test_managers_are_those_on_the_list_who_are_logged_in(
    monkeypatch: pytest.MonkeyPatch, claims: dict[str, Any], setting: str, may: bool
) -> None:
    somebody_comes(monkeypatch, claims)
    monkeypatch.setenv("SIMILARITY_MANAGE", setting)
    monkeypatch.setenv("SIMILARITY_MANAGERS", "ann@example.org")
    assert access.may_manage() is may


def test_without_a_login_the_list_of_managers_means_nothing(write: Write, monkeypatch: pytest.MonkeyPatch) -> None:
    write("")
    somebody_comes(monkeypatch, {})  # as headers of a proxy can make Streamlit believe
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    monkeypatch.setenv("SIMILARITY_MANAGERS", "ann@example.org")
    assert not access.may_manage()

"""A login in front of the real app: a provider on loopback, and nothing of the app for whoever has not been there."""

import json
import shutil
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import door
import pytest
from conftest import make_home

from e2e.server import free_port, serving
from e2e.tabs import WAIT, drawn, names, see
from similarity import Gallery

pytest.importorskip("authlib", reason="Authlib is not installed")
import oidc

pytestmark = [pytest.mark.browser, pytest.mark.exhaustive]

BORIS = {"sub": "2", "name": "Boris", "email": "boris@elsewhere.example", "email_verified": True}
# One for each kind of address that the app has, and one that it has not.
PLACES = (
    "", "galleries", "static/index.html", "_stcore/host-config", "_stcore/script-health-check", "media/0123.png",
    "_stcore/agent/openapi.json", "_stcore/upload_file/0123/4567", "component/similarity/x.js", "favicon.png",
    "nowhere", "auth/login/", "login/", "//auth/login", "oauth2callback/../galleries",
)  # fmt: skip


@pytest.fixture(scope="module")
def provider() -> Iterator[oidc.Provider]:
    started = oidc.Provider()
    yield started
    started.close()


@pytest.fixture(autouse=True)
def ann_comes(provider: oidc.Provider) -> Iterator[None]:
    yield
    provider.person = oidc.ANN


@pytest.fixture(scope="module")
def places(
    provider: oidc.Provider, sample: Gallery, home: Path, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[tuple[str, str]]:
    """Where an app is that asks for a login and lets in all of example.org, and where the door in front of it is."""
    folder = tmp_path_factory.mktemp("guarded")
    own = make_home(folder / "home", home)
    shutil.copytree(sample.directory, own / "galleries" / "sample")
    port = free_port()
    outside = f"https://localhost:{port}"
    provider.write_secrets(folder, outside)
    environment = {
        "HOME": str(folder),
        "SIMILARITY_MANAGE": "nobody",
        "SIMILARITY_MANAGERS": "ann@example.org",
        "SIMILARITY_USERS": "@example.org, other@elsewhere.example",
    }
    with serving(own, environment=environment) as inside:
        text = door.image_before(urlsplit(inside).netloc, port)
        with door.running(text, folder, door.environment(SIMILARITY_LOGIN="oidc"), port):
            yield inside, outside


@pytest.fixture
def guarded(places: tuple[str, str]) -> str:
    """Where the app itself is."""
    return places[0]


@pytest.fixture
def visitor(browser: Any, places: tuple[str, str]) -> Iterator[Callable[[], Any]]:
    """Opens a tab with cookies of its own, in front of the door."""
    contexts = []

    def opened() -> Any:
        contexts.append(browser.new_context(base_url=f"{places[1]}/", ignore_https_errors=True))
        contexts[-1].set_default_timeout(WAIT)
        return contexts[-1].new_page()

    yield opened
    for context in contexts:
        context.close()


def log_in(tab: Any) -> None:
    tab.goto("")
    tab.get_by_role("link", name="Log in").click()
    drawn(tab)


def status(url: str, cookies: str = "", method: str = "GET") -> int:
    request = urllib.request.Request(url, method=method, headers={"Cookie": cookies} if cookies else {})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return int(answer.status)
    except urllib.error.HTTPError as error:
        return error.code


def test_a_visitor_logs_in_searches_by_an_upload_and_logs_out(
    visitor: Callable[[], Any], provider: oidc.Provider, sample: Gallery
) -> None:
    tab = visitor()
    log_in(tab)
    tab.set_input_files('[data-testid="stFileUploader"] input[type=file]', sample.items[0].path)
    assert names(tab)[0] == Path(sample.items[0].path).name
    shown = tab.locator(".st-key-results img").first
    tab.wait_for_function("image => image.naturalWidth > 0", arg=shown.element_handle())
    tab.goto("about")
    see(tab, "You are logged in as ann@")
    tab.get_by_role("button", name="Log out").click()
    tab.get_by_role("link", name="Log in").wait_for()
    assert tab.goto("about").status == 403
    assert {"description", "authorize", "token"} <= set(provider.asked)


def test_nothing_of_the_app_is_there_for_whoever_has_not_logged_in(guarded: str, sample: Gallery) -> None:
    for place in (*PLACES, f"pictures/sample/{sample.items[0].sha256}.jpg"):
        for method in ("GET", "POST", "PUT", "DELETE", "OPTIONS"):
            assert status(f"{guarded}/{place}", method=method) == 403, (method, place)
    assert status(f"{guarded}/_stcore/health") == 200, "what looks after the app can tell that it is well"


def test_no_connection_is_opened_for_whoever_has_not_logged_in(visitor: Callable[[], Any]) -> None:
    tab = visitor()
    tab.goto("")
    assert tab.evaluate(
        """() => new Promise((ended) => {
          const socket = new WebSocket(`wss://${location.host}/_stcore/stream`, ["streamlit"]);
          socket.onopen = () => ended("opened");
          socket.onerror = () => ended("refused");
        })"""
    ) == "refused"  # fmt: skip


def test_pictures_need_the_cookie_and_one_that_was_tampered_with_is_none(
    visitor: Callable[[], Any], guarded: str, sample: Gallery
) -> None:
    tab = visitor()
    log_in(tab)
    cookie = next(one for one in tab.context.cookies() if one["name"] == "_streamlit_user")
    assert cookie["httpOnly"]
    assert cookie["secure"]
    place = f"{guarded}/pictures/sample/{sample.items[0].sha256}.jpg"
    assert status(place, f"_streamlit_user={cookie['value']}") == 200
    assert status(place, f"_streamlit_user={cookie['value'][:-1]}") == 403
    assert status(place, f"_streamlit_user_tokens={cookie['value']}") == 403
    assert status(place, f"_streamlit_user={json.dumps(oidc.ANN | {'is_logged_in': True})}") == 403


def test_somebody_who_is_not_on_the_list_is_told_so_and_gets_nothing_else(
    visitor: Callable[[], Any], provider: oidc.Provider
) -> None:
    provider.person = BORIS
    tab = visitor()
    tab.goto("")
    tab.get_by_role("link", name="Log in").click()
    see(tab, "You are logged in as boris@elsewhere.example, and may not use this app.")
    assert tab.goto("galleries").status == 403
    provider.person = oidc.ANN | {"email_verified": False}
    tab.get_by_role("link", name="Log in").click()
    see(tab, "somebody whose e-mail address nobody has verified")


def test_somebody_whom_the_provider_refuses_is_back_at_the_login(
    visitor: Callable[[], Any], provider: oidc.Provider
) -> None:
    provider.person = None
    tab = visitor()
    tab.goto("")
    tab.get_by_role("link", name="Log in").click()
    tab.get_by_role("link", name="Log in").wait_for()
    assert [one["name"] for one in tab.context.cookies() if one["name"].startswith("_streamlit_user")] == []


@pytest.mark.parametrize(
    ("person", "may_manage"),
    [(oidc.ANN, True), (oidc.ANN | {"email": "carl@example.org"}, False)],
    ids=["a manager", "somebody else"],
)
def test_those_on_the_list_of_managers_may_change_galleries_and_nobody_else(
    visitor: Callable[[], Any], provider: oidc.Provider, person: dict[str, Any], may_manage: bool
) -> None:
    provider.person = person
    tab = visitor()
    log_in(tab)
    tab.goto("galleries")
    see(tab, "sample")
    drawn(tab)
    assert tab.get_by_text("Galleries can only be searched here").count() == (not may_manage)

"""Keys of programs: what each opens, what is refused, and that nothing is learned from a refusal."""

import json
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from commands import Run
from starlette.testclient import TestClient

from similarity import Gallery
from similarity.api.application import create_alone
from similarity.errors import KeyFileError
from similarity.service.keys import KeyRing, add_key, file_of_keys, read_keys, revoke_key

SEARCH = "/api/v1/galleries/{}/search"


def _with(**changed: str) -> bytes:
    """A file of one key, with something else in it."""
    key = {"name": "shop", "sha256": "00", "read": ["*"], "created": "", "rate": "", "revoked": ""}
    return json.dumps([key | changed]).encode()


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file of keys of this test's own, where there is none yet."""
    monkeypatch.setenv("SIMILARITY_API_KEYS", str(tmp_path / "keys" / "api.json"))
    monkeypatch.setenv("SIMILARITY_MANAGE", "local")
    return file_of_keys()


@pytest.fixture
def far(shapes: Gallery, keys: Path) -> Iterator[TestClient]:
    """The API for a program on another computer."""
    assert len(shapes)
    assert not keys.exists()
    with TestClient(create_alone(), base_url="http://localhost", client=("203.0.113.7", 50_000)) as opened:
        yield opened


def ask(api: TestClient, shapes: Gallery, headers: dict[str, str], gallery: str = "shapes") -> Any:
    """The answer to a search."""
    return api.post(SEARCH.format(gallery), json={"like": [{"item": shapes.items[0].id}], "k": 1}, headers=headers)


def test_a_key_opens_its_galleries_from_anywhere(far: TestClient, shapes: Gallery) -> None:
    token = add_key("shop", ["shapes"])
    for headers in ({"Authorization": f"Bearer {token}"}, {"X-API-Key": token}):
        assert ask(far, shapes, headers).status_code == 200
        assert [one["gallery"] for one in far.get("/api/v1/galleries", headers=headers).json()["galleries"]] == [
            "shapes"
        ]
    assert "/" not in ask(far, shapes, {"X-API-Key": token}).json()["hits"][0]["path"]


def test_no_key_a_wrong_one_and_a_revoked_one_are_refused_alike(far: TestClient, shapes: Gallery) -> None:
    token, other = add_key("shop", ["shapes"]), add_key("old", ["shapes"])
    revoke_key("old")
    wrong = [other, token[:-1], token + "x", "sim_nobody_" + token.rpartition("_")[2], "none", "sim__"]
    answers = [ask(far, shapes, {"X-API-Key": one}) for one in wrong]
    assert {answer.status_code for answer in answers} == {401}
    assert len({answer.text for answer in answers}) == 1
    assert ask(far, shapes, {}).status_code == 401
    assert all(answer.headers["www-authenticate"] == "Bearer" for answer in answers)


def test_a_key_of_another_gallery_does_not_tell_which_there_are(far: TestClient, shapes: Gallery) -> None:
    headers = {"X-API-Key": add_key("elsewhere", ["others"])}
    there, nowhere = ask(far, shapes, headers), ask(far, shapes, headers, "nowhere")
    assert (there.status_code, nowhere.status_code) == (403, 403)
    assert there.text == nowhere.text
    assert far.get("/api/v1/galleries", headers=headers).json() == {"galleries": []}


def test_a_wrong_key_is_refused_on_this_computer_too(shapes: Gallery, keys: Path) -> None:
    assert not keys.exists()
    with TestClient(create_alone(), base_url="http://localhost", client=("127.0.0.1", 50_000)) as near:
        assert ask(near, shapes, {}).status_code == 200
        assert ask(near, shapes, {"X-API-Key": "sim_shop_x"}).status_code == 401


def test_a_key_has_a_rate(far: TestClient, shapes: Gallery) -> None:
    headers = {"X-API-Key": add_key("slow", ["*"], "2/minute")}
    assert [ask(far, shapes, headers).status_code for _ in range(4)] == [200, 200, 429, 429]


def test_strangers_have_a_rate_where_everybody_may_search(
    far: TestClient, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMILARITY_API", "everyone")
    monkeypatch.setattr("similarity.api.callers.STRANGERS", "2/minute")
    assert [ask(far, shapes, {}).status_code for _ in range(3)] == [200, 200, 429]


def test_only_the_hash_of_a_key_is_kept_and_only_its_owner_may_read_it(keys: Path) -> None:
    token = add_key("shop", ["shapes"], "600/minute")
    assert token.rpartition("_")[2] not in keys.read_text()
    assert keys.stat().st_mode & 0o077 == 0
    found = KeyRing().find(token)
    assert found is not None
    assert (found.may_read("shapes"), found.may_read("other")) == (True, False)


def test_a_key_that_may_change_a_gallery_may_search_it_and_one_of_an_earlier_version_changes_none(keys: Path) -> None:
    writer = KeyRing().find(add_key("writer", ["shapes"], write=["own"]))
    assert writer
    assert [(writer.may_read(name), writer.may_write(name)) for name in ("shapes", "own", "other")] == [
        (True, False), (True, True), (False, False),
    ]  # fmt: skip
    token = add_key("earlier", ["*"])
    kept = json.loads(keys.read_text())
    keys.write_text(json.dumps([{name: value for name, value in one.items() if name != "write"} for one in kept]))
    earlier = KeyRing().find(token)
    assert earlier
    assert (earlier.may_read("own"), earlier.may_write("own")) == (True, False)


def test_a_key_counts_from_the_moment_it_is_made_until_it_is_revoked(keys: Path) -> None:
    ring = KeyRing()
    token = add_key("shop", ["*"])
    assert keys.exists()
    assert ring.find(token)
    revoke_key("shop")
    assert ring.find(token) is None


def test_keys_that_are_made_at_once_are_all_kept(keys: Path) -> None:
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(lambda number: add_key(f"key-{number}", ["*"]), range(20)))
    assert keys.exists()
    assert len(read_keys()) == 20


@pytest.mark.many
@pytest.mark.parametrize(
    "content", [b"", b"{}", b"[{}]", b'[{"name": 1}]', b"\xff", b"[" * 100_000, _with(rate="often"), _with(sha256="ä")]
)
def test_with_a_damaged_file_nobody_gets_in(far: TestClient, shapes: Gallery, keys: Path, content: bytes) -> None:
    token = add_key("shop", ["*"])
    keys.write_bytes(content)
    answer = ask(far, shapes, {"X-API-Key": token})
    assert answer.status_code == 503
    assert str(keys) not in answer.text
    with pytest.raises(KeyFileError, match="is no file of keys"):
        add_key("other", ["*"])
    assert keys.read_bytes() == content


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("add", "Shop!", "--read", "a"), "small letters"),
        (("add", "shop"), "--read"),
        (("add", "shop", "--read", "a", "--rate", "often"), "rate"),
        (("add", "shop", "--write", "../x"), "'../x' cannot name a gallery"),
        (("add", "shop", "--read", "a", "--write", "shoes,boots"), "option of its own"),
        (("add", "shop", "--read", ""), "cannot name a gallery"),
        (("add", "shop", "--read", "a" * 300), "255 bytes"),
        (("add", "shop", "--read", "a", "--rate", "0/minute"), "allows no request"),
        (("add", "shop", "--read", "a", "--rate", "5/second; 100/day"), "more than one rate"),
        (("revoke", "nobody"), "no key named"),
    ],
)
def test_a_key_that_cannot_be_made_or_revoked_is_an_error(
    run: Run, keys: Path, arguments: tuple[str, ...], said: str
) -> None:
    done = run("key", *arguments)
    assert done.returncode == 1
    assert said in done.stderr
    assert not keys.exists()


def test_a_key_in_the_file_that_can_never_work_locks_nobody_out(keys: Path) -> None:
    token = add_key("shop", ["*", "Schuhe für Männer", "a.b-c_d"])
    [kept] = json.loads(keys.read_text())
    keys.write_text(json.dumps([kept, kept | {"name": "never", "write": ["../x", "a,b"], "rate": "0/minute"}]))
    assert KeyRing().find(token)


def test_keys_are_made_listed_and_revoked_on_the_command_line(run: Run, keys: Path) -> None:
    made = run("key", "add", "shop", "--read", "shapes", "--rate", "10/minute")
    assert made.returncode == 0, made.stderr
    assert KeyRing().find(made.stdout.strip())
    assert "not shown again" in made.stderr
    assert run("key", "add", "shop", "--read", "shapes").returncode == 1
    assert run("key", "revoke", "shop").returncode == 0
    listed = json.loads(run("key", "list", "--json").stdout)["keys"]
    assert [(one["name"], bool(one["revoked"])) for one in listed] == [("shop", True)]
    assert "sha256" not in listed[0]
    assert "shop" in run("key", "list").stdout
    assert run("key", "add", "writer", "--write", "shoes", "--write", "hats").returncode == 0
    assert json.loads(run("key", "list", "--json").stdout)["keys"][1]["write"] == ["shoes", "hats"]
    assert "shoes, hats" in run("key", "list").stdout
    assert keys.exists()

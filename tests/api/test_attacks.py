"""The attacks on the page's fetcher and decoder, by way of the API, and what is learned from a refusal: nothing."""

import base64
import hmac
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from attack_addresses import ODD_ADDRESSES, PRIVATE, PRIVATE_HOSTS, REDIRECTS, SERVERS, Internet, made_internet
from attack_pictures import FILES, LARGE
from programs import ELSEWHERE, client
from starlette.testclient import TestClient
from tiers import Share

from similarity import Gallery
from similarity.api.bodies import MOST_FILE
from similarity.fetch import http as fetching
from similarity.service.keys import KeyRing, add_key, revoke_key

SEARCH = "/api/v1/galleries/shapes/search"
NO_ADDRESS = "A web address begins with http"
# The status that each way to refuse a picture is answered with; one that is decoded is searched with.
STATUSES = {
    "TooLargeError": 413,
    "DamagedError": 422,
    "UnsupportedError": 422,
    "NotAnImageError": 422,
    "RGB": 200,
}
PARTS = 12  # the tables are tried whole by the fetcher's and the decoder's own tests


class NoLimit:
    """Lets anybody fetch as much as they like."""

    def count(self, session: str) -> None:
        assert session


@pytest.fixture
def internet(monkeypatch: pytest.MonkeyPatch) -> Iterator[Internet]:
    monkeypatch.setattr("similarity.api.pictures.shared_limiter", NoLimit)
    with made_internet(monkeypatch) as made:
        yield made


def refusals(api: TestClient, url: str) -> list[str]:
    """The sentences that an address is refused with, in all the ways in which it can be given."""
    answers = [
        api.post(SEARCH, json={"like": [{"url": url}]}),
        api.post(SEARCH, data={"url": url}),
        api.post("/api/v1/galleries/shapes/embed", files={"url": (None, url)}),
    ]
    batch = api.post(f"{SEARCH}/batch", json={"searches": [{"like": [{"url": url}]}]})
    problems = [answer.json() for answer in answers] + batch.json()["answers"]
    assert {problem["status"] for problem in problems} <= {413, 422}, (url, problems)
    return [str(problem["detail"]) for problem in problems]


def test_no_address_leads_where_the_pages_fetcher_does_not_go(
    internet: Internet, api: TestClient, share: Share
) -> None:
    private = [(f"http://{host}/a.jpg", PRIVATE) for host in PRIVATE_HOSTS]
    for url, sentence in share.of([*private, *ODD_ADDRESSES], PARTS):
        for said in refusals(api, url):
            assert re.search(f"{sentence}|{NO_ADDRESS}", said), (url, said)
            assert "\n" not in said
        internet.lookups.clear()
    assert internet.forbidden == 0
    assert internet.site.asked == []


def test_no_redirect_leads_there_either(internet: Internet, api: TestClient, share: Share) -> None:
    for target, sentence in share.of(REDIRECTS, PARTS):
        internet.site.pages["/away"] = (302, {"Location": target}, b"")
        for said in refusals(api, "http://public.test/away"):
            assert re.search(sentence, said), (target, said)
            assert "169.254" not in said
    assert internet.forbidden == 0


def test_a_server_that_means_harm_is_given_up_in_time(
    internet: Internet, api: TestClient, share: Share, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fetching, "MAX_SECONDS", 1.0)
    for name, page, sentence in share.of(SERVERS, 3 * PARTS):
        internet.site.pages["/a.jpg"] = page
        answer = api.post(SEARCH, json={"like": [{"url": "http://public.test/a.jpg"}]})
        assert answer.status_code in (413, 422), (name, answer.text)
        assert re.search(sentence, answer.json()["detail"]), (name, answer.text)
    assert internet.forbidden == 0


def test_a_picture_file_that_means_harm_is_searched_with_or_refused_as_on_the_page(
    api: TestClient, share: Share
) -> None:
    small = [name for name in FILES if name not in LARGE]
    for name in share.of(small, 2 * PARTS) + (list(LARGE) if share.is_all else []):
        make, outcome = FILES[name]
        data = make()
        expected = {status for kind, status in STATUSES.items() if kind in outcome} if len(data) <= MOST_FILE else {413}
        in_base64 = {"like": [{"base64": base64.b64encode(data).decode()}], "k": 1}
        for sent in ({"files": {"file": (name, data)}, "data": {"k": 1}}, {"json": in_base64}):
            if not data and "json" in sent:
                continue
            answer = api.post(SEARCH, **sent)
            assert answer.status_code in expected, (name, answer.text[:500])
            assert "Traceback" not in answer.text


@pytest.fixture
def keys(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """What programs show that may not search: nothing, a wrong key, a revoked one, and one of another gallery."""
    monkeypatch.setenv("SIMILARITY_API_KEYS", str(tmp_path / "keys.json"))
    revoked = add_key("revoked", ["shapes"])
    revoke_key("revoked")
    right = add_key("right", ["shapes"])
    return {
        "none": "",
        "unknown": "sim_nobody_" + "x" * 43,
        "wrong": right[:-1] + ("a" if right[-1] != "a" else "b"),
        "wrong prefix": right.replace("sim_", "mis_", 1),
        "revoked": revoked,
        "other": add_key("other", ["elsewhere"]),
    }


def calls(api: TestClient, gallery: str, headers: dict[str, str]) -> list[Any]:
    place = f"/api/v1/galleries/{gallery}"
    return [
        api.get(place, headers=headers),
        api.get(f"{place}/items/x", headers=headers),
        api.get(f"{place}/items/x/thumbnail", headers=headers),
        api.post(f"{place}/search", json={"like": [{"item": "x"}]}, headers=headers),
        api.post(f"{place}/search/batch", json={}, headers=headers),
        api.post(f"{place}/embed", files={"file": ("a", b"x")}, headers=headers),
    ]


def test_whoever_may_not_search_does_not_learn_which_galleries_there_are(shapes: Gallery, keys: dict[str, str]) -> None:
    assert len(shapes)
    with client(ELSEWHERE) as far:
        for name, token in keys.items():
            for headers in ({"X-API-Key": token}, {"Authorization": f"Bearer {token}"}) if token else ({},):
                there, nowhere = calls(far, "shapes", headers), calls(far, "nowhere", headers)
                for answer, other in zip(there, nowhere, strict=True):
                    assert answer.status_code == (403 if name == "other" else 401), (name, answer.text)
                    assert answer.content == other.content
                    assert answer.headers == other.headers


def test_a_key_is_compared_in_the_same_way_whatever_is_wrong_with_it(
    keys: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    compared: list[tuple[int, int]] = []

    def note(one: str, other: str) -> bool:
        compared.append((len(one), len(other)))
        return hmac_compare(one, other)

    hmac_compare = hmac.compare_digest
    monkeypatch.setattr("similarity.service.keys.hmac.compare_digest", note)
    ring = KeyRing()
    assert {name for name, token in keys.items() if ring.find(token)} == {"other"}
    assert compared == [(64, 64)] * len(keys), "each is hashed and compared once, in constant time"

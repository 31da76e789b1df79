"""Searches in several galleries at once over HTTP."""

import base64
from pathlib import Path
from typing import Any

import pytest
from starlette.testclient import TestClient

from similarity import Galleries, Gallery
from similarity.service.keys import add_key

SEARCH = "/api/v1/search"


def facts(answer: dict[str, Any]) -> list[tuple[Any, ...]]:
    return [(hit["rank"], hit["gallery"], hit["id"], hit["score"]) for hit in answer["hits"]]


@pytest.mark.usefixtures("two")
def test_the_answer_is_that_of_the_library(api: TestClient, shapes: Gallery) -> None:
    path = Path(shapes.items[0].path)
    sent = {"like": [{"base64": base64.b64encode(path.read_bytes()).decode()}], "k": 7, "min_score": 0.1}
    answer = api.post(SEARCH, json={**sent, "galleries": ["shop-rings", "shop-*"]})
    assert answer.status_code == 200, answer.text
    found = Galleries.open("shop-rings", "shop-dots").search(str(path), k=7, min_score=0.1)
    assert facts(answer.json()) == [(hit.rank, hit.gallery, hit.item.id, hit.score) for hit in found.located]
    assert answer.json()["galleries"] == ["shop-rings", "shop-dots"]
    assert {hit["gallery"] for hit in answer.json()["hits"]} == {"shop-rings", "shop-dots"}


@pytest.mark.usefixtures("two")
def test_an_item_of_one_gallery_conditions_and_pages_work_across_all(api: TestClient, two: list[Gallery]) -> None:
    sent = {"galleries": ["shop-*"], "like": [{"item": two[0].items[0].id}]}
    whole = api.post(SEARCH, json=sent).json()
    assert len(whole["hits"]) == 10
    pages = [api.post(SEARCH, json={**sent, "k": 5, "offset": offset}).json() for offset in (0, 5)]
    assert [hit for page in pages for hit in facts(page)] == facts(whole)
    rings = api.post(SEARCH, json={**sent, "where": ["label=rings"]}).json()
    assert {hit["label"] for hit in rings["hits"]} == {"rings"}


@pytest.mark.parametrize(
    ("sent", "status", "said"),
    [
        ({"galleries": []}, 422, "galleries"),
        ({}, 422, "galleries"),
        ({"galleries": ["other-*"]}, 404, "No gallery fits 'other-*'; there are: shop-dots, shop-rings."),
        ({"galleries": ["shop-dots", "nothing"]}, 404, "There is no gallery named nothing."),
        ({"galleries": ["shop-*"], "explain": True}, 422, "explain"),
        ({"galleries": ["shop-*"], "where": ["colour=red"]}, 422, "colour"),
        ({"galleries": ["../shop-dots"]}, 422, "cannot name a gallery"),
    ],
)
@pytest.mark.usefixtures("two")
def test_what_cannot_be_searched_is_a_problem(
    api: TestClient, shapes: Gallery, sent: dict[str, Any], status: int, said: str
) -> None:
    answer = api.post(SEARCH, json={"like": [{"item": shapes.items[0].id}], **sent})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    assert said in answer.text


def test_a_damaged_gallery_is_named_and_the_others_answer(api: TestClient, two: list[Gallery]) -> None:
    (two[1].directory / "CURRENT").write_text("?")
    answer = api.post(SEARCH, json={"galleries": ["shop-*"], "like": [{"item": two[0].items[0].id}]})
    assert answer.status_code == 200
    assert answer.json()["galleries"] == ["shop-dots"]
    assert [one["gallery"] for one in answer.json()["left_out"]] == ["shop-rings"]


@pytest.mark.usefixtures("two")
def test_a_key_opens_its_own_galleries_and_patterns_fit_no_others(far: TestClient, two: list[Gallery]) -> None:
    body = {"like": [{"item": two[0].items[0].id}]}
    key = {"X-API-Key": add_key("shop", ["shop-dots"])}
    assert far.post(SEARCH, json={**body, "galleries": ["shop-*"]}).status_code == 401
    fitting = far.post(SEARCH, json={**body, "galleries": ["shop-*"]}, headers=key)
    assert fitting.json()["galleries"] == ["shop-dots"]
    assert str(two[0].directory.parent) not in fitting.text
    assert {Path(hit["path"]).name for hit in fitting.json()["hits"]} == {hit["path"] for hit in fitting.json()["hits"]}
    refused = [
        far.post(SEARCH, json={**body, "galleries": names}, headers=key)
        for names in (["shop-rings"], ["shop-dots", "shop-rings"], ["nothing"])
    ]
    assert {answer.status_code for answer in refused} == {403}
    assert len({answer.text for answer in refused}) == 1
    nothing = far.post(SEARCH, json={**body, "galleries": ["*-rings"]}, headers=key)
    assert nothing.status_code == 404
    assert "shop-rings" not in nothing.text.replace("*-rings", "")

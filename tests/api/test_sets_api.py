"""Searches of sets, whose pictures are shared out among shards, over HTTP."""

import shutil

import pytest
from starlette.testclient import TestClient

from similarity import Gallery


@pytest.fixture
def whole(two: list[Gallery]) -> Gallery:
    """The gallery shop-dots as a set, beside shop-rings."""
    return two[0].rebalance(3)


def test_a_set_is_searched_and_listed_as_one_gallery(api: TestClient, whole: Gallery) -> None:
    listed = api.get("/api/v1/galleries").json()["galleries"]
    assert [(one["gallery"], one["count"]) for one in listed] == [("shop-dots", 5), ("shop-rings", 5)]
    sent = {"like": [{"item": whole.items[0].id}]}
    answer = api.post("/api/v1/galleries/shop-dots/search", json=sent)
    assert answer.status_code == 200, answer.text
    found = whole.search(whole.items[0].path)
    assert [hit["id"] for hit in answer.json()["hits"]] == [hit.item.id for hit in found]
    assert "missing_shards" not in answer.json()


def test_a_shard_that_is_gone_is_told_and_the_rest_answers(api: TestClient, whole: Gallery) -> None:
    shard = next(shard for shard in whole.manifest.shards if shard.place)
    shutil.rmtree(shard.folder(whole.directory))
    rest = Gallery.open(whole.directory)
    sent = {"like": [{"item": rest.items[0].id}]}
    one = api.post("/api/v1/galleries/shop-dots/search", json=sent).json()
    assert one["missing_shards"] == 1
    assert len(one["hits"]) == len(rest) < len(whole)
    several = api.post("/api/v1/search", json={**sent, "galleries": ["shop-*"]}).json()
    assert several["galleries"] == ["shop-dots", "shop-rings"]
    assert [left["gallery"] for left in several["left_out"]] == ["shop-dots"]
    assert "1 of its" in several["left_out"][0]["reason"]

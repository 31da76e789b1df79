"""What makes answers fast changes none of them: kept items, rows, results and calibrations are those of the gallery."""

import weakref
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from starlette.testclient import TestClient

from similarity import Gallery, ItemId
from similarity.api import searches
from similarity.api.answers import BatchFacts, SearchFacts
from similarity.api.problems import Problem
from similarity.cache import StateCache
from similarity.search.faiss.flat import AHEAD, FlatIndex
from similarity.service.turns import Turns
from similarity.storage import items as stored_items
from similarity.vectors.arrays import normalise
from similarity.vectors.memmap import StoredVectors, write_vectors

SEARCH = "/api/v1/galleries/shapes/search"


@pytest.mark.usefixtures("empty_home")
def test_a_result_in_the_cache_is_read_again_when_its_file_has_changed() -> None:
    cache = StateCache("some", "way1", most_bytes=1_000)
    read: list[object] = []

    def parse(value: object) -> object:
        read.append(value)
        return value

    assert cache.read("key", parse) is None
    cache.write("key", [1.5])
    assert [cache.read("key", parse), cache.read("key", parse)] == [[1.5], [1.5]]
    cache.write("key", [2.5, 3.5])
    assert cache.read("key", parse) == [2.5, 3.5]
    assert read == [[1.5], [2.5, 3.5]]
    cache.path("key").unlink()
    assert cache.read("key", parse) is None


def test_more_results_than_before_are_found_for_the_same_query(tmp_path: Path) -> None:
    vectors = normalise(np.random.default_rng(0).normal(size=(300, 16)).astype(np.float32))
    vectors[200:] = vectors[:100]  # equal scores, of which the lower rows are first
    write_vectors(tmp_path / "vectors.npy", vectors.shape, [vectors])
    index = FlatIndex.build(StoredVectors(tmp_path / "vectors.npy"))
    for row in range(0, 300, 7):
        query = vectors[row : row + 1]
        fresh = {k: FlatIndex.build(StoredVectors(tmp_path / "vectors.npy")).search(query, k) for k in (3, 300)}
        for k in (3, AHEAD + 5, 300, 3):
            scores, rows = index.search(query, k)
            assert rows[0].tolist() == fresh[300][1][0, :k].tolist()
            assert scores[0] == pytest.approx(fresh[300][0][0, :k], abs=1e-6)
        assert fresh[3][1].tolist() == index.search(query, 3)[1].tolist()


def test_items_are_the_same_whether_they_are_kept_or_read(shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    count = len(shapes)
    kept = [shapes.items.at([row, row, 0]) for row in range(count)]
    monkeypatch.setattr(stored_items, "FEW", 0)
    assert kept == [shapes.items.at([row, row, 0]) for row in range(count)]
    for row in range(count):
        item = shapes.items[row]
        assert {shapes.items.find(name) for name in (item.id, item.sha256, item.id)} == {row}
    assert shapes.items.find("nowhere") is shapes.items.find("nowhere") is None


def test_a_search_compares_with_all_pictures_once(shapes: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    opened = Gallery.open(shapes.directory)
    index = opened.index
    asked: list[int] = []
    search_all = FlatIndex._search_all

    def noting(self: FlatIndex, queries: np.ndarray, k: int) -> object:
        asked.append(k)
        return search_all(self, queries, k)

    monkeypatch.setattr(FlatIndex, "_search_all", noting)
    assert isinstance(index, FlatIndex)
    query = ItemId(opened.items[0].id)
    opened.search(query, 3)
    assert [hit.item.id for hit in opened.search(query, 9)][:3] == [hit.item.id for hit in opened.search(query, 3)]
    assert len(asked) == 1


def test_only_a_plain_search_of_a_gallery_that_was_searched_before_is_made_between_requests(
    shapes: Gallery, api: TestClient, monkeypatch: pytest.MonkeyPatch
) -> None:
    quick: list[bool] = []
    submit = Turns.submit

    def noting(self: Turns, *arguments: Any, **options: Any) -> Any:
        quick.append(options["quick"])
        return submit(self, *arguments, **options)

    monkeypatch.setattr(Turns, "submit", noting)
    monkeypatch.setattr(searches, "_searched", weakref.WeakSet())
    item = {"item": shapes.items[0].id}
    plain: dict[str, object] = {"like": [item], "unlike": [{"item": shapes.items[9].id}], "k": 5, "offset": 0}
    answers = [api.post(SEARCH, json=plain).json() for _ in range(2)]
    assert quick == [False, True]
    assert answers[0]["hits"] == answers[1]["hits"]
    label = str(shapes.items[0].label)
    for slow in (
        {"like": [{"vector": [1.0] * shapes.manifest.dim}]}, {"where": [f"label={label}"]}, {"k": 101}, {"offset": 3},
        {"sort": "width"}, {"distinct": True}, {"one_per_product": True}, {"copies": True}, {"explain": True},
    ):  # fmt: skip
        assert api.post(SEARCH, json=plain | slow).status_code == 200
    assert quick[2:] == [False] * 9
    assert api.post(SEARCH, json={"like": [{"item": "nosuch"}]}).status_code == 422
    assert quick[-1]


def test_answers_keep_to_their_models_though_they_are_sent_unchecked(api: TestClient, shapes: Gallery) -> None:
    item = shapes.items[0].id
    options: list[dict[str, object]] = [{}, {"explain": True}]
    searches = [{"like": [{"item": item}], "k": 2, **one} for one in [*options, {"where": ["nosuch=1"]}]]
    for body in searches[:-1]:
        answer = api.post("/api/v1/galleries/shapes/search", json=body).json()
        assert SearchFacts.model_validate(answer, strict=True).model_dump().keys() == answer.keys()
    batch = api.post("/api/v1/galleries/shapes/search/batch", json={"searches": searches}).json()
    found = BatchFacts.model_validate(batch).answers
    assert [type(one) for one in found] == [SearchFacts] * len(options) + [Problem]

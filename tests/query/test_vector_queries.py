"""Queries of vectors that were made elsewhere by the gallery's model."""

from pathlib import Path

import numpy as np
import pytest
from programs import client
from starlette.testclient import TestClient

from similarity import Examples, Gallery, ItemId, Vector
from similarity.errors import SearchError
from similarity.images.picture import Box
from similarity.query.inputs import Crop
from similarity.service.answers.answer import find_answer
from similarity.service.answers.request import SearchRequest
from similarity.shards.vector_files.model import ModelOptions
from similarity.shards.vector_files.to_gallery import index_vectors
from similarity.vectors.npy_files import read_vector

SEARCH = "/api/v1/galleries/shapes/search"


def ranked(hits: object) -> list[tuple[str, float]]:
    return [(hit.item.id, pytest.approx(hit.score, abs=1e-5)) for hit in hits]  # type: ignore[attr-defined, misc]


def test_the_embedding_of_a_picture_finds_what_the_picture_finds(shapes: Gallery) -> None:
    embedding, item = shapes.embeddings[3], shapes.items[3]
    expected = ranked(shapes.search(ItemId(item.id)))
    assert ranked(shapes.search(Vector(embedding))) == expected
    assert ranked(shapes.search(Vector((1e300 * embedding.astype(float)).tolist()))) == expected, "any length will do"
    mixed = Examples([Vector(embedding)], [Vector(shapes.embeddings[7])])
    assert ranked(shapes.search(mixed)) == [
        (hit.item.id, hit.score) for hit in shapes.search(Examples([ItemId(item.id)], [Vector(shapes.embeddings[7])]))
    ]


def test_neither_a_vector_nor_an_id_needs_the_model(shapes: Gallery) -> None:
    def refuse(*_: object) -> None:
        raise AssertionError("the model was loaded")

    gallery = Gallery.open(shapes.directory, load=refuse)  # type: ignore[arg-type]
    for query in (Vector(shapes.embeddings[0]), ItemId(shapes.items[0].id)):
        answer = find_answer(gallery, SearchRequest(Examples([query]), "q"))
        assert answer.hits[0].item.id == shapes.items[0].id


@pytest.mark.parametrize(
    ("values", "sentence"),
    [
        ([1.0, 2.0], "has 2 numbers, and those of the gallery have 1,280"),
        (1.0, "has no numbers"),
        (np.ones((1, 1280)), "has 1 × 1,280 numbers"),
        (np.zeros(1280), "is all zeros"),
        (np.full(1280, np.nan), "not finite"),
        (np.full(1280, np.inf), "not finite"),
        (["a"] * 1280, "not numbers"),
        ([[1.0], [1.0, 2.0]], "not numbers"),
    ],
)
def test_what_is_no_vector_of_the_gallery_is_refused_in_a_sentence(
    shapes: Gallery, values: object, sentence: str
) -> None:
    with pytest.raises(SearchError, match=sentence):
        shapes.search(Vector(values))  # type: ignore[arg-type]


def test_a_vector_has_no_pixels(shapes: Gallery) -> None:
    stranger = Vector(np.eye(1, 1280, 5)[0])
    with pytest.raises(SearchError, match="Only a part of a picture"):
        shapes.search(Crop(stranger, Box(0, 0, 0.5, 1)))  # type: ignore[arg-type]
    for options in ({"turned": True}, {"copies": True}):
        with pytest.raises(SearchError, match="A vector has no pixels"):
            find_answer(shapes, SearchRequest(Examples([stranger]), "q", **options))  # type: ignore[arg-type]
    with pytest.raises(SearchError, match="Words and vectors have no regions"):
        find_answer(shapes, SearchRequest(Examples([stranger]), "q", explain=True))
    assert find_answer(shapes, SearchRequest(Examples([stranger]), "q")).hits, "though it looks like nothing here"


def test_a_vector_in_a_file_is_read_and_several_are_refused(tmp_path: Path, shapes: Gallery) -> None:
    one, many = tmp_path / "one.npy", tmp_path / "many.npy"
    np.save(one, shapes.embeddings[0].astype(np.float64)[np.newaxis])
    np.save(many, shapes.embeddings[:3])
    np.testing.assert_array_equal(read_vector(one), shapes.embeddings[0])
    with pytest.raises(SearchError, match="has 3 vectors"):
        read_vector(many)
    with pytest.raises(SearchError, match="is not a file"):
        read_vector(tmp_path / "none.npy")


def test_the_api_takes_a_vector_as_the_library_does(api: TestClient, shapes: Gallery) -> None:
    values = shapes.embeddings[2].tolist()
    answer = api.post(SEARCH, json={"like": [{"vector": values}], "k": 4})
    assert answer.status_code == 200, answer.text
    found = [(hit["id"], hit["score"]) for hit in answer.json()["hits"]]
    assert found == ranked(shapes.search(Vector(values), k=4))
    assert answer.json()["query"] == "Vector"


@pytest.mark.parametrize(
    ("part", "status"),
    [
        ('{"vector": [1, 2]}', 422),
        ('{"vector": []}', 422),
        ('{"vector": [NaN]}', 422),
        ('{"vector": ["x"]}', 422),
        ('{"vector": [1], "item": "a"}', 422),
        ('{"vector": [1], "box": [0, 0, 1, 1]}', 422),
        ('{"vector": [' + "1," * 60_000 + "1]}", 413),
    ],
)
def test_the_api_refuses_a_wrong_vector(api: TestClient, part: str, status: int) -> None:
    answer = api.post(SEARCH, content='{"like": [' + part + "]}", headers={"content-type": "application/json"})
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"


def test_the_api_answers_for_vectors_without_a_model_and_refuses_a_picture_as_a_problem(
    shapes: Gallery, pictures: Path, empty_home: Path
) -> None:
    lines = [f"{item.id},{item.label}" for item in shapes.items]
    np.save(empty_home / "v.npy", shapes.embeddings[:])
    (empty_home / "v.csv").write_text("\n".join(["id,label", *lines]))
    index_vectors(empty_home / "v.npy", empty_home / "galleries" / "alone", ModelOptions("none"))
    place = "/api/v1/galleries/alone"
    with client() as api:
        found = api.post(f"{place}/search", json={"like": [{"item": shapes.items[0].id}], "k": 3})
        assert [hit["id"] for hit in found.json()["hits"]] == [
            hit.item.id for hit in shapes.search(ItemId(shapes.items[0].id), k=3)
        ]
        picture = (pictures / "dots" / "dots-0.jpg").read_bytes()
        refused = api.post(f"{place}/search", files={"file": ("a.jpg", picture)})
        assert (refused.status_code, "without a model" in refused.json()["detail"]) == (422, True)
        assert api.post(f"{place}/embed", files={"file": ("a.jpg", picture)}).status_code == 422
        assert api.get(f"{place}/items/{shapes.items[0].id}/thumbnail").status_code == 200
        assert api.get(place).json()["model"] == "none"

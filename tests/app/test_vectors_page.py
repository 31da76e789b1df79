"""A gallery of vectors without a model, and without files of pictures, on the pages."""

from pathlib import Path

import numpy as np
import pytest
from pages import errors, open_app, ranking, texts

from similarity import Gallery
from similarity.shards.vector_files.model import ModelOptions
from similarity.shards.vector_files.to_gallery import index_vectors


@pytest.fixture
def alone(shapes: Gallery, empty_home: Path) -> Path:
    """The vectors of `shapes` as the gallery `alone`."""
    lines = [f"{item.id},{item.label}" for item in shapes.items]
    np.save(empty_home / "v.npy", shapes.embeddings[:])
    (empty_home / "v.csv").write_text("\n".join(["id,label", *lines]))
    index_vectors(empty_home / "v.npy", empty_home / "galleries" / "alone", ModelOptions("none"))
    return empty_home


def test_one_of_its_pictures_is_searched_with_and_words_are_refused_in_a_sentence(alone: Path) -> None:
    assert alone.is_dir()
    found = open_app(gallery="alone", like="item:dots/dots-0.jpg").run()
    assert not found.exception
    assert ranking(found)[0]["name"] == "dots/dots-0.jpg"
    assert "Vectors without a model" in texts(found)
    assert not errors(found)
    refused = open_app(gallery="alone", like="text:dots").run()
    assert not refused.exception
    assert "has vectors without a model" in errors(refused)
    assert not ranking(refused)

"""How many pictures the benchmark of objects reads in search of scenes."""

import random
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL
from scenes import draw_scene

from similarity import Gallery
from similarity.bench import objects
from similarity.errors import ImageError


@pytest.fixture
def busy(tmp_path: Path) -> Gallery:
    """A gallery without a plain backdrop."""
    for number in range(4):
        draw_scene(number, (200, 250)).save(tmp_path / f"{number}.jpg")
    return Gallery.build(tmp_path, tmp_path / "gallery", model=MODEL)


@pytest.fixture
def read(monkeypatch: pytest.MonkeyPatch) -> list[Any]:
    """The pictures that were read; the patience is that for 12."""
    items: list[Any] = []
    real = objects.read_original
    monkeypatch.setattr(objects, "PATIENCE", 12)
    monkeypatch.setattr(objects, "read_original", lambda item: items.append(item) or real(item))
    return items


def test_the_search_for_plain_backdrops_ends_after_a_number_of_pictures_whatever_the_gallery(
    busy: Gallery, read: list[Any]
) -> None:
    assert list(objects._scenes(busy, random.Random(0))) == []
    assert len(read) == 13


def test_pictures_that_cannot_be_read_are_given_up(
    busy: Gallery, read: list[Any], monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(item: Any) -> None:
        read.append(item)
        raise ImageError(item.path, "it is gone")

    monkeypatch.setattr(objects, "read_original", fail)
    assert list(objects._rows(busy, random.Random(0))) == []
    assert len(read) == 12

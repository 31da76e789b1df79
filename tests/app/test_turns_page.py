"""The switch "Try it turned" of the search page, and what it says of turns, driven without a browser."""

import shutil
from pathlib import Path

import pytest
from pages import address, open_app, ranking
from PIL import Image
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.sample import sample_queries

LYING = "Turned by 90° to the left"
AS_IT_IS = "As it is, it looks most like these."


@pytest.fixture(autouse=True)
def catalogue(
    sample: Gallery,
    bundled: None,  # noqa: ARG001
    empty_home: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The sample gallery, and two sample queries: a lamp that lies on its side, and one upright."""
    shutil.copytree(sample.directory, empty_home / "galleries" / "sample")
    [path] = [item.path for item in sample_queries() if item.id == "lamp-02-q"]
    with Image.open(path) as image:
        upright = image.convert("RGB")
    upright.save(tmp_path / "upright.png")
    upright.transpose(Image.Transpose.ROTATE_270).save(tmp_path / "lying.png")
    (tmp_path / "queries.csv").write_text("id,path,label\nlying,lying.png,lamp\nupright,upright.png,lamp\n")
    monkeypatch.setattr("similarity.sample.FOLDER", tmp_path)


def opened(**address: str | list[str]) -> AppTest:
    page = open_app(gallery="sample", **address).run()
    assert not page.exception
    return page


def said(page: AppTest) -> list[str]:
    """What the page says of turns."""
    lines = [str(line.value).split(": ", 1)[-1] for line in page.markdown]
    return [line for line in lines if line.startswith(("Turned", "As it is"))]


def test_a_picture_that_looks_like_nothing_as_it_lies_is_turned_and_can_be_searched_as_it_is() -> None:
    page = opened(like="sample:lying")
    assert said(page) == [LYING]
    assert not page.warning
    assert ranking(page)[0]["label"] == "lamp"
    assert "turned" not in address(page)
    page.button(key="search-as-it-is").click().run()
    assert address(page)["turned"] == ["0"]
    assert said(page) == []
    assert "Nothing like it in this gallery" in page.warning[0].value
    assert page.toggle(key="turned").value is False
    page.toggle(key="turned").set_value(True).run()
    assert address(page)["turned"] == ["1"]
    assert said(page) == [LYING]


@pytest.mark.exhaustive
def test_a_picture_that_belongs_is_turned_only_with_the_switch_and_a_new_picture_starts_anew() -> None:
    page = opened(like="sample:upright")
    assert said(page) == []
    page.toggle(key="turned").set_value(True).run()
    assert said(page) == [AS_IT_IS]
    page = opened(like="sample:upright", turned="1")
    next(button for button in page.button if button.label == "Start over").click().run()
    assert "turned" not in address(page)


@pytest.mark.exhaustive
def test_a_part_of_a_picture_and_one_of_several_examples_are_turned_too() -> None:
    assert said(opened(like="sample:lying@5,5,95,95")) == [LYING]
    page = opened(like=["sample:lying", "sample:upright"], turned="1")
    assert said(page) == [LYING]
    assert ranking(page)[0]["label"] == "lamp"

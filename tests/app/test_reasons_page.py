"""The closer look at a result when it is asked why that is similar, driven without a browser."""

from pathlib import Path

import pytest
from pages import components, errors, open_app, texts
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.search import explanation
from similarity.app.search.query_parts import Example
from similarity.app.shell.parameters import ITEM, TEXT, Part


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    """A gallery of one's own pictures."""
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model="efficientnet-lite2")


def ask_why(item_id: str, *like: str) -> AppTest:
    """The closer look at a picture, with the switch on; `like` are the query's pictures."""
    page = open_app(gallery="mine", like=list(like) or ["item:rings/rings-1.jpg"]).run()
    page.query_params["open"] = item_id
    page.session_state[explanation.VIEW] = explanation.WHY
    return page.run()


def test_nothing_is_computed_until_it_is_asked_for(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    asked: list[str] = []
    monkeypatch.setattr(Gallery, "explain", lambda _, __, item_id, **___: asked.append(item_id))
    page = open_app(gallery="mine", like="item:rings/rings-1.jpg").run()
    page.query_params["open"] = "dots/dots-1.jpg"
    page.run()
    assert not page.exception
    assert asked == []
    assert components(page, "similarity_lightbox")[0]["view"] == "side"


def test_what_a_score_is_made_of_is_said(mine: Gallery) -> None:  # noqa: ARG001
    page = ask_why("rings/rings-2.jpg")
    assert not page.exception
    assert "comes from the two pictures themselves. The model" in texts(page)


def test_a_picture_that_is_gone_or_another_one_now_is_said_to_be(mine: Gallery) -> None:
    Path(mine.find("dots/dots-1.jpg").path).write_bytes(Path(mine.find("rings/rings-3.jpg").path).read_bytes())
    page = ask_why("dots/dots-1.jpg")
    assert "has changed since it was indexed" in errors(page)
    Path(mine.find("dots/dots-1.jpg").path).unlink()
    page = ask_why("dots/dots-1.jpg")
    assert not page.exception
    assert "The file of this picture is gone, so it cannot be said why it is similar." in texts(page)


def test_several_examples_are_said_to_be_compared_by_the_first(mine: Gallery) -> None:  # noqa: ARG001
    page = ask_why("rings/rings-3.jpg", "item:rings/rings-1.jpg", "item:dots/dots-1.jpg")
    assert not page.exception
    assert "Compared with the first picture of your query alone, the score is" in texts(page)


def test_words_have_no_regions_to_compare(mine: Gallery) -> None:
    words = Example(Part(TEXT, "red shoes"), "red shoes", b"", mine.vectors[0])
    assert not explanation.can_compare([words])
    assert explanation.can_compare([Example(Part(ITEM, "1.jpg"), "1.jpg", b"", mine.vectors[0])])

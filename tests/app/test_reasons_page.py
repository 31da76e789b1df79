"""The closer look at a result when it is asked why that is similar, driven without a browser."""

from pathlib import Path

import pytest
from pages import errors, open_app, texts
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.search import detail, explanation
from similarity.app.search.query_parts import Example


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    """A gallery of one's own pictures."""
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model="efficientnet-lite2")


def ask_why(item_id: str, *like: str) -> AppTest:
    """The closer look at a picture, with the switch on; `like` are the query's pictures."""
    page = open_app(gallery="mine", like=list(like) or ["item:rings/rings-1.jpg"]).run()
    page.session_state[detail.LOOKED_AT], page.session_state[detail.IS_OPEN] = item_id, True
    page.session_state[explanation.SWITCH] = True
    return page.run()


def test_nothing_is_computed_until_it_is_asked_for(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:  # noqa: ARG001
    asked: list[str] = []
    monkeypatch.setattr(Gallery, "explain", lambda _, __, item_id, **___: asked.append(item_id))
    page = open_app(gallery="mine", like="item:rings/rings-1.jpg").run()
    page.session_state[detail.LOOKED_AT], page.session_state[detail.IS_OPEN] = "dots/dots-1.jpg", True
    page.run()
    assert not page.exception
    assert asked == []
    assert next(one for one in page.toggle if one.label == "Why is it similar?").value is False


def test_what_a_score_is_made_of_is_said(mine: Gallery) -> None:  # noqa: ARG001
    page = ask_why("rings/rings-2.jpg")
    assert not page.exception
    assert "all of it from the two pictures themselves" in texts(page)
    assert "The warmer a region, the more it adds to the score" in texts(page)


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
    assert "this compares its first picture with the result" in texts(page)


def test_words_are_said_to_have_no_regions(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    from similarity.app.shell.links import TEXT, Part

    said: list[str] = []
    monkeypatch.setattr(explanation.st, "session_state", {explanation.SWITCH: True})
    monkeypatch.setattr(explanation.st, "info", lambda text, **_: said.append(text))
    words = Example(Part(TEXT, "red shoes"), "red shoes", b"", mine.vectors[0])
    assert not explanation.show_if_on(mine, mine.items[0], [words], "Rank 1")
    assert "Words have no regions" in said[0]

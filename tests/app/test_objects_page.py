"""Objects in the query's picture on the search page, driven without a browser.

The light network of the tests sees texture only, so the boxes are given here; those of the bundled model are tested in
`query/test_objects.py`, and on the page in the browser.
"""

from collections.abc import Iterator
from typing import Any

import pytest
from pages import components, open_app, ranking, texts
from streamlit.testing.v1 import AppTest

from similarity.app.serving import query_objects
from similarity.errors import ModelError
from similarity.images.picture import Box

BOXES = [Box(0.1, 0.1, 0.5, 0.6), Box(0.5, 0.2, 0.9, 0.9)]
QUERY = "item:dots/dots-0.jpg"


@pytest.fixture(autouse=True)
def forgotten() -> Iterator[None]:
    """Boxes that a test gives are not those of another test."""
    query_objects.find.clear()
    yield
    query_objects.find.clear()


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> list[Box]:
    """What is found in any picture; a test may change it."""
    boxes = list(BOXES)
    monkeypatch.setattr("similarity.query.objects.find_objects", lambda *_: list(boxes))
    return boxes


def chips(page: AppTest) -> dict[str, Any] | None:
    return next(iter(components(page, "similarity_chips")), None)


@pytest.mark.usefixtures("shapes", "found")
def test_each_object_has_a_chip_and_the_one_searched_with_is_marked() -> None:
    whole = open_app(like=QUERY).run()
    drawn = chips(whole)
    assert drawn is not None
    assert [chip["name"] for chip in drawn["chips"]] == [
        "The whole picture", "Object 1 of 2", "Object 2 of 2", "Each object",
    ]  # fmt: skip
    assert all(chip["src"].startswith("data:image/jpeg;base64,") for chip in drawn["chips"][:3])
    assert drawn["chosen"] == 0
    part = chips(open_app(like=f"{QUERY}@50,20,90,90").run())
    assert part is not None
    assert part["chosen"] == 2
    other = chips(open_app(like=f"{QUERY}@0,0,20,20").run())
    assert other is not None
    assert other["chosen"] is None, "a rectangle that was dragged is none of them"


@pytest.mark.usefixtures("shapes", "found")
def test_each_object_has_a_row_of_results_if_that_is_chosen() -> None:
    page = open_app(like=QUERY, objects="1").run()
    assert not page.exception
    drawn = chips(page)
    assert drawn is not None
    assert drawn["chosen"] == 3
    assert "2 objects" in texts(page)
    rows = [data for data in components(page, "similarity_tiles") if data["small"]]
    assert [len(row["tiles"]) for row in rows] == [10, 10]
    page.button(key="open-object-2").click().run()
    assert page.query_params["like"] == [f"{QUERY}@50,20,90,90"] or page.query_params["like"] == f"{QUERY}@50,20,90,90"
    assert "objects" not in page.query_params
    assert [tile["rank"] for tile in ranking(page)][:2] == ["1", "2"]


@pytest.mark.usefixtures("shapes")
def test_a_picture_without_objects_has_no_chips_and_shows_its_results(found: list[Box]) -> None:
    found.clear()
    page = open_app(like=QUERY, objects="1").run()
    assert chips(page) is None
    assert len(ranking(page)) >= 10


@pytest.mark.usefixtures("shapes", "found")
def test_several_pictures_are_not_grouped_by_the_objects_of_one() -> None:
    page = open_app(like=[QUERY, "item:rings/rings-0.jpg@0,0,50,50"], objects="1").run()
    drawn = chips(page)
    assert drawn is not None
    assert [chip["name"] for chip in drawn["chips"]] == ["The whole picture", "Object 1 of 2", "Object 2 of 2"]
    assert len(ranking(page)) >= 10


@pytest.mark.usefixtures("shapes", "found")
def test_a_mark_on_a_result_leaves_the_choice_of_each_object() -> None:
    page = open_app(**{"like": [QUERY, "item:rings/rings-0.jpg"], "not": "item:rings/rings-1.jpg"}).run()
    drawn = chips(page)
    assert drawn is not None
    assert drawn["chips"][-1]["name"] == "Each object"
    assert len(ranking(page)) >= 10


@pytest.mark.usefixtures("shapes")
def test_a_model_that_cannot_tell_objects_leaves_the_page_as_it_was(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> list[Box]:
        raise ModelError("This network has no feature map.")

    monkeypatch.setattr("similarity.query.objects.find_objects", fail)
    page = open_app(like=QUERY).run()
    assert chips(page) is None
    assert not page.error
    assert len(ranking(page)) >= 10


@pytest.mark.usefixtures("shapes")
def test_objects_are_found_once_for_a_picture(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[object] = []
    monkeypatch.setattr("similarity.query.objects.find_objects", lambda *_: asked.append(1) or BOXES)
    page = open_app(like=QUERY).run()
    page.run()
    page.query_params["like"] = f"{QUERY}@50,20,90,90"
    page.run()
    assert len(asked) == 1

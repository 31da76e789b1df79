"""The page of all galleries, driven without a browser."""

import pytest
from pages import address, draw_alone, errors, texts, tiles
from streamlit.testing.v1 import AppTest

from similarity import Galleries, Gallery


def _page() -> None:
    from similarity.app.everywhere import page

    page.show()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    return draw_alone(_page, monkeypatch)


def ask(page: AppTest, **parameters: str) -> None:
    for name, value in parameters.items():
        page.query_params[name] = value


def test_results_of_all_galleries_are_one_list_that_names_them(page: AppTest, two: list[Gallery]) -> None:
    ask(page, gallery="shop-dots", like=f"item:{two[0].items[0].id}")
    page.run()
    assert not errors(page)
    drawn = tiles(page)
    expected = Galleries.open("shop-dots", "shop-rings").search(two[0].items[0].path, k=60)
    assert [(tile["note"], tile["rank"]) for tile in drawn] == [
        (hit.gallery, str(hit.rank)) for hit in expected.located
    ]
    assert [tile["score"] for tile in drawn] == pytest.approx([hit.score for hit in expected], abs=1e-4)
    assert "10 results of 2 galleries" in texts(page)


def test_a_damaged_gallery_is_named_and_the_others_answer(page: AppTest, two: list[Gallery]) -> None:
    (two[1].directory / "CURRENT").write_text("?")
    ask(page, gallery="shop-dots", like=f"item:{two[0].items[0].id}")
    page.run()
    assert {tile["note"] for tile in tiles(page)} == {"shop-dots"}
    assert "shop-rings is left out" in texts(page)


def test_galleries_that_are_named_in_the_address_are_searched_and_no_others(page: AppTest, two: list[Gallery]) -> None:
    ask(page, gallery="shop-rings", against="shop-rings", like=f"item:{two[1].items[0].id}")
    page.run()
    assert {tile["note"] for tile in tiles(page)} == {"shop-rings"}
    assert address(page)["gallery"] == ["shop-rings"]


def test_one_gallery_alone_can_be_chosen(page: AppTest, two: list[Gallery]) -> None:
    ask(page, gallery="shop-dots", like=f"item:{two[0].items[0].id}")
    page.run()
    page.multiselect[0].set_value(["shop-dots"]).run()
    assert {tile["note"] for tile in tiles(page)} == {"shop-dots"}


@pytest.mark.usefixtures("two")
def test_without_a_query_there_is_a_place_for_a_picture_and_pictures_to_start_from(page: AppTest) -> None:
    page.run()
    assert not errors(page)
    assert "The pictures of this gallery" in texts(page)

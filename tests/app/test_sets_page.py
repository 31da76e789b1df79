"""Pages of a set, whose pictures are shared out among shards, driven without a browser."""

import shutil

import pytest
from pages import draw_alone, errors, texts, tiles
from streamlit.testing.v1 import AppTest

from similarity import Gallery


def _page() -> None:
    from similarity.app.everywhere import page

    page.show()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    return draw_alone(_page, monkeypatch)


def test_a_set_is_one_gallery_everywhere(page: AppTest, two: list[Gallery]) -> None:
    before = two[0].search(two[0].items[0].path, k=60)
    two[0].rebalance(3)
    page.query_params["gallery"] = "shop-dots"
    page.query_params["like"] = f"item:{two[0].items[0].id}"
    page.run()
    assert not errors(page)
    assert page.multiselect[0].options == ["shop-dots", "shop-rings"]
    drawn = {tile["id"]: tile for tile in tiles(page) if tile["note"] == "shop-dots"}
    assert len(drawn) == len(before)
    assert "is not whole" not in texts(page)


def test_a_shard_that_is_gone_is_one_warning_without_its_path(page: AppTest, two: list[Gallery]) -> None:
    whole = two[0].rebalance(3)
    shard = next(shard for shard in whole.manifest.shards if shard.place)
    shutil.rmtree(shard.folder(whole.directory))
    rest = Gallery.open(whole.directory)
    page.query_params["gallery"] = "shop-dots"
    page.query_params["like"] = f"item:{rest.items[0].id}"
    page.run()
    assert not errors(page)
    assert texts(page).count("is not whole") == 1
    assert str(whole.directory) not in texts(page)
    assert sum(tile["note"] == "shop-dots" for tile in tiles(page)) == len(rest) < len(whole)

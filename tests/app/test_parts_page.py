"""Parts of pictures on the search page: the switch, what is found with it, and the words in a closer look."""

from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL, draw
from pages import address, open_app, ranking, texts
from PIL import Image

from similarity import Gallery


@pytest.fixture
def folder(empty_home: Path, own_pictures: Path) -> Path:  # noqa: ARG001
    """Pictures, and a scene that has one of them on the right."""
    canvas, thing = Image.new("RGB", (600, 600), (200, 200, 200)), draw("stripes", 9)
    thing.save(own_pictures / "thing.png")
    canvas.paste(draw("stripes", 0).resize((270, 360)), (0, 120))
    canvas.paste(thing.resize((270, 360)), (330, 120))
    canvas.save(own_pictures / "scene.png")
    return own_pictures


def scores(tiles: Sequence[dict[str, Any]]) -> dict[str, float]:
    return {tile["name"]: tile["score"] for tile in tiles}


def test_the_switch_searches_in_parts_and_stands_in_the_address(folder: Path, empty_home: Path) -> None:
    Gallery.build(folder, empty_home / "galleries" / "scenes", model=MODEL, parts=True)
    page = open_app(gallery="scenes", copies="0", like="item:thing.png", k="20").run()
    before = scores(ranking(page))
    page.toggle(key="parts").set_value(True).run()
    assert not page.exception
    assert address(page)["parts"] == ["1"]
    after = scores(ranking(page))
    assert after["scene.png"] > before.get("scene.png", 0)
    page.query_params["open"] = "scene.png"
    page.run()
    assert not page.exception
    assert "The outline shows the part" in texts(page)
    page.toggle(key="parts").set_value(False).run()
    assert "parts" not in address(page)
    assert scores(ranking(page)) == before
    page.toggle(key="parts").set_value(True).run()
    page.button(key="clear-filters").click().run()
    assert "parts" not in address(page)


def test_a_gallery_without_parts_has_no_switch_and_a_link_with_it_still_works(folder: Path, empty_home: Path) -> None:
    Gallery.build(folder, empty_home / "galleries" / "scenes", model=MODEL)
    page = open_app(gallery="scenes", copies="0", like="item:thing.png", parts="1").run()
    assert not page.exception
    assert ranking(page)[0]["name"] == "thing.png"
    assert "parts" not in [toggle.key for toggle in page.toggle]

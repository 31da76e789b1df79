"""A gallery that can tell how sure its results are: pictures of six kinds, which any network tells apart.

In the exhaustive tier the same is asked of the sample gallery, with the bundled model. Both have lamps, shoes and vases
among the labels, eight lamps or more, a column `product`, and a query `lamp-02-q` that is in neither.
"""

from pathlib import Path

import pytest
from PIL import Image, ImageDraw

from similarity import Gallery
from similarity.sample import FOLDER

KINDS = {
    "lamp": ("rings", 0),
    "shoe": ("stripes", 0),
    "vase": ("dots", 0),
    "mug": ("rings", 1),
    "bag": ("stripes", 1),
    "bowl": ("dots", 1),
}
OF_EACH = 8


def draw_product(kind: str, number: int) -> Image.Image:
    """The picture of a kind, with a spot at a place of its own."""
    from conftest import draw

    image = draw(*KINDS[kind])
    x, y = 40 + number % 3 * 60, 40 + number // 3 * 60
    ImageDraw.Draw(image).ellipse((x, y, x + 30, y + 30), fill=(120, 90, 60))
    return image


@pytest.fixture(scope="session", params=["drawn", pytest.param("sample", marks=pytest.mark.exhaustive)])
def sure_sample(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[Gallery, Path]:
    """The gallery, and the folder with its catalogue and its queries."""
    if request.param == "sample":
        return request.getfixturevalue("sample"), FOLDER
    folder = tmp_path_factory.mktemp("sure")
    rows = ["id,path,label,product"]
    for kind in KINDS:
        for number in range(OF_EACH):
            draw_product(kind, number).save(folder / f"{kind}-{number}.jpg")
            rows.append(f"{kind}-{number},{kind}-{number}.jpg,{kind},{kind}-{number // 2}")
    draw_product("lamp", OF_EACH).save(folder / "query.jpg")
    (folder / "queries.csv").write_text("\n".join([rows[0], "lamp-02-q,query.jpg,lamp,lamp-9"]) + "\n")
    (folder / "products.csv").write_text("\n".join(rows) + "\n")
    return Gallery.build(folder / "products.csv", folder / "gallery", model="efficientnet-lite2"), folder


@pytest.fixture
def sure(sure_sample: tuple[Gallery, Path], empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Gallery:  # noqa: ARG001
    """The gallery, read only, in a home that has learned nothing of it yet; sample queries are its own."""
    gallery, folder = sure_sample
    monkeypatch.setattr("similarity.sample.FOLDER", folder)
    return gallery

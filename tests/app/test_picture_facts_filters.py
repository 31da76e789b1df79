"""Filters by what pictures know of themselves, and results in the order of it."""

import datetime
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL
from pages import address, errors, open_app, ranking
from PIL import ExifTags, Image
from streamlit.testing.v1 import AppTest

from similarity import Gallery

YEARS = (2021, 2024, 2022, 2023)


def names(page: AppTest) -> list[str]:
    return [tile["name"] for tile in ranking(page)]


def button(page: AppTest, label: str):  # type: ignore[no-untyped-def]
    return next(one for one in page.button if one.label == label)


@pytest.fixture
def taken(tmp_path: Path, empty_home: Path) -> Gallery:
    """A gallery of a picture of each year, with its place."""
    (tmp_path / "taken").mkdir()
    for number, year in enumerate(YEARS):
        exif = Image.Exif()
        exif.get_ifd(ExifTags.IFD.Exif)[ExifTags.Base.DateTimeOriginal] = f"{year}:05:03 14:22:10"
        place = {1: "N", 2: (48.0 + number, 0.0, 0.0), 3: "E", 4: (11.0, 30.0, 0.0)}
        exif.get_ifd(ExifTags.IFD.GPSInfo).update(place)
        pixels = np.random.default_rng(number).integers(0, 256, (40, 50 + 10 * number, 3), np.uint8)
        Image.fromarray(pixels).save(tmp_path / "taken" / f"{year}.jpg", exif=exif)
    return Gallery.build(tmp_path / "taken", empty_home / "galleries" / "taken", model=MODEL, gps=True)


@pytest.mark.usefixtures("taken")
def test_a_span_of_dates_or_sizes_is_chosen_and_is_in_the_address() -> None:
    page = open_app(gallery="taken", like="item:2021.jpg").run()
    assert not page.exception
    assert set(names(page)) == {f"{year}.jpg" for year in YEARS}
    assert [field.label for field in page.date_input] == ["Taken from", "Taken to"]
    assert button(page, "Clear all filters").disabled, "it has its place, so that the menu never grows"
    page.date_input(key="where.taken>=").set_value(datetime.date(2022, 1, 1)).run()
    assert address(page)["where.taken>="] == ["2022-01-01"]
    assert set(names(page)) == {"2022.jpg", "2023.jpg", "2024.jpg"}
    page.number_input(key="where.width<=").set_value(70).run()
    assert address(page)["where.width<="] == ["70"]
    assert set(names(page)) == {"2024.jpg", "2022.jpg"}
    assert not button(page, "Clear all filters").disabled
    button(page, "Clear all filters").click().run()
    assert not [name for name in address(page) if name.startswith("where.")]


@pytest.mark.usefixtures("taken")
def test_an_address_may_be_less_precise_and_is_shown_as_the_days_that_it_means() -> None:
    page = open_app(**{"gallery": "taken", "like": "item:2021.jpg", "where.taken<=": "2022-05"}).run()
    assert set(names(page)) == {"2021.jpg", "2022.jpg"}
    assert page.date_input(key="where.taken<=").value == datetime.date(2022, 5, 31)
    odd = open_app(**{"gallery": "taken", "like": "item:2021.jpg", "where.taken>=": "tomorrow"}).run()
    assert not odd.exception
    assert odd.date_input(key="where.taken>=").value is None


@pytest.mark.usefixtures("taken")
def test_results_are_in_the_order_that_was_chosen() -> None:
    page = open_app(gallery="taken", like="item:2021.jpg").run()
    assert "-latitude" not in page.selectbox(key="sort").options
    page.selectbox(key="sort").set_value("-taken").run()
    assert address(page)["sort"] == ["-taken"]
    assert names(page) == ["2024.jpg", "2023.jpg", "2022.jpg", "2021.jpg"]
    wrong = open_app(gallery="taken", like="item:2021.jpg", sort="colour").run()
    assert "No picture of the gallery has a 'colour'" in errors(wrong)
    button(wrong, "Clear all filters").click().run()
    assert len(names(wrong)) == 4


@pytest.mark.usefixtures("taken")
def test_pictures_to_start_from_are_filtered_too() -> None:
    page = open_app(**{"gallery": "taken", "where.taken>=": "2023"}).run()
    assert not page.exception
    assert "**2 pictures**" in [text.value for text in page.markdown]


@pytest.mark.usefixtures("taken")
def test_where_a_picture_was_taken_is_no_business_of_a_visitor(monkeypatch: pytest.MonkeyPatch) -> None:
    asked = {"gallery": "taken", "like": "item:2021.jpg", "where.latitude>": "49"}
    assert set(names(open_app(**asked).run())) == {"2022.jpg", "2023.jpg"}
    monkeypatch.setenv("SIMILARITY_MANAGE", "nobody")
    assert "No picture of the gallery has a 'latitude': choose from" in errors(open_app(**asked).run())

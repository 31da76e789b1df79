"""Sheets of the map's pictures: what is on them, and who gets them."""

import io
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL
from pages import forget
from PIL import Image
from starlette.applications import Starlette
from starlette.testclient import TestClient

from similarity import Gallery
from similarity.app.map import background, layout, sheet_routes, sheets
from similarity.app.serving import hashed_files
from similarity.indexing.relabelling import give_labels
from similarity.progress import Progress


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    forget()
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


def make(gallery: Gallery) -> sheets.Sheets:
    return background.shared_sheet_maker().start_sheets(gallery).result.result(20)


def test_each_picture_is_in_its_cell_of_a_sheet_in_its_own_proportions(mine: Gallery) -> None:
    told: list[Progress] = []
    made = sheets.make_sheets(mine, layout.shown_rows(len(mine)), told.append)
    (file,) = made.files
    with Image.open(io.BytesIO(file)) as opened:
        sheet = opened.convert("RGB")
    assert sheet.size == (sheets.SHEET, sheets.CELL), "one line of cells is enough"
    assert made.sizes.max(axis=1).tolist() == [sheets.CELL] * len(mine)
    for place, item in enumerate(mine.items):
        width, height = made.sizes[place].tolist()
        with Image.open(io.BytesIO(mine.thumbnail(item))) as thumbnail:
            assert width / height == pytest.approx(thumbnail.width / thumbnail.height, rel=0.05)
            wanted = np.asarray(thumbnail.convert("RGB").resize((width, height)), np.float32)
        left = sheets.CELL * place
        drawn = np.asarray(sheet.crop((left, 0, left + width, height)), np.float32)
        assert np.abs(drawn - wanted).mean() < 20, item.id
    assert (told[-1].done, told[-1].total) == (15, 15)


def test_more_pictures_than_a_sheet_has_cells_are_on_several(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sheets, "ON_SHEET", 4)
    made = sheets.make_sheets(mine, layout.shown_rows(len(mine)))
    assert len(made.files) == len(set(made.names)) == 4


def test_a_picture_whose_thumbnail_cannot_be_read_is_grey(mine: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Gallery, "thumbnail", lambda *_: b"damage")
    made = sheets.make_sheets(mine, layout.shown_rows(len(mine)))
    assert made.sizes.tolist() == [[sheets.CELL, sheets.CELL]] * len(mine)
    with Image.open(io.BytesIO(made.files[0])) as sheet:
        assert sheet.convert("RGB").getpixel((5, 5)) == pytest.approx(sheets.GREY, abs=3)


def test_sheets_are_made_once_and_served_as_pictures_are(mine: Gallery) -> None:
    made = make(mine)
    assert make(mine) is made
    client = TestClient(Starlette(routes=sheet_routes.routes()))
    answer = client.get(sheet_routes.address("mine", made.names[0]))
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "image/webp", made.files[0])
    assert {name: answer.headers[name] for name in hashed_files.HEADERS} == hashed_files.HEADERS


@pytest.mark.many
@pytest.mark.parametrize(
    "place", ["mine/{zeros}", "another/{name}", "~/{name}", "../{name}", "mine/..", "mine/x{name}"]
)
def test_nothing_else_is_served(mine: Gallery, place: str) -> None:
    name = make(mine).names[0]
    client = TestClient(Starlette(routes=sheet_routes.routes()))
    assert client.get(f"/sheets/{place.format(zeros='0' * 64, name=name)}.webp").status_code == 404


def test_a_sheet_with_a_picture_that_was_taken_out_is_not_served_any_more(mine: Gallery) -> None:
    name = make(mine).names[0]
    assert sheet_routes.find("mine", name)
    mine.remove(ids=[mine.items[0].id])
    assert sheet_routes.find("mine", name) is None


def test_sheets_that_could_not_be_drawn_are_not_there_and_nothing_worse(
    mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise OSError("no room")

    monkeypatch.setattr(sheets, "make_sheets", fail)
    with pytest.raises(OSError, match="no room"):
        background.shared_sheet_maker().start_sheets(mine).result.result(10)
    assert sheet_routes.find("mine", "0" * 64) is None


def test_a_change_of_labels_leaves_the_sheets_as_they_are(mine: Gallery) -> None:
    before = background.sheets_name(mine)
    give_labels(mine.directory, {mine.items[0].sha256: "another"})
    changed = Gallery.open(mine.directory)
    assert changed.state != mine.state
    assert background.sheets_name(changed) == before

"""`search` in several galleries at once, on the command line."""

import json
from pathlib import Path

import pytest
from commands import Run

from similarity import Gallery


def test_hits_name_their_gallery_in_json_and_in_the_table(run: Run, two: list[Gallery]) -> None:
    query = two[0].items[0].path
    done = run("search", query, "-g", "shop-dots", "-g", "shop-rings", "-k", 7, "--json")
    assert done.returncode == 0
    answer = json.loads(done.stdout)
    assert answer["galleries"] == ["shop-dots", "shop-rings"]
    assert answer["left_out"] == []
    assert answer["hits"][0] | {"gallery": "shop-dots", "also_in": [], "id": two[0].items[0].id} == answer["hits"][0]
    assert {hit["gallery"] for hit in answer["hits"]} == {"shop-dots", "shop-rings"}
    assert [hit["rank"] for hit in answer["hits"]] == list(range(1, 8))
    table = run("search", query, "-g", "shop-*", "-k", 7)
    assert table.returncode == 0
    assert table.stdout.split()[:5] == ["rank", "score", "gallery", "label", "path"]
    assert table.stdout.count("shop-") == 7


def test_a_sheet_is_drawn_and_conditions_hold(run: Run, two: list[Gallery], tmp_path: Path) -> None:
    sheet = tmp_path / "sheet.png"
    done = run("search", two[0].items[0].path, "-g", "shop-*", "--where", "label=rings", "--sheet", sheet, "--json")
    assert {hit["label"] for hit in json.loads(done.stdout)["hits"]} == {"rings"}
    assert sheet.read_bytes().startswith(b"\x89PNG")
    nothing = run("search", two[0].items[0].path, "-g", "shop-*", "--min-score", 1.0, "--exclude-query")
    assert (nothing.returncode, nothing.stdout) == (0, "")
    assert "No picture meets these conditions." in nothing.stderr


def test_a_damaged_gallery_is_named_and_the_others_answer(run: Run, two: list[Gallery]) -> None:
    (two[1].directory / "CURRENT").write_text("?")
    done = run("search", two[0].items[0].path, "-g", "shop-*")
    assert done.returncode == 0
    assert "shop-dots" in done.stdout
    assert "Note: shop-rings is left out. " in done.stderr


@pytest.mark.parametrize(
    "option",
    [
        ["--explain"], ["--copies"], ["--turned"], ["--objects"], ["--precision", "0.9"], ["--sort", "label"],
        ["--coco", "a.json"], ["--out", "a.csv"],
    ],
    ids=lambda option: option[0],
)  # fmt: skip
def test_options_of_one_gallery_are_refused(run: Run, two: list[Gallery], option: list[str]) -> None:
    done = run("search", two[0].items[0].path, "-g", "shop-*", *option)
    assert done.returncode == 2
    assert option[0] in done.stderr
    assert not list(Path.cwd().iterdir())


def test_many_queries_and_a_pattern_that_fits_nothing_are_refused(run: Run, two: list[Gallery], pictures: Path) -> None:
    many = run("search", pictures, "-g", "shop-*")
    assert many.returncode == 2
    assert "one gallery" in many.stderr
    nothing = run("search", two[0].items[0].path, "-g", "other-*")
    assert nothing.returncode == 1
    assert "No gallery fits 'other-*'; there are: shop-dots, shop-rings." in nothing.stderr


def test_a_pattern_that_fits_one_gallery_is_searched_likewise(run: Run, two: list[Gallery]) -> None:
    answer = json.loads(run("search", two[0].items[0].path, "-g", "*-dots", "--json").stdout)
    assert answer["galleries"] == ["shop-dots"]

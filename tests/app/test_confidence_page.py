"""How sure results are, on the search page and the evaluate page, driven without a browser."""

import io
import json
import shutil
import threading
from pathlib import Path

import numpy as np
import pytest
from pages import address, draw_alone, open_app, ranking, texts
from PIL import Image
from streamlit.testing.v1 import AppTest
from test_evaluate_page import plots

from similarity import Gallery
from similarity.app.search import confidence, exports
from similarity.evaluation import evaluate
from similarity.evaluation.confidence.estimate import find_chances
from similarity.evaluation.report.wording import CALIBRATED
from similarity.query.belonging import Belonging
from similarity.query.gallery_belonging import find_belonging
from similarity.service.visitor import Visitor


@pytest.fixture(autouse=True)
def catalogue(sure: Gallery, empty_home: Path) -> Gallery:
    """A gallery that can tell how sure its results are, which a page opens at once."""
    return Gallery.open(shutil.copytree(sure.directory, empty_home / "galleries" / "catalogue"))


def opened(**address: str | list[str]) -> AppTest:
    """The page without a second look, which finds that pictures of a kind are one, but for a spot."""
    return open_app(gallery="catalogue", copies="0", **{"like": "sample:lamp-02-q"} | address).run()


UNMARKED = str.maketrans({"*": "", "\\": "", "\u00a0": " "})


def verdicts(page: AppTest) -> list[str]:
    """The lines above the results that say what is known of them, without their marks."""
    lines = [str(line.value) for line in [*page.markdown, *page.warning] if str(line.value).count("**") == 2]
    return [line.split("check_circle:] ")[-1].translate(UNMARKED) for line in lines if ":**" in line]


def test_each_of_the_first_results_says_how_likely_it_is_right_and_a_line_above_says_what_is_known() -> None:
    page = opened(k="20")
    assert not page.exception
    assert [tile.get("chance") for tile in ranking(page)][:8] == ["> 99 % same kind"] * 8, "there are eight lamps"
    assert "likely the same kind" in ranking(page)[0]["hint"]
    assert not any(tile.get("chance") for tile in ranking(page)[10:]), "probabilities are measured on the first ten"
    assert not page.warning
    assert not any(tile.get("unsure") for tile in ranking(page))
    assert verdicts(page) == ["Strong match: probably “lamp” (> 99 %)."]


def test_under_a_filter_no_result_is_called_likely_and_nothing_excuses_it() -> None:
    page = opened(precision="0.95", **{"where.label": "shoe"})
    assert not any("How likely" in caption.value for caption in page.caption)
    assert verdicts(page) == []
    assert not page.warning
    assert len(ranking(page)) >= 8, "they are shown all the same"
    assert not any(tile.get("chance") or tile.get("unsure") for tile in ranking(page))


@pytest.mark.parametrize("kind", ["unlike", "like"])
def test_with_several_examples_no_result_is_called_likely_and_a_mark_is_not_called_the_same_picture(
    catalogue: Gallery, kind: str
) -> None:
    another = f"item:{next(item for item in catalogue.items if item.label == 'shoe').public_id}"
    like = ["sample:lamp-02-q", *([another] if kind == "like" else [])]
    page = opened(like=like, **({} if kind == "like" else {"not": another}))
    assert not any("How likely" in caption.value for caption in page.caption)
    assert verdicts(page) == []
    assert not any(tile.get("chance") or tile.get("copy") for tile in ranking(page))
    assert [tile["wanted"] for tile in ranking(page)].count(True) == (kind == "like")


def test_from_the_precision_that_was_chosen_on_results_count_as_confident() -> None:
    page = opened()
    page.segmented_control(key="precision").set_value(0.95).run()
    assert address(page)["precision"] == ["0.95"]
    assert not page.warning
    assert verdicts(page) == ["Strong match: probably “lamp” (> 99 %)."]
    for tile in ranking(page)[:10]:
        assert tile["unsure"] == (tile["label"] != "lamp")
        assert tile["chance"].endswith("less sure") == tile["unsure"], "not by its looks alone"
    page.segmented_control(key="precision").set_value(0.0).run()
    assert "precision" not in address(page)


def test_a_precision_that_the_gallery_cannot_reach_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.evaluation.confidence.calibration.Calibration.threshold", lambda *_: None)
    (told,) = verdicts(opened(precision="0.99"))
    assert told.startswith("No confident match: in this gallery no score means 99 % certainty")
    assert told.endswith("The likeliest, “lamp”, is > 99 % likely the same kind.")


def test_a_picture_of_the_gallery_is_the_same_picture_and_no_guess(catalogue: Gallery) -> None:
    item = next(item for item in catalogue.items if item.label == "lamp")
    page = opened(like=f"item:{item.public_id}")
    assert [tile.get("chance", "") for tile in ranking(page)[:10]] == ["the same picture", *[""] * 9]
    assert verdicts(page) == ["This very picture is in the gallery: it is labelled “lamp”."]
    assert not page.warning


def test_a_picture_of_the_gallery_that_is_uploaded_is_known_too(catalogue: Gallery) -> None:
    item = next(item for item in catalogue.items if item.label == "lamp")
    page = open_app(gallery="catalogue", copies="0").run()
    page.file_uploader[0].upload("mine.png", Path(item.path).read_bytes(), "image/png").run()
    assert ranking(page)[0]["chance"] == "the same picture"
    assert verdicts(page) == ["This very picture is in the gallery: it is labelled “lamp”."]


def test_a_closer_look_says_it_in_a_line() -> None:
    page = opened()
    page.query_params["open"] = ranking(page)[2]["id"]
    page.run()
    assert "**> 99 % likely the same kind** (lamp)" in texts(page)


@pytest.mark.usefixtures("shapes")
def test_a_gallery_that_cannot_tell_shows_no_percentages(shapes: Gallery, empty_home: Path) -> None:
    shutil.copytree(shapes.directory, empty_home / "galleries" / "shapes")
    page = open_app(gallery="shapes", like="item:dots/dots-0.jpg", precision="0.9").run()
    assert not page.exception
    assert not page.warning
    assert not any("chance" in tile for tile in ranking(page))


def test_a_large_gallery_is_searched_while_it_is_found_out(catalogue: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(confidence, "AT_ONCE", len(catalogue) - 1)
    page = opened()
    assert len(ranking(page)) >= 10
    for flight in (confidence.calibrations(), confidence.belongings()):
        for making in flight._computations.values():
            making.result.result(60)
    assert ranking(page.run())[0]["chance"] == "> 99 % same kind"
    end = threading.Event()
    monkeypatch.setattr(confidence, "find_belonging", lambda *_: end.wait(60))
    monkeypatch.setattr(confidence, "IN_BACKGROUND", len(catalogue) - 1)
    assert ranking(opened())[0]["chance"] == "> 99 % same kind", "both are in the cache"
    end.set()


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled")
def test_a_picture_that_looks_like_nothing_in_the_gallery_is_told_so_in_one_line(
    sample: Gallery, empty_home: Path
) -> None:
    shutil.copytree(sample.directory, empty_home / "galleries" / "sample")
    noise = io.BytesIO()
    Image.fromarray(np.random.default_rng(0).integers(0, 256, (256, 256, 3), np.uint8)).save(noise, "PNG")
    page = open_app(gallery="sample", precision="0.5").run()
    page.file_uploader[0].upload("noise.png", noise.getvalue(), "image/png").run()
    assert not page.exception
    (warning,) = page.warning
    assert warning.value.startswith("**Nothing like it in this gallery:** these are the nearest pictures")
    assert len(ranking(page)) >= 10, "the nearest are shown all the same"
    assert {tile.get("chance", "") for tile in ranking(page)} == {""}


def test_where_it_is_doubtful_that_a_picture_belongs_no_result_is_called_likely(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(Belonging, "share", lambda *_: 0.03)
    page = opened(precision="0.95")
    (warning,) = page.warning
    assert warning.value.startswith("**Similar, kind uncertain:** this gallery may have nothing of its kind")
    assert {tile.get("chance", "") for tile in ranking(page)} == {""}
    monkeypatch.setattr(Belonging, "share", lambda *_: 0.07)
    page = opened(precision="0.95")
    assert ranking(page)[0]["chance"] == "77 % same kind, less sure", "likely, and not sure"
    assert verdicts(page)[0].endswith("The likeliest, “lamp”, is 77 % likely the same kind.")
    assert verdicts(opened()) == ["Similar, kind uncertain: most likely “lamp” (77 %)."]


def test_results_are_called_likely_once_it_is_known_that_the_query_belongs(
    catalogue: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(confidence, "AT_ONCE", len(catalogue) - 1)
    go = threading.Event()

    def measure(gallery: Gallery, *_: object) -> Belonging | None:
        assert go.wait(60)
        return find_belonging(gallery, gallery.state)

    monkeypatch.setattr(confidence, "find_belonging", measure)
    page = opened()
    for making in confidence.calibrations()._computations.values():
        making.result.result(60)
    page.run()
    assert not any("chance" in tile for tile in ranking(page))
    assert any("still being worked out" in caption.value for caption in page.caption), "no verdict jumps in"
    go.set()
    for belonging in confidence.belongings()._computations.values():
        belonging.result.result(60)
    assert ranking(page.run())[0]["chance"] == "> 99 % same kind"


def test_a_file_of_results_says_whether_the_query_belongs(catalogue: Gallery) -> None:
    hits = catalogue.search_vector(catalogue.vectors[0])
    chances = find_chances(None, hits, belongs=0.0026)
    export = exports.Export(catalogue, hits, [], ["a"] * len(hits), str, Visitor(), chances)
    assert json.loads(export.json())["belongs"] == 0.0026


def test_what_goes_wrong_costs_the_percentages_and_not_the_results(monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError("no")

    monkeypatch.setattr(confidence, "calibrate", fail)
    page = opened()
    assert not page.exception
    assert len(ranking(page)) >= 10


def _page() -> None:
    from similarity.app.evaluate import page as evaluate_page

    evaluate_page.show()


def test_the_evaluate_page_shows_whether_percentages_are_true(
    catalogue: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    page = draw_alone(_page, monkeypatch).run()
    assert not page.exception
    told = evaluate(catalogue).reliability
    assert told is not None
    shown = {metric.label: metric.value for metric in page.metric}
    assert shown["Expected calibration error"] == f"{told.error:.3f}"
    assert CALIBRATED in {metric.proto.help for metric in page.metric}
    drawn = {series["name"]: series for series in plots(page)["Predicted and measured probability"]["series"]}
    assert sum(count for _, count in drawn["Number of results"]["data"]) == 10 * len(catalogue)
    assert drawn["Ideal"]["lineStyle"]["type"] == "dashed", "not by colour alone"

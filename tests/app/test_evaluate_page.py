"""The evaluate page, driven without a browser."""

import json
import shutil
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest
from conftest import MODEL, draw
from pages import draw_alone, errors, texts, tiles
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.evaluate import background
from similarity.app.serving import access
from similarity.evaluation import evaluate


def _page() -> None:
    from similarity.app.evaluate import page as evaluate_page

    evaluate_page.show()


@pytest.fixture
def page(monkeypatch: pytest.MonkeyPatch) -> AppTest:
    return draw_alone(_page, monkeypatch)


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


def metrics(page: AppTest) -> dict[str, str]:
    return {metric.label: metric.value for metric in page.metric}


def plots(page: AppTest) -> dict[str, dict[str, Any]]:
    """What the charts were told to draw, by what they are."""
    return {chart.proto.alt: json.loads(chart.proto.spec) for chart in page.get("echarts_chart")}


def test_the_numbers_are_those_of_the_library(page: AppTest, shapes: Gallery) -> None:
    page.run()
    assert not page.exception
    found = evaluate(shapes)
    assert metrics(page)["Recall@1"] == f"{found.metrics['recall@1'].value:.3f}"
    assert metrics(page)["mAP@R"] == f"{found.metrics['map@r'].value:.3f}"
    assert f"{found.metrics['map@r'].low:.3f} to {found.metrics['map@r'].high:.3f}" in texts(page)
    assert "15 queries" in texts(page)
    drawn = plots(page)
    assert [point[1] for point in drawn["A right result among the first k"]["series"][0]["data"]] == pytest.approx(
        found.recall_curve, abs=1e-4
    )
    bars = drawn["Label by label"]
    assert sorted(bars["yAxis"]["data"]) == ["dots", "rings", "stripes"]
    scores = drawn["Scores of right and wrong results"]["series"]
    counted = [sum(count for _, count in one["data"]) for one in scores]
    assert counted == [found.histogram.right.sum(), found.histogram.wrong.sum()]


def test_queries_are_shown_with_right_and_wrong_marked(page: AppTest, shapes: Gallery) -> None:
    page.run()
    shown = tiles(page)
    queries = [tile for tile in shown if tile["mark"] == "query"]
    assert len(queries) == 6
    worst = evaluate(shapes).worst(6)
    assert [tile["id"] for tile in queries] == [shapes.items[row].public_id for row in worst]
    for number, tile in enumerate(shown):
        if tile["mark"] == "query":
            answers = shown[number + 1 : number + 11]
            assert not any(one["rank"] for one in answers), "it would cover a narrow picture"
            for rank, one in enumerate(answers, start=1):
                assert one["alt"].startswith(f"Rank {rank}, ")
                assert one["mark"] == ("right" if one["label"] == tile["label"] else "wrong")
                assert one["mark"] in one["alt"], "for who cannot see it"


@pytest.mark.usefixtures("shapes")
def test_other_queries_can_be_chosen_and_more_of_them(page: AppTest) -> None:
    page.run()
    page.segmented_control(key="cases_kind").set_value("Best").run()
    assert "find most of the right results" in texts(page)
    page.selectbox(key="cases_label").select("rings").run()
    assert not page.exception
    assert {tile["label"] for tile in tiles(page) if tile["mark"] == "query"} == {"rings"}
    page.selectbox(key="cases_label").select("Any").run()
    next(button for button in page.button if button.label == "Show more").click().run()
    assert sum(tile["mark"] == "query" for tile in tiles(page)) == 12


def test_what_is_right_can_be_another_column(page: AppTest, pictures: Path, empty_home: Path) -> None:
    rows = [f"{path},{path.parent.name},{number % 2}" for number, path in enumerate(sorted(pictures.glob("*/*.jpg")))]
    table = empty_home / "table.csv"
    table.write_text("\n".join(["path,label,side", *rows]))
    gallery = Gallery.build(table, empty_home / "galleries" / "mine", model=MODEL)
    page.run()
    page.selectbox[1].select("side").run()
    assert not page.exception
    assert metrics(page)["mAP@R"] == f"{evaluate(gallery, by='side').metrics['map@r'].value:.3f}"


def test_other_pictures_can_be_the_queries(page: AppTest, shapes: Gallery, tmp_path: Path) -> None:
    for kind in ("dots", "rings"):
        (tmp_path / kind).mkdir()
        for seed in (77, 78):
            draw(kind, seed).save(tmp_path / kind / f"{seed}.jpg")
    page.run()
    page.segmented_control(key="evaluate_way").set_value("Other pictures").run()
    assert "Give the path of the queries." in texts(page)
    page.text_input[0].set_value(str(tmp_path)).run()
    next(button for button in page.button if button.label == "Evaluate").click().run()
    assert not page.exception
    assert "4 queries" in texts(page)
    shown = [tile for tile in tiles(page) if tile["mark"] == "query"]
    assert len(shown) == 4
    assert all(tile["src"].startswith("data:image/jpeg;base64,") for tile in shown), "no gallery serves them"
    assert len(shapes) == 15


@pytest.mark.usefixtures("shapes")
def test_a_place_without_pictures_gets_a_plain_sentence(page: AppTest, tmp_path: Path) -> None:
    page.run()
    page.segmented_control(key="evaluate_way").set_value("Other pictures").run()
    page.text_input[0].set_value(str(tmp_path / "none")).run()
    next(button for button in page.button if button.label == "Evaluate").click().run()
    assert not page.exception
    assert errors(page)


@pytest.mark.usefixtures("shapes")
def test_who_may_not_manage_cannot_have_folders_of_this_computer_read(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "may_manage", lambda: False)
    page.run()
    assert metrics(page)
    assert not page.text_input
    assert all(one.key != "evaluate_way" for one in page.segmented_control)


def test_a_large_gallery_is_evaluated_when_it_is_asked_for(
    page: AppTest, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "AT_ONCE", len(shapes) - 1)
    page.run()
    assert not metrics(page)
    assert "Each of 15 pictures is compared with all others, which takes about 1 s." in texts(page)
    next(button for button in page.button if button.label == "Evaluate").click().run()
    assert metrics(page)


def test_a_gallery_without_labels_says_how_to_get_them(page: AppTest, pictures: Path, empty_home: Path) -> None:
    flat = empty_home / "flat"
    flat.mkdir()
    for path in (pictures / "dots").iterdir():
        shutil.copy(path, flat)
    Gallery.build(flat, empty_home / "galleries" / "flat", model=MODEL)
    page.run()
    assert not page.exception
    assert "Put them into a folder for each label" in texts(page)
    next(button for button in page.button if button.label == "To the galleries").click().run()
    assert page.session_state["went"] == ("galleries", None)


def test_an_evaluation_that_fails_gets_a_plain_sentence_and_is_tried_again(
    page: AppTest, mine: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise MemoryError

    with monkeypatch.context() as patch:
        patch.setattr(background, "evaluate", fail)
        page.run()
    assert not page.exception
    assert "could not be evaluated" in errors(page)
    next(button for button in page.button if button.label == "Try again").click().run()
    assert not errors(page)
    assert metrics(page)
    assert len(mine) == 15


@pytest.mark.usefixtures("shapes")
def test_report_and_data_can_be_taken_along(page: AppTest) -> None:
    page.run()
    assert {button.proto.label for button in page.get("download_button")} == {"Report", "Data"}


def test_a_change_of_the_gallery_is_evaluated_anew(page: AppTest, mine: Gallery) -> None:
    page.run()
    assert "15 queries" in texts(page)
    mine.remove(labels=["rings"])
    page.run()
    assert "10 queries" in texts(page)
    found = evaluate(Gallery.open(mine.directory)).metrics["recall@1"].value
    assert float(metrics(page)["Recall@1"]) == pytest.approx(found, abs=1e-3)


def test_a_large_gallery_is_measured_only_for_who_may_manage(
    page: AppTest, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(background, "AT_ONCE", len(shapes) - 1)
    monkeypatch.setattr(access, "may_manage", lambda: False)
    page.run()
    assert not page.exception
    assert not metrics(page)
    assert "It can be started on the computer that this app runs on" in texts(page)
    assert not [button for button in page.button if button.label == "Evaluate"]


@pytest.mark.usefixtures("shapes")
def test_other_pictures_are_measured_again_when_they_have_changed(page: AppTest, tmp_path: Path) -> None:
    (tmp_path / "dots").mkdir()
    draw("dots", 77).save(tmp_path / "dots" / "77.jpg")
    page.run()
    page.segmented_control(key="evaluate_way").set_value("Other pictures").run()
    page.text_input[0].set_value(str(tmp_path)).run()
    next(button for button in page.button if button.label == "Evaluate").click().run()
    assert "1 query," in texts(page)
    draw("dots", 78).save(tmp_path / "dots" / "78.jpg")
    next(button for button in page.button if button.label == "Measure again").click().run()
    assert not page.exception
    assert "2 queries" in texts(page)


def test_the_estimate_counts_that_moved_vectors_take_longer_to_read(monkeypatch: pytest.MonkeyPatch) -> None:
    """The vectors are a stand-in: a gallery of half a million pictures does not fit in a test."""

    class Vast(list[str]):
        vectors = SimpleNamespace(dim=1280, nearest=None)

        def __len__(self) -> int:
            return 500_000

    gallery = cast("Gallery", Vast())
    centred = background.expected_seconds(gallery)
    passes = -(-background.MOST // (8 * (1 << 22) // 500_000))
    assert centred == pytest.approx(10_000 * 6.4e8 / 2e10 + passes * 6.4e8 / 2e8)
    monkeypatch.setattr(Vast.vectors, "nearest", [])
    moved = background.expected_seconds(gallery)
    assert centred + 6.4e8 / 4e7 < moved < 1.1 * centred

"""Queries of kinds that a gallery does not have: how well they are told, and what is called likely all the same."""

import html
import json
from dataclasses import replace
from pathlib import Path

import made_heads
import numpy as np
import pytest
from commands import Run
from conftest import draw
from PIL import Image
from sure import draw_product

from similarity import Gallery
from similarity.errors import SearchError
from similarity.evaluation import compare, evaluate, render_report
from similarity.evaluation.gallery_calibration import calibrate
from similarity.evaluation.gallery_chances import estimate_chances
from similarity.sources import open_source


@pytest.fixture
def strangers(tmp_path: Path) -> Path:
    """Thirty pictures of noise."""
    (tmp_path / "strangers").mkdir()
    for seed in range(30):
        noise = np.random.default_rng(seed).integers(0, 256, (64, 64, 3), np.uint8)
        Image.fromarray(noise).save(tmp_path / "strangers" / f"{seed}.png")
    return tmp_path / "strangers"


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled", "empty_home")
def test_strangers_are_told_from_a_gallerys_own_pictures(sample: Gallery, strangers: Path) -> None:
    told = evaluate(sample, strangers=open_source(strangers)).strangers
    assert told is not None
    assert (told.pictures, told.name) == (30, str(strangers))
    assert told.auroc > 0.99
    assert told.nothing_like > 0.9
    assert told.own_nothing_like < 0.05
    assert told.likely == 0
    assert told.confident == {0.9: 0, 0.95: 0}
    assert list(told.reliability) == [0, 0.1, 0.5]


def test_what_is_called_likely_and_confident_is_what_a_search_calls_so(sure: Gallery, tmp_path: Path) -> None:
    (tmp_path / "known").mkdir()
    for number, item in enumerate(item for item in sure.items if item.label in ("lamp", "shoe", "vase")):
        if number % 2 == 0:  # a copy of other bytes, and so no picture of the gallery
            Image.open(item.path).convert("RGB").save(tmp_path / "known" / f"{number}.jpg", quality=85)
    told = evaluate(sure, strangers=open_source(tmp_path / "known")).strangers
    likely, confident = [], []
    for path in sorted((tmp_path / "known").iterdir()):
        query = sure.encode(path)
        chances = estimate_chances(
            sure, query.vector, query.embeddings, calibration=calibrate(sure), belonging=sure.belonging
        )
        hits = sure.search_vector(query.vector)
        likely.append(any((chances.of(hit) or 0) >= 0.8 for hit in hits))
        confident.append(bool(chances.are_confident(hits, 0.95)))
    assert told is not None
    assert told.likely == pytest.approx(np.mean(likely))
    assert told.confident[0.95] == pytest.approx(np.mean(confident))
    assert told.likely > 0.5, "these are of the gallery's kinds"
    assert told.auroc < 0.9
    assert told.reliability[0.5].error > told.reliability[0.1].error > told.reliability[0].error


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled", "empty_home")
def test_of_few_queries_that_are_given_strangers_are_still_judged(
    sample: Gallery, strangers: Path, tmp_path: Path
) -> None:
    (tmp_path / "few" / "lamp").mkdir(parents=True)
    draw_product("lamp", 90).save(tmp_path / "few" / "lamp" / "1.jpg")
    told = evaluate(sample, open_source(tmp_path / "few"), strangers=open_source(strangers)).strangers
    assert told is not None
    assert told.likely == 0
    assert told.reliability == {}, "one query shows no error"


def test_pictures_of_the_gallery_are_no_strangers(sure: Gallery, strangers: Path, tmp_path: Path) -> None:
    (strangers / "own.jpg").write_bytes(Path(sure.items[0].path).read_bytes())
    told = evaluate(sure, strangers=open_source(strangers)).strangers
    assert told is not None
    assert told.pictures == 30
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "own.jpg").write_bytes(Path(sure.items[0].path).read_bytes())
    with pytest.raises(SearchError, match="none of them is a stranger"):
        evaluate(sure, strangers=open_source(tmp_path / "own"))


@pytest.mark.exhaustive
def test_the_command_prints_and_the_report_draws_what_was_found(
    run: Run, sure: Gallery, strangers: Path, tmp_path: Path
) -> None:
    report = tmp_path / "report.html"
    shown = run("evaluate", "-g", sure.directory, "--strangers", strangers, "--report", report)
    assert shown.returncode == 0, shown.stderr
    assert "30 strangers" in shown.stdout
    assert "with a result that is confident from 95% on" in shown.stdout
    page = html.unescape(report.read_text())
    assert "30 pictures of other kinds: " in page
    assert "The same with 30 strangers among the queries" in page
    told = json.loads(run("evaluate", "-g", sure.directory, "--strangers", strangers, "--json").stdout)["strangers"]
    assert told["pictures"] == 30
    assert told["false_confidence"] == {"0.9": 0, "0.95": 0}
    assert list(told["ece"]) == ["0", "0.1", "0.5"]
    assert json.loads(run("evaluate", "-g", sure.directory, "--json").stdout)["strangers"] is None


def test_a_folder_of_strangers_that_is_not_there_and_a_gallery_that_cannot_tell_are_said(
    run: Run, shapes: Gallery, strangers: Path, tmp_path: Path
) -> None:
    missing = run("evaluate", "-g", shapes.directory, "--strangers", tmp_path / "nowhere")
    assert missing.returncode != 0
    assert "nowhere" in missing.stderr
    assert "Traceback" not in missing.stderr
    small = run("evaluate", "-g", shapes.directory, "--strangers", strangers)
    assert small.returncode == 1
    assert "has too few pictures to tell strangers: it needs 30" in small.stderr


@pytest.mark.usefixtures("standin_network")
def test_a_gallery_of_one_label_says_that_its_metrics_mean_nothing(run: Run, tmp_path: Path) -> None:
    (tmp_path / "pictures" / "dots").mkdir(parents=True)
    for seed in range(5):
        draw("dots", seed).save(tmp_path / "pictures" / "dots" / f"{seed}.jpg")
    gallery = Gallery.build(tmp_path / "pictures", tmp_path / "one", model="efficientnet-lite2")
    assert evaluate(gallery).caution.startswith("All pictures have the same label, “dots”, so every result is right")
    assert "say nothing" in run("evaluate", "-g", gallery.directory).stderr


def test_a_comparison_with_a_gallery_that_learned_from_the_queries_has_no_p_and_names_the_held_out_figure_first(
    run: Run, shapes: Gallery, tmp_path: Path
) -> None:
    head = made_heads.serving(shapes)
    head = replace(head, card=replace(head.card, after={"recall@1": 0.75}))
    taught = shapes.rebuild(head=head, into=tmp_path / "taught", refinement="none")
    told = json.loads(run("compare", "shapes", taught.directory, "--json").stdout)
    assert "trained on its own pictures" in told["cautions"][0]
    assert {(one["p"], one["p_adjusted"], one["verdict"]) for one in told["metrics"].values()} == {
        (None, None, "cannot be told")
    }
    shown = run("compare", "shapes", taught.directory)
    assert shown.stdout.startswith("taught on pictures that were held out when it was trained: Recall@1 0.500 → 0.750.")
    assert "McNemar" not in shown.stdout
    assert "too good" in shown.stderr
    assert compare(evaluate(shapes), evaluate(taught)).cautions
    assert "too good" in html.unescape(render_report(taught, evaluate(taught)))

"""The benchmark of views: that every view is measured as a gallery of it would be, and what is recommended."""

import re
import shlex
import tempfile
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL, draw

from similarity import Embedder, Gallery
from similarity.bench.views import Candidate, bench_views, recommend
from similarity.errors import SearchError, SourceError
from similarity.evaluation import Evaluation, evaluate
from similarity.indexing.options import IndexOptions
from similarity.progress import Progress
from similarity.sources import open_source

SHAPES = (320, 330, 500, 1_000)


@pytest.fixture
def long_pictures(tmp_path: Path) -> Path:
    """Eight pictures of different shapes, of two labels."""
    folder = tmp_path / "pictures"
    for kind in ("dots", "rings"):
        (folder / kind).mkdir(parents=True)
        for number, width in enumerate(SHAPES):
            draw(kind, number).resize((width, 320)).save(folder / kind / f"{number}.png")
    return folder


@pytest.fixture
def scratch(tmp_path: Path, light_embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder that scratch galleries are made in; they are embedded by the light network."""
    folder = tmp_path / "scratch"
    folder.mkdir()
    monkeypatch.setattr(tempfile, "tempdir", str(folder))
    monkeypatch.setattr(
        "similarity.indexing.operations.load_embedder", lambda _, __, view, *___: light_embedder.with_view(view)
    )
    return folder


@pytest.fixture
def mixed(scratch: Path, empty_home: Path, long_pictures: Path) -> Gallery:  # noqa: ARG001 - it is embedded by it
    """A gallery of these pictures, with a view of its own."""
    return Gallery.build(long_pictures, empty_home / "galleries" / "mixed", model=MODEL, view="fit")


def test_each_view_has_the_figures_of_a_gallery_that_has_it_and_nothing_is_left(
    mixed: Gallery,
    scratch: Path,
    empty_home: Path,
) -> None:
    before = sorted(empty_home.rglob("*"))
    report = bench_views("mixed")
    assert sorted(empty_home.rglob("*")) == before
    assert mixed.is_live
    assert not list(scratch.iterdir())
    rows = {row["name"]: row for row in report["views"]}
    assert list(rows) == ["crop", "fit", "both"]
    assert [row["view"] for row in rows.values()] == ["crop", "fit", "both"]
    assert [row["windows_per_picture"] for row in rows.values()] == [1, 1, 1.5]
    assert (report["view"], report["pictures"], report["queries"], report["protocol"]) == ("fit", 8, 8, "leave-one-out")
    assert report["machine"]["cores"] >= 1
    for metric in ("recall@1", "map@r"):
        own = evaluate(mixed, with_reliability=False).metrics[metric]
        assert rows["fit"][metric] == pytest.approx(own.value, abs=1e-5)
        assert rows["fit"]["intervals"][metric] == pytest.approx([own.low, own.high], abs=1e-5)
    assert all(row["images_per_s"] > 0 for row in rows.values())
    assert rows["crop"]["to_crop"]["map@r"]["difference"] == 0
    fit = rows["fit"]
    assert fit["to_crop"]["map@r"]["difference"] == pytest.approx(fit["map@r"] - rows["crop"]["map@r"], abs=1e-5)
    assert (fit["won_at_1"] - fit["lost_at_1"]) / 8 == pytest.approx(fit["recall@1"] - rows["crop"]["recall@1"])


def test_queries_of_a_source_are_shown_in_the_view_that_is_measured(mixed: Gallery, tmp_path: Path) -> None:
    for kind in ("dots", "rings"):
        (tmp_path / "queries" / kind).mkdir(parents=True)
        draw(kind, 77).resize((900, 300)).save(tmp_path / "queries" / kind / "new.png")
    report = bench_views(mixed, open_source(tmp_path / "queries"))
    assert (report["protocol"], report["queries"]) == (str(tmp_path / "queries"), 2)


def test_a_command_makes_the_gallery_as_it_was_measured(
    scratch: Path,  # noqa: ARG001 - it is embedded by it
    long_pictures: Path,
    tmp_path: Path,
) -> None:
    options = IndexOptions(MODEL, refinement="centred", exclude=["dots/3.png"], quality="best", view="crop")
    gallery = Gallery.build(long_pictures, tmp_path / "my gallery", options)
    report = bench_views(gallery)
    words = shlex.split(report["views"][1]["command"])
    assert words[:6] == ["python", "-m", "similarity", "index", str(long_pictures), "--gallery"]
    assert words[6:10] == [str(tmp_path / "my gallery"), "--view", "fit", "--quality"]
    assert words[10:] == ["best", "--model", MODEL, "--refinement", "centred", "--exclude", "dots/3.png"]


def test_pictures_of_several_sources_have_no_single_source_in_the_command(mixed: Gallery, tmp_path: Path) -> None:
    more = tmp_path / "more" / "rings"
    more.mkdir(parents=True)
    draw("rings", 9).save(more / "9.png")
    report = bench_views(mixed.add(tmp_path / "more"))
    assert report["command"] == f"python -m similarity index SOURCE --gallery mixed --view VIEW --model {MODEL}"


def test_a_command_takes_the_same_products_of_stanford_online_products(
    scratch: Path,  # noqa: ARG001 - it is embedded by it
    long_pictures: Path,
    tmp_path: Path,
) -> None:
    lines = [f"1 {number // 2} 1 {kind}/{number}.png" for kind in ("dots", "rings") for number in range(len(SHAPES))]
    (long_pictures / "Ebay_test.txt").write_text("\n".join(["image_id class_id super_class_id path", *lines]) + "\n")
    source = open_source(long_pictures, split="test", products=2, seed=7)
    report = bench_views(Gallery.build(source, tmp_path / "products", model=MODEL))
    for command in (report["command"], report["views"][0]["command"]):
        words = shlex.split(command)
        assert words[3:10] == ["index", str(long_pictures), "--split", "test", "--products", "2", "--seed"]
        assert words[10:12] == ["7", "--gallery"]


@pytest.mark.usefixtures("mixed")
def test_ctrl_c_leaves_nothing_behind(scratch: Path, empty_home: Path) -> None:
    def interrupt(progress: Progress) -> None:
        if progress.task.startswith("fit: Indexing"):
            raise KeyboardInterrupt

    Gallery.open(empty_home / "galleries" / "mixed")  # what is remembered of its files is written now
    before = sorted(empty_home.rglob("*"))
    with pytest.raises(KeyboardInterrupt):
        bench_views("mixed", progress=interrupt)
    assert not list(scratch.iterdir())
    assert sorted(empty_home.rglob("*")) == before


def test_what_cannot_tell_views_apart_is_an_error_before_anything_is_embedded(
    mixed: Gallery, long_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    unlabelled = [replace(item, label=None) for item in open_source(long_pictures).items]
    source = open_source(long_pictures)
    source.items[:] = unlabelled
    without = Gallery.build(source, tmp_path / "without", model=MODEL)
    (tmp_path / "dots alone").mkdir()
    (long_pictures / "dots").rename(tmp_path / "dots alone" / "dots")
    alone = Gallery.build(tmp_path / "dots alone", tmp_path / "alone", model=MODEL)
    monkeypatch.setattr("similarity.bench.views._measure", lambda *_: pytest.fail("it was embedded"))
    with pytest.raises(SearchError, match="none of its pictures has a label"):
        bench_views(without)
    with pytest.raises(SearchError, match="All pictures have the same label, “dots”"):
        bench_views(alone)
    with pytest.raises(SearchError, match="No picture of the gallery mixed has a 'colour'"):
        bench_views(mixed, by="colour")
    with pytest.raises(SearchError, match="has a label that a picture of the gallery has"):
        bench_views(alone, open_source(long_pictures))


def test_pictures_that_are_gone_are_left_out_and_a_gallery_without_any_is_an_error(
    mixed: Gallery, long_pictures: Path
) -> None:
    (long_pictures / "dots" / "3.png").unlink()
    report = bench_views(mixed)
    assert [file["path"] for file in report["skipped"]] == [str(long_pictures / "dots" / "3.png")]
    assert report["pictures"] == 7
    long_pictures.rename(long_pictures.with_name("elsewhere"))
    with pytest.raises(SourceError, match=f"None of the 8 pictures in {re.escape(str(long_pictures))} can be read"):
        bench_views(mixed)


@pytest.fixture
def measured(shapes: Gallery) -> Callable[..., Candidate]:
    """Makes a candidate that ranks so many of 100 queries right at once, with this average precision for all."""
    whole = evaluate(shapes)

    def make(name: str, right: int, precision: float, **facts: str) -> Candidate:
        first = np.where(np.arange(100) < right, 1, 3).astype(np.int32)
        zeros = np.zeros(100)
        outcomes = replace(
            whole.outcomes,
            first_right=first,
            average_precision=np.full(100, precision),
            r_precision=zeros,
            precision_5=zeros,
            precision_10=zeros,
            ndcg_10=zeros,
        )
        metrics = whole.metrics | {"map@r": replace(whole.metrics["map@r"], value=precision)}
        sha256 = np.array([f"{number:064x}" for number in range(100)], np.bytes_)
        evaluation: Evaluation = replace(
            whole, gallery=name, outcomes=outcomes, metrics=metrics, sha256=sha256, **facts
        )
        return Candidate(name, shapes.manifest, evaluation, 1.0, 1.0, (), "")

    return make


def test_the_best_view_is_recommended_unless_its_first_results_are_worse(measured: Callable[..., Candidate]) -> None:
    crop = measured("crop", 60, 0.5)
    better, wrong = measured("fit", 60, 0.6), measured("both", 40, 0.7)
    advice = recommend(crop, [crop, better, wrong])
    assert (advice.name, advice.is_draw) == ("fit", False)
    assert advice.reason == (
        "Take fit: it has the highest mAP@R of those whose recall@1 is not significantly lower than with crop, which "
        "the gallery has."
    )
    kept = recommend(better, [crop, better, wrong])
    assert (kept.name, kept.is_draw) == ("fit", False)
    assert kept.reason.startswith("The gallery can stay as it is: none that differs significantly from fit, which the")


def test_views_that_cannot_be_told_apart_are_a_draw(measured: Callable[..., Candidate]) -> None:
    crop, fit = measured("crop", 60, 0.5), measured("fit", 62, 0.5)
    advice = recommend(crop, [crop, fit])
    assert (advice.name, advice.is_draw) == ("crop", True)
    assert advice.reason == (
        "This is a draw: none differs significantly from crop, which the gallery has, so the gallery can stay as it is."
    )


def test_no_view_is_recommended_by_pictures_that_the_network_was_trained_on(measured: Callable[..., Candidate]) -> None:
    crop, fit = (measured(name, 60, value, caution="Seen.") for name, value in (("crop", 0.5), ("fit", 0.6)))
    advice = recommend(crop, [crop, fit])
    assert (advice.name, advice.reason) == (None, "No view is recommended. Seen.")

"""The benchmarks: that they measure and report, never how fast anything is.

By default in this process, and without torch, on as little as can be measured; as a person runs them in the exhaustive
tier.
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from commands import Done, Run, run_command
from conftest import MODEL

from similarity import Gallery
from similarity.bench import baseline, indexes
from similarity.errors import SimilarityError
from similarity.finetuning.examples import Labelled, labelled_pictures
from similarity.finetuning.settings import Settings
from similarity.processes import running_module
from similarity.vectors.arrays import normalise

EMBEDDING_KEYS = {
    "model",
    "model_images_per_s",
    "decode_images_per_s",
    "bound_images_per_s",
    "images_per_s",
    "efficiency",
    "torch_eager_images_per_s",
    "speedup_over_torch_eager",
    "peak_rss_mb",
    "machine",
}


def report_of(done: Done) -> dict[str, Any]:
    assert done.returncode == 0, done.stderr
    told: dict[str, Any] = json.loads(done.stdout)
    return told


def assert_embedding(report: dict[str, Any]) -> None:
    assert report.keys() >= EMBEDDING_KEYS
    assert (report["model"], report["weights"], report["pictures"]) == (MODEL, "pretrained", 15)
    bound = 1 / (1 / report["model_images_per_s"] + 1 / report["decode_images_per_s"])
    assert report["bound_images_per_s"] == pytest.approx(bound, rel=0.01)
    assert report["efficiency"] == pytest.approx(report["images_per_s"] / bound, rel=0.01)
    speedup = report["images_per_s"] / report["torch_eager_images_per_s"]
    assert report["speedup_over_torch_eager"] == pytest.approx(speedup, rel=0.05, abs=0.06), "rounded to a tenth"
    assert report["machine"]["cores"] >= 1


def test_bench_embedding_reports_rates_that_belong_together(
    run: Run, pictures: Path, home: Path, light_embedder: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    rounds: list[Sequence[str]] = []

    @contextmanager
    def torch_loop(_: str, __: Path, paths: Sequence[str]) -> Iterator[Callable[[], None]]:
        def one() -> None:
            rounds.append(paths)
            run_light(light_embedder, paths)

        yield one

    monkeypatch.setattr("similarity.bench.embedding.torch_loop", torch_loop)
    monkeypatch.setattr("similarity.bench.embedding.ROUNDS", 1)
    before = sorted(home.rglob("*"))
    assert_embedding(report_of(run("bench", "embedding", pictures, "--model", MODEL, "--json")))
    assert rounds
    assert all(len(paths) == 15 for paths in rounds)
    assert sorted(home.rglob("*")) == before


def run_light(embedder: Any, paths: Sequence[str]) -> None:
    """As slow as torch may be: decoded and embedded one by one."""
    for path in paths:
        embedder.embed([embedder.decode(Path(path).read_bytes(), path).image])


@pytest.mark.exhaustive
@pytest.mark.usefixtures("embedder")
def test_bench_embedding_compares_with_torch_itself(run_process: Run, pictures: Path, home: Path) -> None:
    before = sorted(home.rglob("*"))
    assert_embedding(report_of(run_process("bench", "embedding", pictures, "--model", MODEL, "--json")))
    assert sorted(home.rglob("*")) == before


def test_torch_is_told_when_to_begin_and_says_when_it_is_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    program = "import sys\nfor _ in range(2): print(sys.stdin.readline() and 'done', flush=True)"

    def command(module: str, *arguments: object) -> list[str]:
        assert (module, arguments) == ("similarity.bench.baseline", ("rounds", MODEL, tmp_path, "1.jpg", "2.jpg"))
        return [sys.executable, "-I", "-c", program]

    monkeypatch.setattr("similarity.processes._command", command)
    with baseline.torch_loop(MODEL, tmp_path, ["1.jpg", "2.jpg"]) as one_round:
        one_round()
        one_round()
        with pytest.raises(SimilarityError, match="The comparison with torch failed"):
            one_round()


def test_a_process_that_has_ended_is_left_without_a_fault(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.processes._command", lambda *_: [sys.executable, "-I", "-c", ""])
    with running_module("none") as process:
        process.wait()
        assert process.stdin
        process.stdin.write("nobody reads this")
        with pytest.raises(BrokenPipeError):
            process.stdin.flush()


def assert_query(report: dict[str, Any]) -> None:
    assert 0 < report["p50_ms"] <= report["p95_ms"]
    assert 0 < report["p50_ms_threads"] <= report["p95_ms_threads"]
    assert report["threads"] == 8
    assert len(report["cold_start_ms_all"]) == 1


def test_bench_query_reports_latencies_for_one_and_many_threads(
    run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.bench.query.COLD_STARTS", 1)
    monkeypatch.setattr("similarity.bench.query.run_module", lambda _, *words: run_command(*words))
    assert_query(report_of(run("bench", "query", pictures / "dots", "--model", MODEL, "--json")))
    monkeypatch.setattr("similarity.bench.query.QUERIES", 1)
    told = run("bench", "query", pictures / "dots", "--model", MODEL).stdout
    for words in ("p50_ms_threads", "cold_start_ms", "machine: processor"):
        assert words in told
    monkeypatch.setattr("similarity.bench.query.run_module", lambda *_: Done([], 1, "", "Error: no room.\n"))
    wrong = run("bench", "query", pictures / "dots", "--model", MODEL)
    assert wrong.stderr.endswith("Error: The search in a new process failed: Error: no room.\n")


@pytest.mark.exhaustive
@pytest.mark.usefixtures("embedder", "bundled")
def test_bench_query_starts_processes_of_its_own(pictures: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from similarity.bench.query import bench_query

    monkeypatch.setattr("similarity.bench.query.COLD_STARTS", 1)
    report = bench_query(pictures, model=MODEL)
    assert_query(report)
    assert report["cold_start_ms"] > report["p50_ms"]


def test_bench_explain_reports_milliseconds_with_a_known_query_and_without(
    run: Run, pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.bench.explain.PAUSE_S", 0)
    report = report_of(run("bench", "explain", pictures / "dots", "--model", MODEL, "--json"))
    assert report["is_exact"]
    assert report["pairs"] == 4
    assert 0 < report["p50_ms"] <= report["most_ms"]
    assert 0 < report["p50_ms_known_query"] <= report["most_ms_known_query"]


def test_a_model_whose_weights_are_not_here_is_measured_with_random_ones(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from similarity.bench.scratch_home import scratch_home
    from similarity.paths import home

    monkeypatch.setattr(
        "similarity.bench.scratch_home.make_random_weights", lambda _, path: path.write_bytes(b"random")
    )
    with scratch_home("resnet50") as (choice, real):
        assert (choice.backbone.name, real) == ("resnet50", False)
        assert choice.weights.read_bytes() == b"random"
        assert choice.weights.is_relative_to(home())
    assert not choice.weights.exists()
    assert os.environ["SIMILARITY_HOME"] == str(empty_home)


@pytest.mark.exhaustive
def test_random_weights_are_of_the_published_layout(tmp_path: Path) -> None:
    from similarity.embedding.backbones import build_network, get_backbone

    baseline.make_random_weights("resnet50", tmp_path / "weights.pth")
    assert (tmp_path / "weights.pth").stat().st_size > 90e6
    build_network(get_backbone("resnet50"), tmp_path / "weights.pth")


def test_random_weights_that_cannot_be_made_are_an_error_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for told, sentence in (("a trace\nMemoryError\n", "MemoryError"), ("", "exit status -9")):
        monkeypatch.setattr(baseline, "run_module", lambda *_, told=told: Done([], -9, "", told))
        with pytest.raises(SimilarityError, match=rf"Random weights for resnet50 could not be made \({sentence}\)"):
            baseline.make_random_weights("resnet50", tmp_path)


@pytest.mark.parametrize("task", ["embedding", "query"])
def test_a_folder_without_pictures_is_an_error_in_one_sentence(run: Run, task: str, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    done = run("bench", task, tmp_path / "empty", "--model", MODEL)
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1].startswith("Error: There are no pictures in")


@pytest.fixture
def measured_here(monkeypatch: pytest.MonkeyPatch) -> None:
    """Indexes are made and measured in this process, with few queries."""

    def run_module(module: str, task: str, recipe: str, folder: Path, file: Path, *accuracy: str) -> Done:
        assert module == "similarity.bench.indexes"
        report = (indexes.build if task == "build" else indexes.measure)(recipe, folder, file, *accuracy)  # type: ignore[operator]
        return Done([], 0, json.dumps(report), "")

    monkeypatch.setattr("similarity.bench.search.run_module", run_module)
    monkeypatch.setattr("similarity.bench.search.MAX_QUERIES", 20)
    monkeypatch.setattr("similarity.search.tuning.QUERIES", 20)


def assert_search(report: dict[str, Any]) -> None:
    rows = {row["recipe"]: row for row in report["recipes"]}
    assert {"flat", "flat-sq8", "auto", "ivf", "ivf, fast", "ivf, high"} <= rows.keys()
    keys = {"recipe", "build_s", "bytes_per_vector", "resident_mb", "p50_ms", "p95_ms", "recall@10"}
    for row in rows.values():
        assert keys <= row.keys()
        assert 0 < row["p50_ms"] <= row["p95_ms"]
        assert row["other_answers_from_threads"] == 0
    assert rows["flat"]["recall@10"] == rows["flat-sq8"]["recall@10"] == 1
    assert rows["ivf, fast"]["recall@10"] <= rows["ivf, high"]["recall@10"]
    assert rows["ivf, high"]["filtered_recall@10"] >= 0.98
    assert report["auto"]["recipe"] == "flat"
    assert report["recommendation"].startswith("Take auto")


@pytest.mark.exhaustive
@pytest.mark.usefixtures("measured_here")
def test_bench_search_measures_every_index_on_the_same_vectors(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    report = report_of(run("bench", "search", "--n", "1200", "--dim", "32", "--json"))
    assert (report["n"], report["dim"]) == (1200, 32)
    assert_search(report)
    monkeypatch.setattr("similarity.bench.search.EXACT_AT_MOST", 20)  # more than the nearest that are compared
    for module in ("search", "made_vectors"):
        monkeypatch.setattr(f"similarity.bench.{module}.BLOCK", 20)
    done = run("bench", "search", "--n", "40", "--dim", "8", COLUMNS="200")
    assert "40 vectors of 8, 20 queries" in done.stdout
    assert "flat*" in done.stdout
    assert "* measured with" in done.stderr


@pytest.mark.exhaustive
def test_bench_search_measures_each_index_in_a_process_of_its_own(run_process: Run) -> None:
    report = report_of(run_process("bench", "search", "--n", "3000", "--dim", "64", "--json"))
    assert (report["n"], report["dim"]) == (3000, 64)
    assert_search(report)


@pytest.mark.usefixtures("measured_here")
def test_bench_search_of_a_gallery_takes_its_own_vectors(shapes: object) -> None:  # noqa: ARG001 - it is measured
    from similarity.bench.search import bench_search

    report = bench_search(gallery="shapes")
    assert (report["n"], report["dim"], report["vectors"]) == (14, 1280, "shapes")
    assert [row["recipe"] for row in report["recipes"]][:3] == ["flat", "flat-sq8", "auto"]


@pytest.mark.exhaustive
@pytest.mark.usefixtures("measured_here")
def test_an_index_that_cannot_be_measured_is_an_error_in_a_sentence(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.bench.search.run_module", lambda *_: Done([], 1, "", "a trace\nMemoryError\n"))
    done = run("bench", "search", "--n", "20", "--dim", "4")
    assert done.stderr.endswith("Error: The index flat could not be measured (MemoryError).\n")
    assert run("bench", "search", "--n", "3").stderr.endswith("3 vectors are too few to measure: take at least 10.\n")


@pytest.mark.exhaustive
@pytest.mark.usefixtures("imported_torch")
def test_bench_neighbours_reports_seconds_memory_and_recall(run: Run) -> None:
    report = report_of(run("bench", "neighbours", "--count", "2000", "--dim", "64", "--json"))
    assert (report["count"], report["dim"]) == (2000, 64)
    assert min(report["recall"], report["query_recall"], report["add_recall"]) >= 0.95
    assert report["expected"]["disk"] == 40_000
    assert 0 < report["add_moved"] < 2000
    shown = run("bench", "neighbours", "--count", "1000", "--dim", "16").stdout
    assert "recall of the neighbours of queries, by that index" in shown
    assert "are too few to measure" in run("bench", "neighbours", "--count", "20").stderr


@pytest.mark.exhaustive
def test_bench_teaching_tells_what_a_head_is_worth(
    run: Run, empty_home: Path, own_pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for kind in ("dots", "stripes"):  # five labels, since three are too few to hold some out
        (own_pictures / f"other {kind}").mkdir()
        for number in (3, 4):
            path = own_pictures / kind / f"{kind}-{number}.jpg"
            path.rename(own_pictures / f"other {kind}" / path.name)
    Gallery.build(own_pictures, empty_home / "galleries" / "taught", model=MODEL)

    def short(gallery: Gallery, settings: Settings) -> Labelled:
        """With so few numbers each that their components are found in no time."""
        pictures = labelled_pictures(gallery, settings)
        return replace(pictures, embeddings=normalise(pictures.embeddings[:, :32]))

    quick = Settings(epochs=1, members=1)
    monkeypatch.setattr("similarity.bench.finetuning.labelled_pictures", short)
    monkeypatch.setattr("similarity.bench.finetuning.Settings", lambda loss: replace(quick, loss=loss))
    monkeypatch.setattr("similarity.bench.finetuning.PICTURES", 0.4)
    command = ("bench", "teaching", "-g", "taught", "--draws", "2")
    report = report_of(run(*command, "--json"))
    assert (report["gallery"], report["loss"], report["draws"]) == ("taught", "multi-similarity", 2)
    for case in ("pictures", "labels", "labels, nothing kept"):
        for figures in (report[case]["recall@1"], report[case]["map@r"]):
            assert figures.keys() == {"before", "after", "change", "spread", "least"}
            assert figures["change"] == pytest.approx(figures["after"] - figures["before"], abs=2e-4)
            assert figures["least"] <= figures["change"] + 1e-4
    told = run(*command, COLUMNS="200").stdout
    assert "labels, nothing kept" in told
    assert "2 draws, loss multi-similarity" in told


def test_what_is_measured_with_fewer_vectors_is_scaled_and_says_so() -> None:
    from similarity.bench.search import Case, _row

    measured = {"p50_ms": 10.0, "build_s": 2.0, "recall@10": 1.0, "bytes_per_vector": 8, "queries_per_s_batch": 50.0}
    scaled = _row(Case("flat", "flat"), measured, 1_000_000)
    assert scaled["extrapolated_from"] == 200_000
    assert (scaled["p50_ms"], scaled["build_s"], scaled["queries_per_s_batch"]) == (50.0, 10.0, 10.0)
    assert (scaled["recall@10"], scaled["bytes_per_vector"]) == (1.0, 8)
    assert "extrapolated_from" not in _row(Case("ivf", "IVF16,SQ8"), measured, 0)

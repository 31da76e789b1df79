"""The benchmarks: that they measure and report, never how fast anything is."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from conftest import MODEL

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


def bench(environment: dict[str, str], *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "similarity", "bench", *map(str, arguments)]
    return subprocess.run(command, env=environment, capture_output=True, text=True, check=False)


@pytest.mark.usefixtures("embedder")
def test_bench_embedding_reports_rates_that_belong_together(
    pictures: Path, child_environment: dict[str, str], home: Path
) -> None:
    before = sorted(home.rglob("*"))
    done = bench(child_environment, "embedding", pictures, "--model", MODEL, "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert report.keys() >= EMBEDDING_KEYS
    assert (report["model"], report["weights"], report["pictures"]) == (MODEL, "pretrained", 15)
    bound = 1 / (1 / report["model_images_per_s"] + 1 / report["decode_images_per_s"])
    assert report["bound_images_per_s"] == pytest.approx(bound, rel=0.01)
    assert report["efficiency"] == pytest.approx(report["images_per_s"] / bound, rel=0.01)
    speedup = report["images_per_s"] / report["torch_eager_images_per_s"]
    assert report["speedup_over_torch_eager"] == pytest.approx(speedup, rel=0.05)
    assert report["machine"]["cores"] >= 1
    assert sorted(home.rglob("*")) == before


@pytest.mark.usefixtures("embedder")
def test_bench_query_reports_latencies_for_one_and_many_threads(
    pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from similarity.bench import query

    monkeypatch.setattr(query, "COLD_STARTS", 1)
    report = query.bench_query(pictures, model=MODEL)
    assert 0 < report["p50_ms"] <= report["p95_ms"]
    assert 0 < report["p50_ms_threads"] <= report["p95_ms_threads"]
    assert report["threads"] == 8
    assert report["cold_start_ms"] > report["p50_ms"]


def test_bench_explain_reports_milliseconds_with_a_known_query_and_without(pictures: Path) -> None:
    from similarity.bench.explain import bench_explain

    report = bench_explain(pictures, model=MODEL)
    assert report["is_exact"]
    assert report["pairs"] == 14
    assert 0 < report["p50_ms"] <= report["most_ms"]
    assert 0 < report["p50_ms_known_query"] <= report["most_ms_known_query"]


def test_a_model_whose_weights_are_not_here_is_measured_with_random_ones(
    empty_home: Path,
) -> None:
    from similarity.bench.scratch import scratch_home
    from similarity.home import home

    with scratch_home("resnet50") as (choice, real):
        assert (choice.backbone.name, real) == ("resnet50", False)
        assert choice.weights.stat().st_size > 90e6
        assert choice.weights.is_relative_to(home())
    assert not choice.weights.exists()
    assert os.environ["SIMILARITY_HOME"] == str(empty_home)


@pytest.mark.parametrize("task", ["embedding", "query"])
def test_a_folder_without_pictures_is_an_error_in_one_sentence(
    task: str, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    done = bench(child_environment, task, tmp_path, "--model", MODEL)
    assert done.returncode == 1
    assert done.stderr.startswith("Error: There are no pictures in")
    assert done.stderr.count("\n") == 1


def test_bench_search_measures_every_index_on_the_same_vectors(child_environment: dict[str, str]) -> None:
    done = bench(child_environment, "search", "--n", "3000", "--dim", "64", "--json")
    assert done.returncode == 0, done.stderr
    report = json.loads(done.stdout)
    assert (report["n"], report["dim"]) == (3000, 64)
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


def test_bench_search_of_a_gallery_takes_its_own_vectors(shapes: object) -> None:  # noqa: ARG001 - it is measured
    from similarity.bench.search import bench_search

    report = bench_search(gallery="shapes")
    assert (report["n"], report["dim"], report["vectors"]) == (14, 1280, "shapes")
    assert [row["recipe"] for row in report["recipes"]][:3] == ["flat", "flat-sq8", "auto"]


def test_what_is_measured_with_fewer_vectors_is_scaled_and_says_so() -> None:
    from similarity.bench.search import Case, _row

    measured = {"p50_ms": 10.0, "build_s": 2.0, "recall@10": 1.0, "bytes_per_vector": 8, "queries_per_s_batch": 50.0}
    scaled = _row(Case("flat", "flat"), measured, 1_000_000)
    assert scaled["extrapolated_from"] == 200_000
    assert (scaled["p50_ms"], scaled["build_s"], scaled["queries_per_s_batch"]) == (50.0, 10.0, 10.0)
    assert (scaled["recall@10"], scaled["bytes_per_vector"]) == (1.0, 8)
    assert "extrapolated_from" not in _row(Case("ivf", "IVF16,SQ8"), measured, 0)

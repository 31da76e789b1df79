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

"""Ray itself, started through the command line as a person would: it leaves traces in the process that starts it."""

import json
import os
import shutil
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL
from test_shards import table, times

from similarity.errors import ClusterError
from similarity.shards.layout import Layout, lay_out

WITHIN = """
from similarity.distributed import cluster

with cluster() as workers:
    import ray
    from ray._common.usage import usage_lib
    assert workers.device == "cpu"
    assert not usage_lib.usage_stats_enabled()
    assert not ray._private.worker.global_worker.node.address_info.get("webui_url")
assert not ray.is_initialized()
"""


@pytest.fixture(scope="module")
def folder(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """15 pictures and one that is none."""
    copied = Path(shutil.copytree(pictures, tmp_path_factory.mktemp("ray") / "pictures"))
    (copied / "dots" / "bad.jpg").write_bytes(b"no picture")
    return copied


def command(folder: Path, out: Path, *options: object) -> list[str]:
    arguments = ["embed", folder, "--out", out, "-m", MODEL, *options, "--json"]
    return [sys.executable, "-m", "similarity", *map(str, arguments)]


def environment() -> dict[str, str]:
    return dict(os.environ) | {"PYTHONPATH": str(Path(__file__).resolve().parents[1])}


@pytest.fixture(scope="module")
def runs(folder: Path) -> dict[str, Any]:
    """A run with Ray that is killed half-way, the same again, and one without Ray."""
    out = folder.parent / "shards"
    with_ray = command(folder, out, "--engine", "ray", "--shard-size", 1, "--cpus-per-worker", 1)
    with subprocess.Popen(with_ray, env=environment(), stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as first:
        deadline = time.monotonic() + 60
        while len(times(out)) < 4 and time.monotonic() < deadline:
            time.sleep(0.02)
        first.send_signal(signal.SIGKILL)
    time.sleep(1)  # until the workers have noticed
    before = times(out)
    again = subprocess.run(with_ray, env=environment(), capture_output=True, text=True, check=False)
    local = subprocess.run(
        command(folder, folder.parent / "local"), env=environment(), capture_output=True, text=True, check=True
    )
    return {"before": before, "out": out, "again": again, "local": json.loads(local.stdout)}


def test_a_run_that_was_killed_half_way_goes_on_and_embeds_each_picture_once(
    runs: dict[str, Any], folder: Path
) -> None:
    assert runs["again"].returncode == 0, runs["again"].stderr
    told = json.loads(runs["again"].stdout)
    assert 4 <= len(runs["before"]) < 16
    assert (told["engine"], told["shards"]) == ("ray", 16)
    assert 0 < told["embedded"] < 15
    assert told["embedded"] + told["resumed"] == 15
    assert runs["before"].items() <= times(runs["out"]).items(), "what was there is not made again"
    rows = table(runs["out"])
    assert rows.column("path").to_pylist() == sorted(str(path) for path in folder.rglob("*.jpg"))
    assert [one["path"] for one in told["skipped"]] == [str(folder / "dots" / "bad.jpg")]


def test_its_embeddings_are_those_of_the_local_pipeline(runs: dict[str, Any], folder: Path) -> None:
    with_ray, local = table(runs["out"]).to_pylist(), table(folder.parent / "local").to_pylist()
    for one, other in zip(with_ray, local, strict=True):
        assert {**one, "vector": None} == {**other, "vector": None}
        if one["vector"]:
            assert np.dot(one["vector"], other["vector"]) >= 0.99999


def test_ray_says_nothing_of_its_own_and_sends_nothing(runs: dict[str, Any]) -> None:
    assert runs["again"].stderr == ""
    probe = [sys.executable, "-c", WITHIN]
    told = subprocess.run(probe, env=environment(), capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")


def test_a_cluster_that_does_not_answer_is_an_error_in_a_sentence(pictures: Path, tmp_path: Path) -> None:
    started = time.monotonic()
    away = command(pictures, tmp_path / "out", "--engine", "ray", "--address", "127.0.0.1:1")
    told = subprocess.run(away, env=environment(), capture_output=True, text=True, check=False)
    assert told.returncode == 1
    assert told.stderr.startswith("Error: No Ray cluster answers at 127.0.0.1:1: check the address")
    assert time.monotonic() - started < 30
    assert not (tmp_path / "out").exists()


def node(cores: float, gpus: float = 0, *, alive: bool = True) -> dict[str, Any]:
    return {"Alive": alive, "Resources": {"CPU": cores} | ({"GPU": gpus} if gpus else {})}


def test_there_is_a_worker_for_each_group_of_cores_or_for_each_gpu() -> None:
    assert lay_out([node(2.0)], None) == Layout("cpu", 2, 1)
    assert lay_out([node(2.0)], 1) == Layout("cpu", 1, 2)
    assert lay_out([node(32.0), node(12.0), node(64.0, alive=False)], None) == Layout("cpu", 8, 5)
    assert lay_out([node(4.0), node(32.0, 4.0)], None) == Layout("cuda", 8, 4)
    with pytest.raises(ClusterError, match="No computer of the Ray cluster has 4 cores"):
        lay_out([node(2.0)], 4)
    with pytest.raises(ClusterError):
        lay_out([], None)

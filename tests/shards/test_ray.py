"""Embedding with Ray: what is asked of it, of a stand-in that does it here; and Ray itself, in processes of its own.

Ray leaves traces in the process that starts it or connects to it.
"""

import json
import os
import secrets
import shutil
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import Run, run_command, started
from conftest import MODEL, Site, bundled_model
from test_shards import table, times

from similarity import Embedder
from similarity.embedding.backbones.weights import choose_model
from similarity.errors import ClusterError, ModelError, SimilarityError
from similarity.shards.chunks import open_list
from similarity.shards.ray import QUIET, cluster
from similarity.shards.resources import Layout, lay_out
from similarity.shards.run import ShardOptions, embed
from similarity.shards.worker import Task

ROOT = Path(__file__).resolve().parents[2]


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


class RayError(Exception):
    """What Ray raises where it gives up."""


@dataclass
class Standin:
    """As much of Ray as is used: one actor, made and asked in this process.

    Attributes:
        fault: raised by `init` instead of starting.
        gives_up: raised in the middle of the work.
        started: what `init` was told, each time.
        variables: the environment that processes which `init` starts would have.
        given: how many chunks it was given, each time.
        asked: of `map_batches`, and of the pool of actors.
    """

    fault: BaseException | None = None
    gives_up: BaseException | None = None
    started: list[dict[str, Any]] = field(default_factory=list)
    variables: dict[str, str] = field(default_factory=dict)
    given: list[int] = field(default_factory=list)
    asked: dict[str, Any] = field(default_factory=dict)
    is_running: bool = False

    def init(self, **settings: Any) -> None:
        self.started.append(settings)
        self.variables = dict(os.environ)
        if self.fault:
            raise self.fault
        self.is_running = True

    def shutdown(self) -> None:
        self.is_running = False

    def blocks(self, blocks: list[pa.Table]) -> SimpleNamespace:
        def map_batches(worker: Any, *, fn_constructor_args: tuple[Task], compute: dict[str, int], **asked: Any) -> Any:
            self.asked = compute | asked
            self.given.append(len(blocks))
            rows = self._rows(worker(*fn_constructor_args), blocks)
            return SimpleNamespace(iter_rows=lambda: rows)

        return SimpleNamespace(map_batches=map_batches)

    def _rows(self, actor: Any, blocks: Sequence[pa.Table]) -> Iterator[dict[str, str]]:
        for block in blocks:
            (told,) = actor({"chunk": np.array(block.column("chunk").to_pylist(), object)})["result"]
            yield {"result": told}
            if self.gives_up:
                raise self.gives_up

    def modules(self) -> dict[str, ModuleType]:
        ray, data, exceptions = (ModuleType(name) for name in ("ray", "ray.data", "ray.exceptions"))
        context = SimpleNamespace(enable_progress_bars=True, print_on_execution_start=True)
        data.__dict__.update(
            ActorPoolStrategy=dict, from_arrow=self.blocks, DataContext=SimpleNamespace(get_current=lambda: context)
        )
        exceptions.__dict__.update(RayError=RayError)
        ray.__dict__.update(
            init=self.init,
            shutdown=self.shutdown,
            is_initialized=lambda: self.is_running,
            nodes=lambda: [node(16.0)],
            data=data,
            exceptions=exceptions,
        )
        return {"ray": ray, "ray.data": data, "ray.exceptions": exceptions}


@pytest.fixture
def standin(light_shards: None, light_embedder: Embedder, monkeypatch: pytest.MonkeyPatch) -> Standin:  # noqa: ARG001
    """Ray is the stand-in, and its workers take the light network."""
    ray = Standin()
    for name, module in ray.modules().items():
        monkeypatch.setitem(sys.modules, name, module)
    for name, value in QUIET.items():
        monkeypatch.setenv(name, value)
    monkeypatch.delenv("RAY_ADDRESS", raising=False)
    monkeypatch.setattr("similarity.shards.ray.load_embedder", lambda _: light_embedder)
    return ray


def with_bad(pictures: Path, folder: Path) -> Path:
    """15 pictures and one that is none."""
    copied = Path(shutil.copytree(pictures, folder))
    (copied / "dots" / "bad.jpg").write_bytes(b"no picture")
    return copied


def assert_same(out: Path, local: Path) -> None:
    """Two folders have the same pictures with the same embeddings."""
    for one, other in zip(table(out).to_pylist(), table(local).to_pylist(), strict=True):
        assert {**one, "vector": None} == {**other, "vector": None}
        if one["vector"]:
            assert np.dot(one["vector"], other["vector"]) >= 0.99999


def test_workers_are_given_their_cores_and_embed_what_this_process_embeds(
    standin: Standin, light_embedder: Embedder, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, tasks = with_bad(pictures, tmp_path / "pictures"), []

    def load(task: Task) -> Embedder:
        tasks.append(task)
        return light_embedder.with_view("fit")

    monkeypatch.setattr("similarity.shards.ray.load_embedder", load)
    monkeypatch.setenv("SIMILARITY_EXAMPLE", "for workers too")
    before = os.environ.get("PYTHONPATH")
    choice, told = choose_model(MODEL), []
    done = embed(
        open_list(folder),
        tmp_path / "out",
        choice,
        ShardOptions(size=6),
        workers=cluster(cores=4),
        progress=told.append,
    )
    assert (done.engine, done.embedded, done.shards, told[-1].done) == ("ray", 15, 3, 16)
    assert [one.path for one in done.skipped] == [str(folder / "dots" / "bad.jpg")]
    embed(open_list(folder), tmp_path / "local", choice, ShardOptions(size=6))
    assert_same(tmp_path / "out", tmp_path / "local")
    assert [task.threads for task in tasks] == [4], "one model for all the chunks of a worker"
    assert standin.asked == {
        "size": 3,  # of four that there is room for
        "max_tasks_in_flight_per_actor": 2,
        "batch_size": 1,
        "batch_format": "numpy",
        "num_cpus": 4,
        "num_gpus": 0,
    }
    (settings,) = standin.started
    assert (settings["address"], settings["include_dashboard"]) == ("local", False)
    assert "runtime_env" not in settings, "or what Ray has started ahead could not be used"
    assert standin.variables["SIMILARITY_EXAMPLE"] == "for workers too"
    assert standin.variables["PYTHONPATH"].split(os.pathsep)[0] == str(ROOT)
    assert os.environ.get("PYTHONPATH") == before
    assert not standin.is_running


def test_workers_of_another_cluster_are_told_their_environment(
    standin: Standin, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMILARITY_EXAMPLE", "for workers too")
    with cluster("auto"):
        pass
    (settings,) = standin.started
    variables = settings["runtime_env"]["env_vars"]
    assert variables["SIMILARITY_EXAMPLE"] == "for workers too"
    assert variables["PYTHONPATH"].split(os.pathsep)[0] == str(ROOT)


def test_ray_is_given_a_long_list_part_by_part(
    standin: Standin, pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.shards.ray.WINDOW", 6)
    done = embed(open_list(pictures), tmp_path / "out", choose_model(MODEL), ShardOptions(size=1), workers=cluster())
    assert (done.embedded, done.shards, standin.given) == (15, 15, [6, 6, 3])


def test_a_cluster_that_this_process_is_connected_to_is_left_running(standin: Standin) -> None:
    standin.is_running = True
    with cluster() as workers:
        assert workers.device == "cpu"
    assert standin.started == []
    assert standin.is_running


def test_an_error_of_a_worker_is_told_as_if_it_were_here(
    standin: Standin,  # noqa: ARG001
    pictures: Path,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    for raised, told in ((ModelError("No such model here."), ModelError), (SimilarityError("Other."), ClusterError)):

        def load(_: Task, error: SimilarityError = raised) -> Embedder:
            raise error

        monkeypatch.setattr("similarity.shards.ray.load_embedder", load)
        with pytest.raises(told, match=str(raised)):
            embed(open_list(pictures), tmp_path / "out", choose_model(MODEL), workers=cluster())


def test_a_cluster_that_gives_up_leaves_what_is_done_for_the_next_run(
    standin: Standin, pictures: Path, tmp_path: Path
) -> None:
    standin.gives_up = RayError("a page of stack traces")
    with pytest.raises(ClusterError, match=r"Ray failed \(RayError\): run the same command again"):
        embed(open_list(pictures), tmp_path / "out", choose_model(MODEL), ShardOptions(size=5), workers=cluster())
    assert not standin.is_running
    standin.gives_up = None
    done = embed(open_list(pictures), tmp_path / "out", choose_model(MODEL), ShardOptions(size=5), workers=cluster())
    assert (done.embedded, done.resumed) == (10, 5)


@pytest.mark.parametrize(
    ("fault", "address", "sentence"),
    [
        (RuntimeError("no\nroom"), None, r"Ray cannot be started on this computer \(RuntimeError: no\)\."),
        (SystemExit(1), "auto", r"The Ray cluster at auto cannot be used \(SystemExit: 1\)\."),
        (RuntimeError("AuthenticationError: who?"), "auto", "requires a token: set RAY_AUTH_MODE=token"),
    ],
)
def test_a_cluster_that_cannot_be_used_is_an_error_in_a_sentence(
    standin: Standin, fault: BaseException, address: str | None, sentence: str
) -> None:
    standin.fault = fault
    with pytest.raises(ClusterError, match=sentence), cluster(address):
        pass


def test_a_cluster_that_does_not_answer_is_an_error_in_a_sentence(
    run: Run, standin: Standin, pictures: Path, tmp_path: Path
) -> None:
    told = run("embed", pictures, "--out", tmp_path / "out", "-m", MODEL, "--engine", "ray", "--address", "127.0.0.1:1")
    assert told.returncode == 1
    assert told.stderr.startswith("Error: No Ray cluster answers at 127.0.0.1:1: check the address")
    assert standin.started == [], "Ray itself would try for two minutes"
    assert not (tmp_path / "out").exists()


def test_without_ray_the_error_says_what_to_install(standin: Standin, monkeypatch: pytest.MonkeyPatch) -> None:
    assert not standin.is_running
    monkeypatch.setitem(sys.modules, "ray", None)
    with pytest.raises(ClusterError, match=r"pip install 'ray\[data\]'"), cluster():
        pass


# Ray itself.

HEAD = """
import sys
from similarity.shards.ray import cluster

with cluster():
    import ray
    print(ray.get_runtime_context().gcs_address, flush=True)
    sys.stdin.read()
"""
WITHIN = """
from similarity.shards.ray import cluster

with cluster() as workers:
    import ray
    from ray._common.usage import usage_lib
    assert workers.device == "cpu"
    assert not usage_lib.usage_stats_enabled()
    assert not ray._private.worker.global_worker.node.address_info.get("webui_url")
assert not ray.is_initialized()
"""


# Whoever connects to the Ray of another process has to have its token.
TOKEN = {"RAY_AUTH_MODE": "token", "RAY_AUTH_TOKEN": secrets.token_hex(32)}


def environment(**variables: str) -> dict[str, str]:
    return dict(os.environ) | {"PYTHONPATH": str(ROOT)} | variables


@pytest.fixture(scope="session")
def head() -> Iterator[str]:
    """The address of a Ray that a process of its own has started, for the whole run."""
    pytest.importorskip("ray")
    with started(
        [sys.executable, "-c", HEAD], env=environment(**TOKEN), stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as process:
        assert process.stdin
        assert process.stdout
        address = process.stdout.readline().strip()
        assert address
        yield address
        process.stdin.close()
        assert process.wait(60) == 0


@dataclass(frozen=True)
class Runs:
    """A run with Ray that was killed half-way, the same again, and one without Ray."""

    listing: Path
    before: dict[str, int]
    out: Path
    again: "subprocess.CompletedProcess[str]"
    local: Path


@pytest.fixture(scope="session")
def runs(pictures: Path, head: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Runs]:
    """Six of the pictures are files; the site has the others, and keeps workers waiting until they are gone."""
    folder = tmp_path_factory.mktemp("ray")
    paths = sorted(with_bad(pictures, folder / "pictures").rglob("*.jpg"))
    site = Site()
    far = {f"/{path.name}": path for path in paths[6:]}
    places = [*map(str, paths[:6]), *map(site.url, far)]
    pq.write_table(pa.table({"path": places}), folder / "list.parquet")
    command = ("embed", folder / "list.parquet", "--out", folder / "out", "-m", MODEL, "--json", "--shard-size", 1)
    with_ray = [sys.executable, "-m", "similarity", *map(str, command), "--engine", "ray", "--address", head]
    variables = {"SIMILARITY_PRIVATE_HOSTS": site.host} | TOKEN
    waiting: list[str] = []

    def keeps_waiting(handler: Any) -> None:
        waiting.append(handler.path)
        handler.connection.recv(1)  # returns when whoever asked is gone
        waiting.remove(handler.path)

    site.pages |= dict.fromkeys(far, keeps_waiting)
    with started(
        [*with_ray, "--cpus-per-worker", "1"],
        env=environment(**variables),
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    ) as first:
        wait_for(lambda: first.poll() is not None or (len(times(folder / "out")) >= 4 and waiting))
        assert first.poll() is None
        first.send_signal(signal.SIGKILL)
    wait_for(lambda: not waiting)  # the workers have noticed
    before = times(folder / "out")
    site.pages = {path: (200, {}, file.read_bytes()) for path, file in far.items()}
    again = subprocess.run(
        [*with_ray, "--cpus-per-worker", "1"],
        env=environment(**variables),
        capture_output=True,
        text=True,
        check=False,
    )
    with bundled_model():
        words = [folder / "local" if word == folder / "out" else word for word in command]
        assert run_command(*words, environment=variables).returncode == 0
    yield Runs(folder / "list.parquet", before, folder / "out", again, folder / "local")
    site.close()


def wait_for(condition: Callable[[], object]) -> None:
    """Until it holds; the processes that it is about tell nothing."""
    deadline = time.monotonic() + 120
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)


@pytest.mark.cluster
def test_a_run_that_was_killed_half_way_goes_on_and_embeds_each_picture_once(runs: Runs) -> None:
    assert runs.again.returncode == 0, runs.again.stderr
    assert runs.again.stderr == ""
    told = json.loads(runs.again.stdout)
    assert 4 <= len(runs.before) <= 6
    assert (told["engine"], told["shards"]) == ("ray", 16)
    assert told["embedded"] >= 10
    assert told["embedded"] + told["resumed"] == 15
    assert runs.before.items() <= times(runs.out).items(), "what was there is not made again"
    rows = table(runs.out)
    assert rows.column("path").to_pylist() == pq.read_table(runs.listing).column("path").to_pylist()
    assert [one["path"].partition(" ")[0] for one in told["skipped"]] == [
        str(runs.listing.parent / "pictures" / "dots" / "bad.jpg")
    ]


@pytest.mark.cluster
def test_its_embeddings_are_those_of_the_local_pipeline(runs: Runs) -> None:
    assert_same(runs.out, runs.local)


@pytest.mark.cluster
def test_ray_says_nothing_of_its_own_and_sends_nothing() -> None:
    pytest.importorskip("ray")
    probe = [sys.executable, "-c", WITHIN]
    told = subprocess.run(probe, env=environment(), capture_output=True, text=True, check=False)
    assert (told.returncode, told.stdout, told.stderr) == (0, "", "")

"""Embedding chunks with Ray, on all cores of one computer or several. The only module that uses Ray.

    list of chunks ──▶ actors, each with a model and a group of cores, or a GPU ──▶ shards on a disk that all share
                                            │
                                            └──▶ a row for each shard, which is the progress

The list is in Ray's memory from the start, since actors that hold all cores would wait for ever for a task that reads
it. Only chunks and counts pass through Ray: pictures go from the disk to a shard within one actor, see `shards.worker`.
An actor whose process died is started again, and asked for the same chunk, without end: `shards.attempts` ends it.
Back-pressure: an actor works on one chunk while another waits; Ray Data's executor holds the others back, and is given
no more than WINDOW of them, so that its memory does not grow with the list.
"""

import json
import logging
import os
import pickle
import socket
import warnings
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from similarity.embedding.devices import Unit
from similarity.errors import ClusterError, ModelError, ShardError, SimilarityError, SourceError, WeightsError
from similarity.shards.chunks import Chunk
from similarity.shards.resources import Layout, lay_out
from similarity.shards.run import Advance, Workers
from similarity.shards.worker import Done, Task, embed_chunk, load_embedder

if TYPE_CHECKING:
    from similarity.embedding.embedder import Embedder

# This package's own `pip` extra.
EXTRA = "Ray is not installed: run `pip install 'ray[data]'`."
# Chunks queued at each actor, so that it never waits for one.
WAITING = 1
# Chunks that Ray is given at a time, all of which it keeps in memory. New actors for the next cost some seconds.
WINDOW = 4096
# Ray's own memory on one computer: counts and lists of paths are all that is in it.
OBJECT_BYTES = 256 << 20
CONNECT_SECONDS = 5.0
# No usage statistics, progress lines or warnings of Ray's own processes on the terminal.
QUIET = {
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_DATA_DISABLE_PROGRESS_BARS": "1",
    "RAY_BACKEND_LOG_LEVEL": "fatal",
    "RAY_ACCEL_ENV_VAR_OVERRIDE_ON_ZERO": "0",
}

# Errors of a worker, by name.
KINDS: dict[str, type[SimilarityError]] = {
    kind.__name__: kind for kind in (ModelError, WeightsError, SourceError, ShardError)
}

logger = logging.getLogger(__name__)


class Worker:
    """An actor that embeds chunks into shards, and returns a row for each.

    The model is loaded with the first chunk, so that its errors can be returned in a row, too: an exception in an actor
    would arrive as a page of stack traces.
    """

    def __init__(self, task: Task) -> None:
        self._task = task
        self._embedder: Embedder | None = None

    def __call__(self, batch: dict[str, Any]) -> dict[str, list[str]]:
        """Embed one chunk, which is pickled in `batch`."""
        return {"result": [json.dumps(self._embed(pickle.loads(chunk))) for chunk in batch["chunk"]]}

    def _embed(self, chunk: Chunk) -> dict[str, Any]:
        try:
            return embed_chunk(chunk, self._load, self._task).to_json()
        except SimilarityError as error:
            return {"error": type(error).__name__, "message": str(error)}

    def _load(self) -> "Embedder":
        if self._embedder is None:
            self._embedder = load_embedder(self._task)
        return self._embedder


class Cluster:
    """Workers of a connected Ray cluster."""

    name = "ray"

    def __init__(self, layout: Layout) -> None:
        self.device: Unit = layout.device
        self._layout = layout

    def embed(self, task: Task, chunks: Sequence[Chunk], advance: Advance) -> Iterator[Done]:
        """Embed chunks, and yield results in the order in which they finish.

        Raises:
            SimilarityError: the error of a worker. ClusterError: the cluster failed.
        """
        limited = replace(task, threads=self._layout.cores)
        for start in range(0, len(chunks), WINDOW):
            for done in self._embed(limited, chunks[start : start + WINDOW]):
                advance(done.counts.rows)
                yield done

    def _embed(self, task: Task, chunks: Sequence[Chunk]) -> Iterator[Done]:
        import ray.data
        from ray.exceptions import RayError

        blocks = [pa.table({"chunk": pa.array([pickle.dumps(chunk)], pa.binary())}) for chunk in chunks]
        pool = ray.data.ActorPoolStrategy(
            size=min(self._layout.count, len(chunks)), max_tasks_in_flight_per_actor=1 + WAITING
        )
        results = ray.data.from_arrow(blocks).map_batches(
            Worker,
            fn_constructor_args=(task,),
            batch_size=1,
            batch_format="numpy",
            compute=pool,
            num_cpus=self._layout.cores,
            num_gpus=1 if self.device == "cuda" else 0,
        )
        try:
            for row in results.iter_rows():
                yield _result(json.loads(row["result"]))
        except RayError as error:
            logger.info("Ray failed", exc_info=True)
            raise ClusterError(f"Ray failed ({type(error).__name__}): run the same command again to resume.") from error


@contextmanager
def cluster(address: str | None = None, *, cores: int | None = None) -> Iterator[Workers]:
    """Connect to a Ray cluster until the block ends.

    Args:
        address: address of its head, `host:6379`; `auto` is the one that runs on this computer. Without one, and
            without RAY_ADDRESS, a cluster of this computer alone is started, and stopped at the end.
        cores: cores of each worker; by default all of a node, up to 8.

    Raises:
        ClusterError: it cannot be reached or started, has no room for a worker, or Ray is not installed.
    """
    os.environ |= {name: value for name, value in QUIET.items() if name not in os.environ}
    os.environ["RAY_USAGE_STATS_ENABLED"] = "0"
    try:
        import ray
        import ray.data
    except ImportError as error:
        raise ClusterError(EXTRA) from error
    is_ours = not ray.is_initialized()
    try:
        if is_ours:
            _connect(ray, address or os.environ.get("RAY_ADDRESS") or "")
        _hush(ray)
        nodes: Callable[[], list[dict[str, Any]]] = ray.nodes  # which has no types of its own
        yield Cluster(lay_out(nodes(), cores))
    finally:
        if is_ours:
            ray.shutdown()


def _connect(ray: Any, address: str) -> None:
    """Connect to a cluster, or start one."""
    settings: dict[str, Any] = {"log_to_driver": False, "logging_level": logging.ERROR}
    inherited: dict[str, str] = {}
    if not address:
        settings |= {"include_dashboard": False, "num_cpus": os.cpu_count(), "object_store_memory": OBJECT_BYTES}
        # Processes that Ray starts ahead can only be used by workers without an environment of their own.
        inherited = _environment()
    else:
        settings |= {"runtime_env": {"env_vars": _environment()}}
        _check_reachable(address)
    try:
        with warnings.catch_warnings(), _silent(), _with_variables(inherited):
            warnings.simplefilter("ignore")
            ray.init(address=address or "local", **settings)
    except (OSError, RuntimeError, ValueError, SystemExit) as error:  # Ray exits where it gives up
        if "AuthenticationError" in f"{error!r} {error.__cause__!r}":
            raise ClusterError(
                f"The Ray cluster at {address} requires a token: set RAY_AUTH_MODE=token, and give the cluster's own "
                f"in RAY_AUTH_TOKEN_PATH."
            ) from error
        reason = str(error).strip().partition("\n")[0]
        place = f"The Ray cluster at {address} cannot be used" if address else "Ray cannot be started on this computer"
        raise ClusterError(f"{place} ({type(error).__name__}: {reason}).") from error


@contextmanager
def _with_variables(variables: dict[str, str]) -> Iterator[None]:
    """Set environment variables for the processes that are started within."""
    saved = {name: os.environ.get(name) for name in variables}
    os.environ |= variables
    try:
        yield
    finally:
        for name, value in saved.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value


@contextmanager
def _silent() -> Iterator[None]:
    """Silence standard error, where Ray reports that its messages are turned off, even if it must not."""
    saved = os.dup(2)
    nowhere = os.open(os.devnull, os.O_WRONLY)
    try:
        os.dup2(nowhere, 2)
        yield
    finally:
        os.dup2(saved, 2)
        os.close(saved)
        os.close(nowhere)


def _check_reachable(address: str) -> None:
    """Check that an address can be reached, since Ray would try for two minutes and then end this process."""
    host, separator, port = address.removeprefix("ray://").rpartition(":")
    if not separator or not port.isdecimal():
        return
    try:
        socket.create_connection((host.strip("[]"), int(port)), timeout=CONNECT_SECONDS).close()
    except (OSError, OverflowError) as error:
        raise ClusterError(
            f"No Ray cluster answers at {address}: check the address, and that `ray start --head` runs there."
        ) from error


def _environment() -> dict[str, str]:
    """Environment variables of workers: this package, where it is not installed, and our settings."""
    package_root = str(Path(__file__).resolve().parents[2])
    search_path = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH"))))
    ours = {name: value for name, value in os.environ.items() if name.startswith("SIMILARITY_")}
    return ours | {"PYTHONPATH": search_path}


def _hush(ray: Any) -> None:
    """Silence Ray's own messages on the terminal, since this package reports progress itself."""
    context = ray.data.DataContext.get_current()
    context.enable_progress_bars = False
    context.print_on_execution_start = False
    for name in ("ray", "ray.data"):
        logging.getLogger(name).setLevel(logging.CRITICAL)  # an error is raised as well
    # It has no setting for what it tells of nodes and workers that have gone, on standard output, where our JSON goes.
    if internals := getattr(ray, "_private", None):
        internals.worker.print_to_stdstream = _log_notice


def _log_notice(notice: dict[str, Any], *_: object, **__: object) -> None:
    logger.info("Ray: %s", notice.get("lines"))


def _result(message: dict[str, Any]) -> Done:
    """The result of a worker; raises the error that it reports."""
    if "error" not in message:
        return Done.from_json(message)
    raise KINDS.get(message["error"], ClusterError)(message["message"])

"""A Milvus server that is killed at its work: no answer is wrong, nothing is lost, and nothing is embedded twice."""

import threading
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
import standin
from milvus_server import StandaloneServer, impatient
from stores import differences

from similarity import Gallery
from similarity.errors import StoreAwayError, StoreError
from similarity.search import Hit
from similarity.search.milvus.addresses import give
from similarity.search.milvus.client import pymilvus
from similarity.search.stores import Store
from similarity.storage.generations import read_generation

pytest.importorskip("pymilvus")
pytestmark = pytest.mark.cluster

# Seconds that a call may take while the server is away.
PATIENCE = 6.0


@pytest.fixture(scope="module")
def server(milvus_programs: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[StandaloneServer]:
    """A server of its own, which has less to find again than the one of all tests."""
    running = StandaloneServer(milvus_programs, tmp_path_factory.mktemp("killed"))
    give(running.store)
    yield running
    running.stop()


@pytest.fixture
def embedded(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[], list[str]]:
    """What was embedded, a line for each picture; the stand-in for a network is loaded, and says so."""
    log = tmp_path / "embedded.log"
    log.touch()
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin(log))
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.restore", lambda *_, **__: standin.standin(log))
    return lambda: log.read_text().split()


@contextmanager
def killed_during(server: StandaloneServer, call: str, delay: float) -> Iterator[None]:
    """The server is killed so many seconds after something is first asked of it, and is away when the block ends."""
    library: Any = pymilvus().MilvusClient
    ask, killing = getattr(library, call), threading.Timer(delay, server.stop)

    def asked(*arguments: Any, **options: Any) -> Any:
        if not killing.is_alive() and not killing.finished.is_set():
            killing.start()
        return ask(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(library, call, asked)
        yield
    assert killing.ident, "it was never asked"
    killing.join()


def build(folder: Path, directory: Path, store: Store) -> Gallery:
    return Gallery.build(folder, directory, model=standin.CHOICE, refinement="none", store=store)


def answers(gallery: Gallery) -> list[list[Hit]]:
    return [gallery.search_vector(vector, 6) for vector in gallery.vectors]


def assert_congruent(far: Gallery, near: Gallery) -> None:
    assert far.items == near.items
    for mine, its in zip(answers(far), answers(near), strict=True):
        assert differences(mine, its) == []


def answer_or_sentence(gallery: Gallery, expected: list[list[Hit]]) -> str:
    """What a gallery says instead of an answer; an answer must be the right one."""
    try:
        assert answers(gallery) == expected
    except StoreError as error:
        sentence = str(error)
        assert sentence.endswith(".")
        assert "\n" not in sentence
        assert "Milvus at http://127.0.0.1" in sentence
        return sentence
    return ""


@pytest.mark.parametrize(
    ("call", "delay"),
    [
        ("upsert", 0.0),
        ("upsert", 0.003),
        ("flush", 0.0),
        ("flush", 0.6),
        ("create_index", 0.0),
        ("describe_index", 0.0),
        ("load_collection", 0.0),
        ("get_load_state", 0.3),
    ],
)
def test_a_build_whose_server_is_killed_is_continued(
    server: StandaloneServer, tmp_path: Path, pictures: Path, embedded: Callable[[], list[str]], call: str, delay: float
) -> None:
    with impatient(PATIENCE), killed_during(server, call, delay), pytest.raises(StoreAwayError, match="be reached"):
        build(pictures, tmp_path / "far", server.store)
    assert not (tmp_path / "far" / "CURRENT").exists()
    server.start()
    far = build(pictures, tmp_path / "far", server.store)
    assert len(embedded()) == len(set(embedded())) == 15
    read_generation(far.directory, thorough=True)
    assert_congruent(far, build(pictures, tmp_path / "near", Store()))


@pytest.mark.parametrize(
    ("call", "delay"),
    [("delete", 0.0), ("upsert", 0.0), ("upsert", 0.003), ("flush", 0.0), ("flush", 0.6), ("describe_index", 0.0)],
)
def test_a_change_whose_server_is_killed_costs_nothing_and_is_made_again(
    server: StandaloneServer,
    tmp_path: Path,
    own_pictures: Path,
    embedded: Callable[[], list[str]],
    call: str,
    delay: float,
) -> None:
    (own_pictures / "dots").rename(tmp_path / "dots")
    far = build(own_pictures, tmp_path / "far", server.store)
    before = answers(far)
    with impatient(PATIENCE):
        with killed_during(server, call, delay), pytest.raises(StoreAwayError, match="cannot be reached"):
            far.add(tmp_path / "dots")
        with pytest.raises(StoreAwayError, match="cannot be reached"):
            answers(far)
    starting = threading.Thread(target=server.start)
    starting.start()
    while starting.is_alive():
        answer_or_sentence(Gallery.open(far.directory), before)
    assert answers(Gallery.open(far.directory)) == before
    assert answers(far) == before
    far = Gallery.open(far.directory).add(tmp_path / "dots")
    assert len(embedded()) == len(set(embedded())) == 15
    read_generation(far.directory, thorough=True)
    near = build(own_pictures, tmp_path / "near", Store()).add(tmp_path / "dots")
    assert_congruent(far, near)


def test_a_server_that_is_killed_while_it_is_asked_gives_no_wrong_answer(
    server: StandaloneServer, tmp_path: Path, pictures: Path, embedded: Callable[[], list[str]]
) -> None:
    far = build(pictures, tmp_path / "far", server.store)
    expected, is_over, told = answers(far), threading.Event(), []

    def ask() -> None:
        while not is_over.is_set():
            told.append(answer_or_sentence(far, expected))

    with ThreadPoolExecutor(4) as pool:
        asking = [pool.submit(ask) for _ in range(4)]
        for kill in range(6):
            count = len(told)
            while len(told) < count + 8 + kill and not any(one.done() for one in asking):  # they are at it
                is_over.wait(0.01)
            server.stop()
            server.start()
        is_over.set()
        for one in asking:
            one.result()
    assert answers(far) == expected
    read_generation(far.directory, thorough=True)
    assert len(embedded()) == 15

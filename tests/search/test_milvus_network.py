"""A network to Milvus that stalls, delays and cuts: every call ends in time, and no thread is left behind."""

import threading
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import pytest
from milvus_server import StandaloneServer, impatient
from relay import Relay
from stores import differences

from similarity import Gallery
from similarity.errors import StoreAwayError
from similarity.search.milvus import client as clients
from similarity.search.milvus.collection import Collection, reach
from similarity.search.stores import Store
from similarity.storage.generations import read_generation
from similarity.vectors.arrays import Vectors

pytest.importorskip("pymilvus")
pytestmark = pytest.mark.cluster

# Seconds that each call may take here, and that all of a call may: what it asks of the server, one after the other.
PATIENCE, END = 2.0, 15.0


@pytest.fixture(scope="module")
def relay(milvus_server: StandaloneServer) -> Iterator[Relay]:
    between = Relay(milvus_server.port)
    yield between
    between.close()


@pytest.fixture(scope="module")
def store(relay: Relay) -> Store:
    from similarity.search.milvus.addresses import give

    place = Store("milvus", f"http://127.0.0.1:{relay.port}")
    give(place)
    return place


@pytest.fixture(scope="module")
def collection(store: Store) -> Iterator[Collection]:
    """Ten vectors of 8 numbers."""
    made = Collection(store, f"calls_{time.time_ns()}")
    made.create(8)
    made.put(np.arange(10), vectors(), [["a"]] * 10)
    made.index("FLAT", {})
    yield made
    made.drop()


def vectors() -> Vectors:
    return np.eye(10, 8, dtype=np.float32)


# Everything that is asked of a server.
CALLS: dict[str, Callable[[Collection], object]] = {
    "create": lambda one: Collection(one.store, f"{one.name}_more").create(8),
    "put": lambda one: one.put(np.arange(10), vectors(), [["a"]] * 10),
    "index": lambda one: one.index("FLAT", {}),
    "settle": lambda one: one.settle(),
    "search": lambda one: one.search(vectors()[:1], 3, "", {}),
    "delete": lambda one: one.delete_keys(np.array([99])),
    "count": lambda one: one.count(),
    "present": lambda one: list(one.present(np.arange(10))),
    "check": lambda one: one.check(8),
    "drop": lambda one: Collection(one.store, f"{one.name}_more").drop(),
    "reach": lambda one: reach(one.store),
}


def ours() -> set[threading.Thread]:
    """Threads, without those of gRPC, which come and go with its connections."""
    return {thread for thread in threading.enumerate() if "grpc" not in repr(getattr(thread, "_target", "")).lower()}


def assert_ends(call: Callable[[Collection], object], collection: Collection) -> None:
    """It is refused in one sentence, in time, and all of its threads end."""
    before, started = ours(), time.monotonic()
    with pytest.raises(StoreAwayError) as told:
        call(collection)
    assert time.monotonic() - started < END, "it went on"
    assert str(told.value) == (
        f"Milvus at {collection.store.uri} cannot be reached: make sure that it runs there, then try again."
    )
    for thread in ours() - before:
        thread.join(10)
    assert not ours() - before


@pytest.mark.parametrize("name", CALLS)
def test_a_call_through_a_network_that_stalls_is_given_up_on_and_goes_on_afterwards(
    collection: Collection, relay: Relay, name: str
) -> None:
    collection.search(vectors()[:1], 3, "", {})  # connected, and loaded
    with impatient(PATIENCE):
        relay.stall()
        assert_ends(CALLS[name], collection)
        assert_ends(CALLS[name], collection)  # with a connection that is yet to be made
    relay.flow()
    CALLS[name](collection)
    assert collection.search(vectors()[3:4], 1, "", {}, up_to_date=True)[0].tolist() == [3]


@pytest.mark.parametrize("name", CALLS)
def test_a_call_through_a_network_that_cuts_is_made_again(collection: Collection, relay: Relay, name: str) -> None:
    for pause in (0.0, 0.002, 0.02):
        cutting = threading.Timer(pause, relay.cut)
        cutting.start()
        CALLS[name](collection)
        cutting.join()
    assert collection.search(vectors()[3:4], 1, "", {}, up_to_date=True)[0].tolist() == [3]


def test_a_gallery_on_a_slow_network_answers_as_any_other(
    store: Store, relay: Relay, tmp_path: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relay, "delay", 0.1)
    far = shapes.rebuild(into=tmp_path / "far", store=store)
    for vector in far.vectors:
        assert differences(far.search_vector(vector, 5), shapes.search_vector(vector, 5)) == []
    assert len(far.remove(labels=["dots"])) == 10
    read_generation(far.directory, thorough=True)


def test_threads_that_search_while_the_network_stalls_all_end(
    store: Store, relay: Relay, tmp_path: Path, shapes: Gallery
) -> None:
    far = shapes.rebuild(into=tmp_path / "far", store=store)
    before, threads = far.search_vector(far.vectors[0], 15), threading.active_count()
    told: list[str] = []

    def ask() -> None:
        with pytest.raises(StoreAwayError) as error:
            far.search_vector(far.vectors[0], 15)
        told.append(str(error.value))

    with impatient(PATIENCE):
        relay.stall()
        for wave in (1, 2):  # the second one has to connect first
            started = time.monotonic()
            asking = [threading.Thread(target=ask) for _ in range(16)]
            for thread in asking:
                thread.start()
            for thread in asking:
                thread.join(4 * END)
            assert time.monotonic() - started < END
            assert len(told) == 16 * wave
    relay.flow()
    assert far.search_vector(far.vectors[0], 15) == before
    assert threading.active_count() <= threads + 2  # of the new connection
    assert len([key for key in clients._clients if key[0] == store.uri]) == 1

"""What goes wrong with a Milvus is told in a sentence, and costs the gallery nothing."""

import hashlib
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL, draw
from milvus_server import StandaloneServer, impatient
from stores import Server, differences, let_go, lite

from similarity import Gallery
from similarity.errors import CollectionError, GalleryError, SearchError, StoreAwayError, StoreError
from similarity.search.engines import check_store
from similarity.search.milvus.client import client, pymilvus
from similarity.search.milvus.collection import Collection
from similarity.search.stores import EMBEDDED, Store, choose_store
from similarity.storage.cleanup import delete_gallery
from similarity.storage.generations import read_generation

pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")


@pytest.fixture(scope="session", params=["lite", "server"])
def server(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Server | StandaloneServer]:
    if request.param == "server":
        yield request.getfixturevalue("milvus_server")
        return
    running = Server(tmp_path_factory.mktemp("server"))
    yield running
    running.stop()


@pytest.fixture
def quick() -> Iterator[None]:
    """Nobody waits long for a server."""
    with impatient():
        yield


@contextmanager
def away(server: Server | StandaloneServer) -> Iterator[None]:
    """It is killed, and starts again at the end of the block."""
    server.stop()
    try:
        yield
    finally:
        server.start()


def content(directory: Path) -> dict[str, str]:
    """Every file of a gallery, but those that only say who writes it."""
    files = (path for path in sorted(directory.rglob("*")) if path.is_file() and not path.name.startswith("."))
    return {str(path.relative_to(directory)): hashlib.sha256(path.read_bytes()).hexdigest() for path in files}


def vectors_of(gallery: Gallery) -> Collection:
    collection: Collection = gallery._generation.index.collection  # type: ignore[attr-defined]
    return collection


@pytest.mark.cluster
def test_a_server_that_is_gone_is_told_and_is_found_again(
    server: Server | StandaloneServer,
    tmp_path: Path,
    shapes: Gallery,
    own_pictures: Path,
) -> None:
    far = shapes.rebuild(into=tmp_path / "far", store=server.store)
    before, query = far.search_vector(far.vectors[0], 5), far.vectors[0]
    assert differences(before, shapes.search_vector(shapes.vectors[0], 5)) == []
    files = content(far.directory)
    with impatient(), away(server):
        for work in (
            lambda: far.search_vector(query, 5),
            lambda: Gallery.open(far.directory).search_vector(query, 5),
            lambda: far.remove(labels=["dots"]),
            lambda: far.add(own_pictures / "dots"),
            lambda: far.rebuild(),
            lambda: shapes.rebuild(into=tmp_path / "another", store=server.store),
            lambda: Gallery.build(own_pictures, tmp_path / "another", model=MODEL, store=server.store),
            lambda: read_generation(far.directory, thorough=True),
        ):
            started = time.perf_counter()
            with pytest.raises(StoreAwayError, match=r"Milvus at http://127.0.0.1:\d+ cannot be reached"):
                work()
            assert time.perf_counter() - started < 20
        assert content(far.directory) == files
        assert not (tmp_path / "another").exists()
        assert len(Gallery.open(far.directory)) == 15  # all that is not a search goes on
        near = far.rebuild(into=tmp_path / "near", store=EMBEDDED)
        assert differences(near.search_vector(query, 5), before) == []
    assert far.search_vector(query, 5) == before
    assert Gallery.open(far.directory).search_vector(query, 5) == before
    read_generation(far.directory, thorough=True)


@pytest.mark.cluster
def test_a_gallery_is_indexed_into_a_server_and_found_at_another_address(
    server: Server | StandaloneServer, tmp_path: Path, pictures: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = Gallery.build(pictures, tmp_path / "far", model=MODEL, store=server.store)
    expected = shapes.search_vector(shapes.vectors[3], 15)
    assert differences(far.search_vector(far.vectors[3], 15), expected) == []
    assert far.manifest.store == server.store
    monkeypatch.setenv("SIMILARITY_MILVUS_URI", server.store.uri.replace("127.0.0.1", "localhost"))
    monkeypatch.setenv("SIMILARITY_MILVUS_TOKEN", "somebody:something")
    again = Gallery.open(far.directory)
    assert differences(again.search_vector(again.vectors[3], 15), expected) == []
    assert "something" not in (far.directory / "generations" / "000001" / "manifest.json").read_text()


@pytest.mark.cluster
def test_a_server_that_hears_and_never_answers_is_given_up_on(quick: None) -> None:  # noqa: ARG001
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen(16)
        started = time.perf_counter()
        with pytest.raises(StoreAwayError, match="cannot be reached"):
            check_store(choose_store("milvus", f"http://127.0.0.1:{silent.getsockname()[1]}"), is_given=True)
        assert time.perf_counter() - started < 15


def test_nothing_is_embedded_for_a_server_that_is_not_there(
    tmp_path: Path,
    pictures: Path,
    quick: None,  # noqa: ARG001
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def load(*_: object, **__: object) -> None:
        raise AssertionError("the model was loaded")

    monkeypatch.setattr("similarity.indexing.operations.load_embedder", load)
    with pytest.raises(StoreAwayError, match="cannot be reached"):
        Gallery.build(pictures, tmp_path / "far", model=MODEL, store=choose_store("milvus", "http://127.0.0.1:9"))
    assert not (tmp_path / "far").exists()


@pytest.mark.exhaustive
def test_a_collection_that_was_dropped_is_told_and_made_anew_by_a_rebuild(
    milvus: Store, tmp_path: Path, shapes: Gallery
) -> None:
    far = shapes.rebuild(refinement="none", into=tmp_path / "far", store=milvus)
    before = far.search_vector(far.vectors[0], 15)
    client(milvus).drop_collection(vectors_of(far).name)
    files = content(far.directory)
    remedy = (
        f"is not in Milvus at .* any more: make it again with `python -m similarity rebuild --gallery {far.directory}"
    )
    for work in (
        lambda: far.search_vector(far.vectors[0], 5),
        lambda: Gallery.open(far.directory).search_vector(far.vectors[0], 5),
        lambda: read_generation(far.directory, thorough=True),
        lambda: far.remove(labels=["dots"]),
    ):
        with pytest.raises(CollectionError, match=remedy):
            work()
    assert content(far.directory) == files
    assert far.rebuild().search_vector(far.vectors[0], 15) == before


@pytest.mark.exhaustive
def test_a_collection_of_other_embeddings_is_not_asked(milvus: Store, tmp_path: Path, shapes: Gallery) -> None:
    far = shapes.rebuild(into=tmp_path / "far", store=milvus)
    mine = vectors_of(far)
    mine.drop()
    other = Collection(milvus, mine.name, gallery=mine.gallery)
    other.create(64)
    other.index("FLAT", {})
    again = Gallery.open(far.directory)
    with pytest.raises(CollectionError, match="has embeddings of 64 numbers, and the gallery of 1280: make it again"):
        again.search_vector(again.vectors[0], 5)
    with pytest.raises(CollectionError, match="has embeddings of 64 numbers"):
        read_generation(far.directory, thorough=True)


def test_vectors_that_somebody_took_away_are_missed(milvus: Store, tmp_path: Path, shapes: Gallery) -> None:
    far = shapes.rebuild(into=tmp_path / "far", store=milvus)
    keys = far._generation.index.keys  # type: ignore[attr-defined]
    vectors_of(far).delete_keys(keys[:3])
    with pytest.raises(CollectionError, match="3 of the vectors of the gallery are not in the collection"):
        read_generation(far.directory, thorough=True)
    with pytest.raises(CollectionError, match="Vectors of the gallery are not in the collection"):
        far.search_vector(far.vectors[0], 15)
    vectors_of(far).delete_keys(keys)
    assert vectors_of(far).count() == 0  # which waits for it, as a search does not
    with pytest.raises(CollectionError, match="are not in the collection"):
        far.search_vector(far.vectors[0], 1)


@pytest.mark.cluster
def test_lines_of_others_in_a_collection_are_passed_over(milvus: Store, tmp_path: Path, shapes: Gallery) -> None:
    far = shapes.rebuild(into=tmp_path / "far", store=milvus)
    before = far.search_vector(far.vectors[0], 15)
    many = np.repeat(far.vectors[:1], 200, axis=0)
    vectors_of(far).put(np.arange(200) + (99 << 32), many, [[]] * 200)
    assert far.search_vector(far.vectors[0], 15) == before
    assert far.search_vector(far.vectors[0], 3) == before[:3]


@pytest.mark.parametrize("fails_at", [1, 2])
def test_a_run_that_fails_half_way_leaves_the_answers_and_no_collection(
    milvus: Store, tmp_path: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch, fails_at: int
) -> None:
    far = shapes.rebuild(into=tmp_path / "far", store=milvus)
    before, there = far.search_vector(far.vectors[0], 15), set(client(milvus).list_collections())
    calls = iter(range(1, 100))
    put = Collection.put

    def failing(self: Collection, *lines: Any) -> None:
        if next(calls) == fails_at:
            raise StoreAwayError("Milvus went away.")
        put(self, *lines)

    monkeypatch.setattr("similarity.search.milvus.index.BLOCK", 6)
    monkeypatch.setattr(Collection, "put", failing)
    with pytest.raises(StoreAwayError):
        far.rebuild(refinement="none")
    assert far.is_live
    assert far.search_vector(far.vectors[0], 15) == before
    assert set(client(milvus).list_collections()) == there
    assert len(list((far.directory / "generations").iterdir())) == 1


def test_what_a_killed_change_has_sent_is_taken_out_by_the_next(
    milvus: Store, tmp_path: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    far = shapes.rebuild(refinement="none", into=tmp_path / "far", store=milvus)
    folder = tmp_path / "more"
    folder.mkdir()
    for seed in range(50, 53):
        draw("dots", seed).save(folder / f"{seed}.jpg")
    with monkeypatch.context() as patch:
        patch.setattr("similarity.storage.writing.make_current", _fail)
        with pytest.raises(GalleryError):
            far.add(folder)
    assert vectors_of(far).count() == 18
    (folder / "51.jpg").unlink()
    (folder / "52.jpg").unlink()
    assert len(far.add(folder)) == 16
    assert vectors_of(far).count() == 16


def _fail(*_: object) -> None:
    raise OSError("the disk is gone")


@pytest.mark.cluster
def test_a_gallery_is_deleted_also_while_its_server_is_away(
    server: Server | StandaloneServer,
    tmp_path: Path,
    shapes: Gallery,
    caplog: pytest.LogCaptureFixture,
) -> None:
    far = shapes.rebuild(into=tmp_path / "far", store=server.store)
    name = vectors_of(far).name
    with impatient(), away(server):
        delete_gallery(far.directory)
    assert not far.directory.exists()
    assert f"The collection {name}" in caplog.text


@pytest.mark.cluster
def test_a_milvus_lite_that_another_program_has_open_is_told(
    tmp_path: Path, shapes: Gallery, child_environment: dict[str, str]
) -> None:
    place = lite(tmp_path)
    far = shapes.rebuild(into=tmp_path / "far", store=place)
    program = (
        "import sys; from similarity import Gallery\n"
        "gallery = Gallery.open(sys.argv[1]); gallery.search_vector(gallery.vectors[0])"
    )
    child = subprocess.run(
        [sys.executable, "-c", program, str(far.directory)], env=child_environment, capture_output=True, text=True
    )
    assert child.returncode == 1
    assert child.stderr.strip().splitlines()[-1].startswith("similarity.errors.StoreAwayError: ")
    assert "vectors.db cannot be opened: another program has it open" in child.stderr
    let_go(place)


def test_an_index_that_cannot_be_built_is_told(
    milvus: Store, tmp_path: Path, shapes: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    # What a server says of an index that it gave up on; none here can be brought to it.
    monkeypatch.setattr(client(milvus), "describe_index", lambda *_, **__: {"state": "Failed"})
    with pytest.raises(StoreError, match=r"could not build the index of the collection \w+: see its log"):
        shapes.rebuild(into=tmp_path / "far", store=milvus)
    assert not (tmp_path / "far").exists()


@pytest.mark.cluster
def test_many_that_wait_for_a_server_that_never_answers_do_not_wait_for_each_other(quick: None) -> None:  # noqa: ARG001
    with socket.socket() as silent, ThreadPoolExecutor(16) as pool:
        silent.bind(("127.0.0.1", 0))
        silent.listen(64)
        place = choose_store("milvus", f"http://127.0.0.1:{silent.getsockname()[1]}")
        started = time.perf_counter()
        asked = [pool.submit(check_store, place, is_given=True) for _ in range(16)]
        for one in asked:
            with pytest.raises(StoreAwayError, match="cannot be reached"):
                one.result()
        assert time.perf_counter() - started < 16


def test_a_file_that_is_no_milvus_lite_is_told(tmp_path: Path, shapes: Gallery) -> None:
    (tmp_path / "notes.db").write_text("not a database")
    with pytest.raises(StoreError, match=r"notes\.db cannot be opened"):
        shapes.rebuild(into=tmp_path / "far", store=choose_store("milvus", str(tmp_path / "notes.db")))
    assert (tmp_path / "notes.db").read_text() == "not a database"


@pytest.mark.parametrize("recipe", ["PCA8,IVF1,SQ4", "IVF1,SQ6"])
def test_a_recipe_that_milvus_has_not_is_refused_before_anything_is_done(
    milvus: Store, tmp_path: Path, pictures: Path, recipe: str
) -> None:
    more = tmp_path / "pictures"
    more.mkdir()
    for seed in range(25):
        draw("rings", seed).save(more / f"{seed}.jpg")
    with pytest.raises(SearchError, match="Milvus does not have the index"):
        Gallery.build(more, tmp_path / "far", model=MODEL, recipe=recipe, store=milvus)
    assert not (tmp_path / "far").exists()
    assert pictures.exists()


def test_without_pymilvus_the_error_says_what_to_install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "pymilvus", None)
    pymilvus.cache_clear()
    with pytest.raises(StoreError, match=r"Milvus needs more packages: pip install pymilvus milvus-lite\."):
        check_store(choose_store("milvus", str(tmp_path / "x.db")), "flat")


@pytest.mark.parametrize(
    ("kind", "uri", "fault"),
    [
        ("redis", "", "'redis' is not a store: choose from faiss, milvus"),
        ("milvus", "", "Milvus needs an address"),
        ("milvus", "host:19530", "is not an address of Milvus"),
        ("milvus", "vectors.sqlite", "is not an address of Milvus"),
        ("faiss", "http://localhost:19530", "FAISS keeps its index in the gallery's folder"),
    ],
)
def test_a_store_that_makes_no_sense_is_refused(
    kind: str, uri: str, fault: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SIMILARITY_MILVUS_URI", raising=False)
    with pytest.raises(StoreError, match=fault):
        choose_store(kind, uri)


def test_the_environment_says_where_new_galleries_are(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in ("SIMILARITY_STORE", "SIMILARITY_MILVUS_URI"):
        monkeypatch.delenv(name, raising=False)
    assert choose_store() == EMBEDDED
    assert choose_store(uri=str(tmp_path / "x.db")) == Store("milvus", str(tmp_path / "x.db"))
    monkeypatch.setenv("SIMILARITY_MILVUS_URI", "http://milvus:19530/")
    assert choose_store() == EMBEDDED
    monkeypatch.setenv("SIMILARITY_STORE", "milvus")
    assert choose_store() == Store("milvus", "http://milvus:19530")
    assert choose_store("faiss") == EMBEDDED

"""Bulk insert: a Milvus server reads the vectors of a new collection from files."""

import io
from contextlib import nullcontext
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow.parquet as pq
import pytest
from conftest import MODEL
from milvus_server import StandaloneServer
from objectstore import ObjectStore
from test_milvus import assert_congruent, lines

from similarity import Gallery
from similarity.errors import StoreError
from similarity.search.milvus import bulk_insert
from similarity.search.milvus.addresses import give
from similarity.search.milvus.bulk_insert import FILES
from similarity.search.milvus.collection import Collection
from similarity.search.milvus.conditions import KEY, TAGS, VECTOR

pytest.importorskip("pymilvus")


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    folder = tmp_path / "incoming"
    folder.mkdir()
    monkeypatch.setenv(FILES, f"{folder}/")
    return folder


@pytest.mark.cluster
def test_a_server_reads_a_new_collection_from_files_and_a_change_is_sent_as_ever(
    milvus_server: StandaloneServer, place: Path, shapes: Gallery, pictures: Path, tmp_path: Path, monkeypatch: Any
) -> None:
    give(milvus_server.store)
    put: list[int] = []
    ask = Collection.put

    def counted(self: Collection, keys: Any, *rest: Any) -> None:
        put.append(len(keys))
        ask(self, keys, *rest)

    monkeypatch.setattr(Collection, "put", counted)
    monkeypatch.setattr(bulk_insert, "FILE_BYTES", 7 * 4 * shapes.vectors.dim)  # so that there are several
    monkeypatch.setattr("similarity.search.milvus.index.BLOCK", 4)
    far = shapes.rebuild(refinement="none", into=tmp_path / "far", store=milvus_server.store)
    assert (lines(far), put, list(place.iterdir())) == (len(shapes), [], [])
    assert_congruent(shapes.rebuild(refinement="none", into=tmp_path / "near"), far, every=4)
    far = far.remove(labels=["dots"]).add(pictures / "dots")
    assert sum(put) == 5
    assert len(far) == len(shapes)


@pytest.mark.cluster
def test_a_file_that_the_server_cannot_read_is_a_sentence_and_is_removed(
    milvus_server: StandaloneServer, place: Path
) -> None:
    give(milvus_server.store)
    collection = Collection(milvus_server.store, "similarity_of_other_vectors")
    collection.create(8)
    wrong = iter([(np.arange(3), np.ones((3, 4), np.float32), [[], ["a"], []])])
    try:
        with pytest.raises(StoreError, match=rf"could not read {place}/similarity-.*parquet .*: see that {FILES} is"):
            bulk_insert.insert_files(milvus_server.store, collection.name, str(place), wrong)
    finally:
        collection.drop()
    assert list(place.iterdir()) == []


@pytest.mark.cluster
def test_a_place_that_is_not_there_is_a_sentence_and_leaves_no_gallery(
    milvus_server: StandaloneServer, place: Path, pictures: Path, tmp_path: Path
) -> None:
    give(milvus_server.store)
    place.rmdir()
    with pytest.raises(StoreError, match=rf"{place}, the place of files for Milvus \({FILES}\), cannot be used"):
        Gallery.build(pictures, tmp_path / "far", model=MODEL, store=milvus_server.store)
    assert not (tmp_path / "far" / "CURRENT").exists()


def test_a_place_that_may_not_be_written_to_is_a_sentence_that_says_so(store: ObjectStore) -> None:
    store.refused.add("PUT")
    batches = iter([(np.arange(2), np.ones((2, 4), np.float32), [[], []])])
    sentence = r"s3://shop/in, the place of files for Milvus \(.*\), cannot be used \(.* may not be written with"
    with pytest.raises(StoreError, match=sentence), bulk_insert._file("s3://shop/in", batches):
        pytest.fail("nothing was written")


@pytest.mark.parametrize("is_read", [True, False])
def test_a_file_that_cannot_be_removed_hides_neither_success_nor_what_the_server_says(
    store: ObjectStore, caplog: pytest.LogCaptureFixture, *, is_read: bool
) -> None:
    store.refused.add("DELETE")
    batches = iter([(np.arange(2), np.ones((2, 4), np.float32), [[], []])])
    said = nullcontext() if is_read else pytest.raises(StoreError, match="Milvus could not read it")
    with said, bulk_insert._file("s3://shop/in", batches) as (file, _):
        if not is_read:
            raise StoreError("Milvus could not read it.")
    assert f"{file} is not needed any more, and could not be removed: {file} may not be deleted" in caplog.text


def test_files_in_an_object_store_are_named_as_the_server_sees_them_and_removed(store: ObjectStore) -> None:
    vectors = np.random.default_rng(0).standard_normal((5, 6)).astype(np.float32)
    batches = iter([(np.arange(5), vectors, [["a", "b"], [], ["c"], [], []])])
    with bulk_insert._file("s3://shop/incoming", batches) as (file, seen):
        assert file == f"s3://shop/{seen}"
        table = pq.read_table(io.BytesIO(store.objects[f"shop/{seen}"] or b""))
    assert store.objects == {}
    assert table[KEY].to_pylist() == [0, 1, 2, 3, 4]
    assert np.array_equal(np.array(table[VECTOR].to_pylist(), np.float32), vectors)
    assert table[TAGS].to_pylist()[0] == ["a", "b"]

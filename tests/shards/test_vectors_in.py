"""Vectors of anybody's making as galleries: what goes out comes in, and what lies is refused."""

import json
import shutil
from pathlib import Path
from typing import Any

import faiss
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from conftest import MODEL
from lying_vectors import LIES, LISTS, NAMES, RANDOM, ROWS, Make, an_index, npy, parquet, write_npy, write_parquet

from similarity import Gallery, ItemId, Vector
from similarity.errors import GalleryError, SearchError, SimilarityError, SourceError
from similarity.shards.vector_files.gathered import gather
from similarity.shards.vector_files.model import ModelOptions
from similarity.shards.vector_files.opening import open_vectors
from similarity.shards.vector_files.to_gallery import index_vectors
from similarity.storage.generations import read_generation

ALONE = ModelOptions("none")


def answers(gallery: Gallery, queries: list[Any]) -> list[list[tuple[str, Any]]]:
    return [
        [(hit.item.id, pytest.approx(hit.score, abs=1e-5)) for hit in gallery.search(query, k=15)] for query in queries
    ]


@pytest.mark.parametrize("name", ["s.parquet", "s.npy", "s.faiss", "board"])
def test_a_gallery_that_goes_out_and_comes_in_gives_the_same_answers(
    shapes: Gallery, tmp_path: Path, name: str
) -> None:
    shapes.export(tmp_path / name, "tensorboard" if name == "board" else None)
    options = ModelOptions() if name == "s.parquet" else ModelOptions(MODEL)
    report = index_vectors(tmp_path / name, tmp_path / "gallery", options)
    again = Gallery.open(tmp_path / "gallery")
    assert (report.added, report.embedded, report.skipped) == (15, 0, [])
    assert again.manifest.identity == shapes.manifest.identity, "the view is found by trying"
    for before, after in zip(shapes.items, again.items, strict=True):
        assert (before.id, before.path, before.label, before.sha256) == (
            after.id,
            after.path,
            after.label,
            after.sha256,
        )
        assert (before.width, before.height, before.size) == (after.width, after.height, after.size)
    items = [ItemId(item.id) for item in shapes.items]
    pictures = [Path(item.path) for item in shapes.items[:2]]
    assert answers(again, [*items, *pictures]) == answers(shapes, [*items, *pictures])
    assert again.thumbnail(again.items[0]) == shapes.thumbnail(shapes.items[0])


def test_compared_vectors_come_in_without_a_model(shapes: Gallery, tmp_path: Path) -> None:
    shapes.export(tmp_path / "s.parquet", which="compared")
    index_vectors(tmp_path / "s.parquet", tmp_path / "gallery", ModelOptions(), thumbnails=False)
    assert not Gallery.open(tmp_path / "gallery").manifest.has_model
    with pytest.raises(SourceError, match="projected or refined"):
        index_vectors(tmp_path / "s.parquet", tmp_path / "gallery", ModelOptions(MODEL))


@pytest.mark.parametrize("lie", LIES)
def test_a_file_that_lies_is_refused_in_a_sentence_and_nothing_is_made(tmp_path: Path, lie: str) -> None:
    make, sentence = LIES[lie]
    path = make(tmp_path)
    before = sorted(tmp_path.rglob("*"))
    with pytest.raises(SourceError, match=sentence) as refused:
        index_vectors(path, tmp_path / "gallery", ALONE)
    assert str(refused.value).endswith(".")
    assert "\n" not in str(refused.value)
    assert sorted(tmp_path.rglob("*")) == before, "nor was anything unpickled"


@pytest.mark.parametrize(
    "make",
    [
        npy(np.asfortranarray(ROWS)),
        npy(ROWS.astype(np.float64)),
        npy(ROWS.astype(np.float64) * 1e-300),
        npy(ROWS.astype(">f4")),
        npy(ROWS * 1e30),
        parquet(LISTS),
        parquet(pa.FixedSizeListArray.from_arrays(pa.array(ROWS.reshape(-1)), 4)),
        parquet(pa.array(LISTS, pa.large_list(pa.float64()))),
        an_index(faiss.IndexFlatIP(4)),
    ],
)
def test_floats_of_any_kind_and_length_become_vectors_of_unit_length(tmp_path: Path, make: Make) -> None:
    gathered = gather(open_vectors(make(tmp_path)))
    (block,) = gathered.vectors(gathered.files, 4)
    assert block.dtype == np.float32
    np.testing.assert_allclose(block, ROWS / np.linalg.norm(ROWS, axis=1, keepdims=True), atol=1e-6)
    assert [item.id for item in gathered.files] == NAMES


def test_half_precision_is_read_and_a_vector_of_zeros_is_listed_as_skipped(tmp_path: Path) -> None:
    rows = ROWS.astype(np.float16)
    rows[2] = 0
    report = index_vectors(write_npy(tmp_path, rows), tmp_path / "gallery", ALONE)
    assert [(Path(fault.path).name, fault.reason) for fault in report.skipped] == [
        ("v.npy, row 3", "has a vector of zeros, which has no direction.")
    ]
    gallery = Gallery.open(tmp_path / "gallery")
    assert [item.id for item in gallery.items] == ["n0", "n1", "n3", "n4", "n5"]
    assert (gallery.items[0].label, dict(gallery.items[0].metadata)) == ("l", {"maker": "m"})


def test_a_row_that_no_gallery_can_keep_is_skipped_with_its_reason(tmp_path: Path) -> None:
    write_parquet(tmp_path, LISTS, ["a", "b\0", "c", "d", "e", "f"], label=["x", "y", "z\0", "x", "x", "x"])
    report = index_vectors(tmp_path / "v.parquet", tmp_path / "gallery", ALONE)
    assert [fault.reason for fault in report.skipped] == ["has an id or a label with a NUL character."] * 2
    assert [item.id for item in Gallery.open(tmp_path / "gallery").items] == ["a", "d", "e", "f"]


@pytest.fixture
def alone(tmp_path: Path) -> Gallery:
    """A gallery of 40 vectors without a model, and without any file of a picture."""
    rows = np.repeat(RANDOM.standard_normal((20, 8)), 2, axis=0) + 0.05 * RANDOM.standard_normal((40, 8))
    lines = [f"a{number},{'even' if number % 4 < 2 else 'odd'},m" for number in range(40)]
    index_vectors(write_npy(tmp_path, rows, lines), tmp_path / "gallery", ALONE)
    return Gallery.open(tmp_path / "gallery")


def test_vectors_without_a_model_are_searched_by_item_and_vector_and_say_why_by_nothing_else(
    alone: Gallery, pictures: Path
) -> None:
    assert alone.search(ItemId("a4"), k=2)[1].item.id == "a5"
    assert alone.search(Vector(alone.embeddings[4]), k=1)[0].score == pytest.approx(1, abs=1e-5)
    with pytest.raises(GalleryError, match="has vectors without a model"):
        alone.search(pictures / "dots" / "dots-0.jpg")
    for change in (alone.add, alone.sync, alone.preview.add):
        with pytest.raises(GalleryError, match="has vectors without a model"):
            change(pictures)
    with pytest.raises(SimilarityError, match="words"):
        alone.embed_text("a hat")
    assert alone.thumbnail(alone.items[0]).startswith(b"\xff\xd8"), "a grey one"


def test_a_gallery_without_a_model_is_kept_as_any_other(alone: Gallery, tmp_path: Path) -> None:
    read_generation(alone.directory, thorough=True)
    fewer = alone.remove(ids=["a0"])
    assert len(fewer) == 39
    assert len(fewer.rebuild(recipe="flat-sq8", refinement="none")) == 39
    labelled = fewer.relabel({"a1": "even more"})
    assert labelled.find("a1").label == "even more"
    assert [item.id for item in labelled.collect(["a1", "a2"], tmp_path / "few").items] == ["a1", "a2"]
    groups = alone.duplicates(0.95)
    assert groups
    assert all(len({int(item.id[1:]) // 2 for item in group.files}) == 1 for group in groups)
    assert alone.export(tmp_path / "again.parquet")


def test_the_same_picture_with_several_vectors_stays_several_and_with_one_vector_is_a_copy(
    pictures: Path, tmp_path: Path
) -> None:
    path = str(pictures / "dots" / "dots-0.jpg")
    write_parquet(tmp_path, [LISTS[0], LISTS[0], LISTS[1]], ["whole", "copy", "part"], path=[path] * 3)
    index_vectors(tmp_path / "v.parquet", tmp_path / "gallery", ALONE)
    gallery = Gallery.open(tmp_path / "gallery")
    assert [(item.id, [copy.id for copy in item.copies]) for item in gallery.items] == [
        ("whole", ["copy"]),
        ("part", []),
    ]
    np.testing.assert_allclose(gallery.embeddings[1], ROWS[1] / np.linalg.norm(ROWS[1]), atol=1e-6)


def test_pictures_tell_vectors_of_another_model_from_those_of_the_one_that_is_named(
    shapes: Gallery, tmp_path: Path
) -> None:
    shapes.export(tmp_path / "s.npy")
    lies = RANDOM.standard_normal(shapes.embeddings.shape).astype(np.float32)
    np.save(tmp_path / "s.npy", lies)
    with pytest.raises(SourceError, match=f"are not by {MODEL}: of 12 pictures"):
        index_vectors(tmp_path / "s.npy", tmp_path / "gallery", ModelOptions(MODEL))
    with pytest.raises(SourceError, match="does not say which model made"):
        index_vectors(tmp_path / "s.npy", tmp_path / "gallery", ModelOptions())
    with pytest.raises(SourceError, match="have 4 numbers, and efficientnet-lite2 makes others of 1,280"):
        index_vectors(write_npy(tmp_path), tmp_path / "gallery", ModelOptions(MODEL))
    assert not (tmp_path / "gallery").exists()


def test_a_folder_of_clip_retrieval_is_read_in_the_order_of_its_parts(pictures: Path, tmp_path: Path) -> None:
    folder, places = tmp_path / "clip", [str(path) for path in sorted(pictures.glob("dots/*.jpg"))]
    for name in ("img_emb", "metadata"):
        (folder / name).mkdir(parents=True)
    for part, (rows, some) in enumerate([(ROWS[:3], places[:3]), (ROWS[3:5], places[3:5])]):
        np.save(folder / "img_emb" / f"img_emb_{part}.npy", rows.astype(np.float16))
        table = pa.table({"image_path": some, "caption": [f"words {Path(place).stem}" for place in some]})
        pq.write_table(table, folder / "metadata" / f"metadata_{part}.parquet")
    index_vectors(folder, tmp_path / "gallery", ALONE)
    gallery = Gallery.open(tmp_path / "gallery")
    assert [item.path for item in gallery.items] == places
    assert [item.metadata["caption"] for item in gallery.items][4] == "words dots-4"
    assert gallery.items[0].width == 240
    assert gallery.search(ItemId(places[0]), k=1)[0].item.path == places[0]
    shutil.rmtree(folder / "metadata")
    (folder / "metadata").mkdir()
    with pytest.raises(SourceError, match=r"metadata_0\.parquet is missing"):
        open_vectors(folder)


def test_a_folder_of_deep_image_search_is_read_and_one_that_disagrees_is_refused(tmp_path: Path) -> None:
    folder = tmp_path / "dis"
    folder.mkdir()
    index = faiss.IndexFlatIP(4)
    index.add(ROWS)
    faiss.write_index(index, str(folder / "index.faiss"))
    facts = [{"image_id": own, "image_index": 1, "image_path": f"/gone/{own}.jpg", "caption": "c"} for own in NAMES]
    read = {"ids": NAMES, "metadata": facts, "index_type": "flat"}
    (folder / "metadata.json").write_text(json.dumps(read))
    index_vectors(folder, tmp_path / "gallery", ALONE)
    first = Gallery.open(tmp_path / "gallery").items[0]
    assert (first.id, first.path, dict(first.metadata)) == ("n0", "/gone/n0.jpg", {"caption": "c"})
    for wrong in (read | {"ids": NAMES[:3]}, {"ids": NAMES}, [], read | {"metadata": [1] * 6}):
        (folder / "metadata.json").write_text(json.dumps(wrong))
        with pytest.raises(SourceError, match="not of DeepImageSearch 3"):
            open_vectors(folder)


def test_a_file_that_changes_between_check_and_writing_changes_no_gallery(alone: Gallery, tmp_path: Path) -> None:
    gathered = gather(open_vectors(write_npy(tmp_path)))
    np.save(tmp_path / "v.npy", ROWS[:4])
    with pytest.raises(SourceError, match="changed while it was read"):
        list(gathered.vectors(gathered.files, 4))
    assert len(Gallery.open(alone.directory)) == 40


def test_queries_of_the_wrong_kind_say_so(alone: Gallery) -> None:
    with pytest.raises(SearchError, match="has 3 numbers, and those of the gallery have 8"):
        alone.search(Vector([1.0, 2.0, 3.0]))

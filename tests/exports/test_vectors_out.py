"""Vectors of a gallery as files of other programs, and results in the form of COCO."""

import csv
import json
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
from PIL import Image

from similarity import Gallery, Hit, Item, ItemId
from similarity.errors import GalleryError
from similarity.exports.coco import to_coco
from similarity.images.picture import Box
from similarity.search.faiss.flat import FlatIndex


def test_parquet_has_a_row_for_each_picture_with_its_vector_and_says_which_model_made_it(
    shapes: Gallery, tmp_path: Path
) -> None:
    assert shapes.export(tmp_path / "s.parquet") == [tmp_path / "s.parquet"]
    with pq.ParquetFile(tmp_path / "s.parquet") as file:
        table, footer = file.read(), json.loads(file.schema_arrow.metadata[b"similarity.vectors"])
    assert str(table.schema.field("embedding").type) == "fixed_size_list<element: float>[1280]"
    assert table.column("id").to_pylist() == [item.id for item in shapes.items]
    assert table.column("label").to_pylist() == [item.label for item in shapes.items]
    np.testing.assert_array_equal(np.stack(table.column("embedding").to_numpy()), shapes.embeddings[:])
    assert footer["model"] == shapes.manifest.model
    assert (footer["weights_sha256"], footer["dim"]) == (shapes.manifest.weights_sha256, 1280)
    assert (footer["generation"], footer["vectors"]) == (shapes.manifest.generation, "embeddings")


def test_a_numpy_and_a_faiss_file_have_a_csv_beside_them_in_the_same_order(shapes: Gallery, tmp_path: Path) -> None:
    assert shapes.export(tmp_path / "s.npy") == [tmp_path / "s.csv", tmp_path / "s.npy"]
    np.testing.assert_array_equal(np.load(tmp_path / "s.npy"), shapes.embeddings[:])
    with (tmp_path / "s.csv").open(encoding="utf-8-sig", newline="") as file:
        rows = list(csv.DictReader(file))
    assert [row["id"] for row in rows] == [item.id for item in shapes.items]
    assert rows[0]["sha256"] == shapes.items[0].sha256
    shapes.export(tmp_path / "s.faiss", which="compared")
    (block,) = FlatIndex.load_any(tmp_path / "s.faiss").blocks(100)
    np.testing.assert_allclose(block, shapes.vectors[:], atol=1e-6)


def test_a_folder_for_the_projector_has_two_tables_and_all_pictures_in_one(shapes: Gallery, tmp_path: Path) -> None:
    folder = tmp_path / "board"
    names = [path.name for path in shapes.export(folder, "tensorboard")]
    assert sorted(names) == ["metadata.tsv", "projector_config.pbtxt", "sprite.png", "vectors.tsv"]
    np.testing.assert_array_equal(np.loadtxt(folder / "vectors.tsv", np.float32), shapes.embeddings[:])
    lines = (folder / "metadata.tsv").read_text().splitlines()
    assert lines[0].split("\t")[:3] == ["id", "path", "label"]
    assert len(lines) == len(shapes) + 1
    with Image.open(folder / "sprite.png") as sprite:
        assert sprite.size == (4 * 64, 4 * 64)  # the smallest square of rows that 15 pictures fit into
        assert sprite.getpixel((32, 32)) != sprite.getpixel((255, 255)), "the last place is empty"
    assert "single_image_dim: 64" in (folder / "projector_config.pbtxt").read_text()
    assert len(shapes.export(folder, "tensorboard")) == 4, "its own files are replaced"
    (folder / "thesis.txt").write_text("mine")
    with pytest.raises(GalleryError, match="other files"):
        shapes.export(folder, "tensorboard")


def test_what_cannot_be_written_is_said_in_a_sentence_and_leaves_nothing_behind(
    shapes: Gallery, tmp_path: Path
) -> None:
    with pytest.raises(GalleryError, match=r"let its name end in \.parquet"):
        shapes.export(tmp_path / "s.txt")
    with pytest.raises(GalleryError, match="name of the table beside"):
        shapes.export(tmp_path / "s.csv", "npy")
    with pytest.raises(GalleryError, match="could not be written"):
        shapes.export(tmp_path / "gone" / "s.npy")
    (tmp_path / "taken.npy").mkdir()
    with pytest.raises(GalleryError, match="not a regular file"):
        shapes.export(tmp_path / "taken.npy")
    assert [path.name for path in tmp_path.iterdir()] == ["taken.npy"]


def test_hits_in_the_form_of_coco_have_an_annotation_each_whose_image_and_category_exist(shapes: Gallery) -> None:
    hits = list(shapes.search(ItemId(shapes.items[0].id), k=5))
    hits.append(Hit(6, 0.25, Item("x", "/p/x.jpg", None, {}, 200, 100), Box(0.25, 0.5, 0.75, 1.0)))
    read = json.loads(to_coco(hits, "q.jpg", "shapes", "m"))
    images = {image["id"]: image for image in read["images"]}
    categories = {category["id"]: category["name"] for category in read["categories"]}
    assert [image["item"] for image in images.values()] == [hit.item.public_id for hit in hits]
    for annotation, hit in zip(read["annotations"], hits, strict=True):
        assert images[annotation["image_id"]]["file_name"] == hit.item.path
        assert categories[annotation["category_id"]] == (hit.item.label or "picture")
        assert (annotation["rank"], annotation["score"]) == (hit.rank, round(hit.score, 6))
    assert read["annotations"][0]["bbox"] == [0, 0, 240, 320]
    assert read["annotations"][-1]["bbox"] == [50, 50, 100, 50]
    assert read["annotations"][-1]["area"] == 5000


def test_an_export_replaces_its_own_files_and_nothing_of_somebody_else(shapes: Gallery, tmp_path: Path) -> None:
    shapes.export(tmp_path / "s.npy")
    shapes.export(tmp_path / "s.npy")
    (tmp_path / "mine.csv").write_text("path,label\na.jpg,b\n")
    with pytest.raises(GalleryError, match="a table of yours"):
        shapes.export(tmp_path / "mine.npy")
    Image.new("RGB", (9, 9)).save(tmp_path / "mine.png")
    (tmp_path / "mine.png").rename(tmp_path / "picture.parquet")
    with pytest.raises(GalleryError, match="a picture lies there"):
        shapes.export(tmp_path / "picture.parquet")
    assert not (tmp_path / "mine.npy").exists()


def test_files_that_belong_together_are_replaced_together_or_not_at_all(
    shapes: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from similarity.exports.vectors import export

    shapes.export(tmp_path / "s.npy")
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(export, "write_array", full)
    with pytest.raises(GalleryError, match="No space left"):
        shapes.export(tmp_path / "s.npy", which="compared")
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before

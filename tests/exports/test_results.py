"""Results to take along."""

import csv
import io
import json
import zipfile
from dataclasses import replace
from pathlib import Path

import pytest

from similarity import Gallery
from similarity.errors import ImageError
from similarity.exports import results
from similarity.search import Hit
from similarity.sources import Item
from similarity.sources.originals import file_name, read_original

HITS = [
    Hit(1, 0.9, Item("a", "/p/ä, b.jpg", "boot", {"rank": "x", "note": 'say "hi"'})),
    Hit(2, 0.5, Item("b", "https://a.test/c.jpg?size=2", None, {})),
]


def test_the_table_has_a_row_for_each_hit_and_a_column_for_each_fact() -> None:
    data = results.to_csv(results.to_rows(HITS, [hit.item.path for hit in HITS]))
    assert data.startswith(b"\xef\xbb\xbf"), "spreadsheets take it for UTF-8"
    rows = list(csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline="")))
    assert list(rows[0])[:5] == ["rank", "score", "label", "id", "path"]
    assert rows[0]["path"] == "/p/ä, b.jpg"
    assert (rows[0]["rank"], rows[0]["metadata.rank"], rows[0]["metadata.note"]) == ("1", "x", 'say "hi"')
    assert rows[1]["metadata.note"] == ""


def test_what_pictures_know_of_themselves_has_columns_beside_those_of_a_table() -> None:
    exif = {"taken": "2024-05-03 14:22:10", "camera": "=Canon", "unknown": "x"}
    hits = [Hit(1, 0.9, Item("a", "/p/a.jpg", None, {"width": "wide"}, 30, 40, exif=exif)), HITS[1]]
    data = results.to_csv(results.to_rows(hits, ["a", "b"])).decode("utf-8-sig")
    first, second = csv.DictReader(io.StringIO(data, newline=""))
    assert (first["width"], first["height"], first["metadata.width"]) == ("30", "40", "wide")
    assert (first["taken"], first["camera"]) == ("2024-05-03 14:22:10", "'=Canon")
    assert (second["width"], second["taken"], "unknown" in first) == ("", "", False)


def test_no_cell_of_the_table_is_a_formula() -> None:
    hits = [Hit(1, -0.5, Item("=1+1", "/p/a.jpg", "@SUM(A1)", {"note": "-2", "size": "2-3"}))]
    data = results.to_csv(results.to_rows(hits, ["+x"])).decode("utf-8-sig")
    (row,) = csv.DictReader(io.StringIO(data, newline=""))
    assert (row["id"], row["label"], row["path"], row["metadata.note"]) == ("'=1+1", "'@SUM(A1)", "'+x", "'-2")
    assert (row["score"], row["metadata.size"]) == ("-0.5", "2-3")


def test_the_json_says_what_was_searched_for_and_where() -> None:
    rows = results.to_rows(HITS, [file_name(hit.item) for hit in HITS])
    read = json.loads(results.to_json(["q.jpg"], "shoes", "resnet50", rows))
    assert (read["query"], read["gallery"], read["model"]) == (["q.jpg"], "shoes", "resnet50")
    assert [hit["rank"] for hit in read["hits"]] == [1, 2]
    assert read["hits"][1]["path"] == "c.jpg"


def test_the_zip_has_the_pictures_named_by_rank_and_says_which_are_missing(shapes: Gallery) -> None:
    hits = [*shapes.search_vector(shapes.vectors[0], 3), Hit(4, 0.1, Item("gone", "/no/such.jpg"))]
    with zipfile.ZipFile(io.BytesIO(results.to_zip(hits, lambda item: read_original(item).data))) as archive:
        assert archive.namelist()[:1] == [f"001-{file_name(hits[0].item)}"]
        assert archive.read(archive.namelist()[0]) == Path(hits[0].item.path).read_bytes()
        assert archive.read(results.LEFT_OUT).decode().startswith("004-such.jpg: cannot be read")
        assert len(archive.namelist()) == 4
    with zipfile.ZipFile(
        io.BytesIO(results.to_zip(hits[3:], lambda item: read_original(item).data, lambda _: "hm"))
    ) as archive:
        assert archive.read(results.LEFT_OUT) == b"004-such.jpg: hm\n"


def test_a_zip_that_would_be_too_large_lists_what_it_leaves_out(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_ZIP_BYTES", 10)
    data = results.to_zip(HITS, lambda item: b"12345678" if item.id == "a" else b"123")
    with zipfile.ZipFile(io.BytesIO(data)) as archive:
        assert archive.namelist() == ["001-ä, b.jpg", results.LEFT_OUT]


def test_a_picture_known_to_be_too_large_for_the_zip_is_not_read_in_vain(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(results, "MAX_ZIP_BYTES", 10)
    read: list[str] = []
    results.to_zip(
        [replace(hit, item=replace(hit.item, size=8)) for hit in HITS], lambda item: read.append(item.id) or b"12345678"
    )
    assert read == [HITS[0].item.id]


def test_the_picture_behind_an_item_is_read_from_a_zip_as_from_a_folder(pictures: Path, tmp_path: Path) -> None:
    path = tmp_path / "pictures.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.write(pictures / "dots" / "dots-1.jpg", "dots/one.jpg")
    item = Item("another id", f"{path}/dots/one.jpg", source=str(path))
    assert read_original(item).data == (pictures / "dots" / "dots-1.jpg").read_bytes()
    assert read_original(item).name == "one.jpg"
    with pytest.raises(ImageError, match="not in the zip any more"):
        read_original(Item("x", f"{path}/two.jpg", source=str(path)))
    path.unlink()
    with pytest.raises(ImageError, match="cannot be read"):
        read_original(item)


def test_the_picture_behind_an_address_is_fetched_by_whoever_is_asked_to() -> None:
    item = Item("x", "https://a.test/b.jpg?size=2")
    assert read_original(item, fetch=lambda url: url.encode()).data == b"https://a.test/b.jpg?size=2"

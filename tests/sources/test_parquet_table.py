import json
import sys
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from commands import Run
from conftest import MODEL, Site
from objectstore import ObjectStore

from similarity import Gallery
from similarity.errors import FetchError, SourceError
from similarity.sources import Item, open_source
from similarity.sources.locations import is_remote
from similarity.sources.object_store import _store, read_object
from similarity.sources.originals import file_name, read_original
from similarity.sources.parquet_table import open_listing


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "list.parquet"


def write(path: Path, columns: dict[str, list[Any]], **settings: Any) -> Path:
    pq.write_table(pa.table(columns), path, **settings)
    return path


def test_a_parquet_list_is_read_as_a_csv_is(own_pictures: Path) -> None:
    columns = {
        "Path": ["dots/dots-0.jpg", "rings/rings-1.jpg"],
        "id": ["a1", None],
        "label": ["lamp", None],
        "price": [12, None],
        "bytes": [b"\xff\xd8", None],
        "words": [["a"], []],
    }
    first, second = open_source(write(own_pictures / "list.parquet", columns)).items
    assert (first.id, first.path, first.label) == ("a1", str(own_pictures / "dots" / "dots-0.jpg"), "lamp")
    assert first.metadata == {"price": "12"}
    assert (second.id, second.label, second.metadata) == ("rings/rings-1.jpg", None, {})


def test_a_gallery_is_made_of_a_parquet_list_of_paths_and_addresses(
    site: Site, pictures: Path, path: Path, tmp_path: Path
) -> None:
    site.pages["/dot.jpg"] = (200, {}, (pictures / "dots" / "dots-0.jpg").read_bytes())
    ring = str(pictures / "rings" / "rings-0.jpg")
    write(path, {"path": [site.url("/dot.jpg"), ring, site.url("/gone.jpg")], "label": ["dot", "ring", "gone"]})
    gallery = Gallery.build(path, tmp_path / "gallery", model=MODEL)
    assert [(item.path, item.label) for item in gallery.items] == [(site.url("/dot.jpg"), "dot"), (ring, "ring")]
    (gone,) = gallery.manifest.skipped
    assert gone.path == f"{site.url('/gone.jpg')} ({path}, row 3)"


def test_rows_that_cannot_be_used_are_reported_by_number(path: Path) -> None:
    write(path, {"path": ["a.jpg", None, "b.jpg", "c.jpg"], "id": ["1", "2", "1", "3"]})
    source = open_source(path)
    assert [item.id for item in source.items] == ["1", "3"]
    assert [(one.path, one.reason) for one in source.skipped] == [
        (f"{path}, row 2", "has no path."),
        (f"{path}, row 3", "has the id '1', as row 1 has."),
    ]


def test_some_rows_are_read_without_the_others_wherever_the_row_groups_end(path: Path) -> None:
    write(path, {"path": [f"{number}.jpg" for number in range(20)]}, row_group_size=3)
    listing = open_listing(path)
    for start, stop in ((0, 20), (4, 11), (5, 6), (17, 20)):
        rows = listing.rows(start, stop)
        assert [item.id for item in rows.items] == [f"{number}.jpg" for number in range(start, stop)]
        assert rows.whereabouts(rows.items[0]).endswith(f"row {start + 1})")
    assert [len(block.items) for block in listing.blocks(8)] == [8, 8, 4]
    assert [len(block.items) for block in listing.blocks(100)] == [20]


@pytest.mark.parametrize(
    ("columns", "sentence"),
    [
        ({"picture": ["a.jpg"]}, "needs a column of texts named path or url"),
        ({"path": [b"a.jpg"]}, "needs a column of texts named path or url"),
        ({"path": [None, ""]}, "has no row that can be used"),
        ({"path": pa.array([], pa.string())}, "has no rows"),
    ],
)
def test_a_list_without_the_column_or_a_usable_row_is_an_error(
    path: Path, columns: dict[str, list[Any]], sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence):
        open_source(write(path, columns))


def test_a_list_that_is_damaged_is_an_error(path: Path) -> None:
    path.write_bytes(b"PAR1 and nothing else")
    with pytest.raises(SourceError, match="is not a readable Parquet file"):
        open_source(path)
    write(path, {"path": [f"{number}.jpg" for number in range(2000)]}, compression="zstd")
    listing, data = open_listing(path), path.read_bytes()
    path.write_bytes(data[:40] + bytes(400) + data[440:])
    with pytest.raises(SourceError, match="is damaged"):
        list(listing.blocks(512))


def test_pictures_in_an_object_store_are_indexed_and_failures_explained(
    run: Run, store: ObjectStore, pictures: Path, path: Path, tmp_path: Path
) -> None:
    for picture in pictures.glob("dots/*.jpg"):
        store.objects[f"shop/dots/{picture.name}"] = picture.read_bytes()
    store.objects |= {"shop/secret.jpg": None, "shop/page": b"<html></html>"}
    names = [*(f"dots/dots-{n}.jpg" for n in range(5)), "gone.jpg", "page", "secret.jpg"]
    write(path, {"path": [f"s3://shop/{name}" for name in names], "label": ["dots"] * len(names)})
    done = run("index", path, "-g", tmp_path / "g", "-m", MODEL, "--json")
    assert (done.returncode, done.stderr) == (0, "")
    told = json.loads(done.stdout)
    assert told["indexed"] == 5
    reasons = {one["path"].partition(" ")[0].rpartition("/")[2]: one["reason"] for one in told["skipped"]}
    assert reasons == {
        "gone.jpg": "s3://shop/gone.jpg is not there: check the bucket and the key.",
        "page": reasons["page"],
        "secret.jpg": "s3://shop/secret.jpg may not be read with the credentials of this computer.",
    }
    assert "is a web page" in reasons["page"]
    gallery = Gallery.open(tmp_path / "g")
    item = gallery.items[0]
    assert (item.path, item.mtime) == ("s3://shop/dots/dots-0.jpg", 1445412480.0)
    assert file_name(item) == "dots-0.jpg"
    assert not item.is_gone
    told = json.loads(run("sync", path, "-g", tmp_path / "g", "--json").stdout)
    assert (told["unchanged"], told["embedded"]) == (5, 0)


def test_without_the_library_of_a_store_it_is_said_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("fsspec", "s3fs", "gcsfs"):
        monkeypatch.setitem(sys.modules, name, None)
    _store.cache_clear()
    with pytest.raises(FetchError, match=r"pip install fsspec s3fs"):
        read_object("s3://shop/1.jpg")
    with pytest.raises(FetchError, match="pip install gcsfs"):
        read_original(Item("1", "gs://shop/1.jpg"))


def test_only_object_stores_are_opened_through_fsspec() -> None:
    assert is_remote("S3://shop/1.jpg")
    for place in ("file:///etc/passwd", "ftp://host/1.jpg", "memory://1.jpg", "s3:/shop/1.jpg", "/tmp/s3://x.jpg"):
        assert not is_remote(place)

from pathlib import Path

import pytest
from conftest import MODEL, Site

from similarity import Gallery
from similarity.errors import SourceError
from similarity.sources import open_source


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "products.csv"


def test_paths_labels_and_further_columns_are_read(own_pictures: Path) -> None:
    path = own_pictures / "products.csv"
    path.write_text("id,path,label,price,colour\na1,dots/dots-0.jpg,lamp,12,red\n,rings/rings-1.jpg,,,\n")
    first, second = open_source(path).items
    assert (first.id, first.path, first.label) == ("a1", str(own_pictures / "dots" / "dots-0.jpg"), "lamp")
    assert first.metadata == {"price": "12", "colour": "red"}
    assert (second.id, second.label, second.metadata) == ("rings/rings-1.jpg", None, {})


@pytest.mark.parametrize("separator", [",", ";", "\t"])
@pytest.mark.parametrize("mark", ["", "\ufeff"])
def test_other_separators_and_a_byte_order_mark_are_understood(path: Path, separator: str, mark: str) -> None:
    rows = [["Path", "Label"], ["a.jpg", "Stühle, rot" if separator != "," else "Stühle"]]
    path.write_text(mark + "\r\n".join(separator.join(row) for row in rows), encoding="utf-8")
    assert open_source(path).items[0].label == rows[1][1]


def test_metadata_live_on_in_the_gallery(own_pictures: Path, tmp_path: Path) -> None:
    path = own_pictures / "products.csv"
    path.write_text("path,label,price\ndots/dots-0.jpg,lamp,12\nrings/rings-1.jpg,chair,99\n")
    Gallery.build(path, tmp_path / "gallery", model=MODEL)
    items = Gallery.open(tmp_path / "gallery").items
    assert [(item.label, dict(item.metadata)) for item in items] == [
        ("lamp", {"price": "12"}),
        ("chair", {"price": "99"}),
    ]


def test_addresses_are_downloaded_together_and_failures_are_reported_by_line(
    site: Site, pictures: Path, path: Path, tmp_path: Path
) -> None:
    for picture in pictures.glob("dots/*.jpg"):
        site.pages[f"/{picture.name}"] = (200, {}, picture.read_bytes())
    site.pages["/page"] = (200, {}, b"<html></html>")
    names = [*(f"dots-{n}.jpg" for n in range(5)), "gone.jpg", "page"]
    path.write_text("url,label\n" + "".join(f"{site.url('/' + name)},dots\n" for name in names))
    gallery = Gallery.build(path, tmp_path / "gallery", model=MODEL)
    assert [item.path for item in gallery.items] == [site.url(f"/dots-{n}.jpg") for n in range(5)]
    (gone, page) = gallery.manifest.skipped
    assert gone.path == f"{site.url('/gone.jpg')} ({path}, line 7)"
    assert "answered 404" in gone.reason
    assert page.path.endswith("line 8)")
    assert "is a web page" in page.reason


def test_rows_that_cannot_be_used_are_named_by_line_and_the_others_are_used(path: Path) -> None:
    lines = [
        b"id,path,label",
        b"1,a.jpg,lamp",
        b"1,b.jpg,lamp",
        b"2,,lamp",
        b"3,c.jpg,lamp,too,many",
        b"4,caf\xe9.jpg,lamp",
        b"5,d.jpg,chair",
    ]
    path.write_bytes(b"\n".join(lines))
    source = open_source(path)
    assert [item.id for item in source.items] == ["1", "5"]
    assert [(Path(skipped.path).name, skipped.reason) for skipped in source.skipped] == [
        ("products.csv, line 3", "has the id '1', as line 2 has."),
        ("products.csv, line 4", "has no path."),
        ("products.csv, line 5", "has more values than the first line has columns."),
        ("products.csv, line 6", "is not UTF-8: save the file as UTF-8."),
    ]


def test_a_row_may_have_a_path_or_an_address(path: Path) -> None:
    path.write_text("path,url\na.jpg,\n,https://example.com/b.jpg\n,\nbad\0name.jpg,\n")
    source = open_source(path)
    assert [item.path for item in source.items] == [str(path.parent / "a.jpg"), "https://example.com/b.jpg"]
    assert [Path(skipped.path).name for skipped in source.skipped] == ["products.csv, line 4", "products.csv, line 5"]


def test_an_address_that_is_none_is_named_by_line(path: Path) -> None:
    path.write_text("url\nhttps://example.com/a.jpg\nexample.com/b.jpg\n")
    source = open_source(path)
    assert len(source.items) == 1
    assert "line 3" in source.skipped[0].path
    assert "does not start with http" in source.skipped[0].reason


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ("", "needs a column named path or url"),
        ("name,label\na.jpg,x\n", "needs a column named path or url"),
        ("path,label\n", "has no row that can be used"),
        ("path,label\n,x\n", "has no row that can be used; .*line 2, has no path"),
        ('path,label\na.jpg,"never closed\nb.jpg,x\n', "the row that begins in line 2 is not CSV"),
        ("path,pr\udce9is\na.jpg,1\n", "line 1: is not UTF-8"),
    ],
)
def test_a_table_without_the_column_or_a_usable_row_is_an_error(path: Path, content: str, sentence: str) -> None:
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(SourceError, match=sentence):
        open_source(path)

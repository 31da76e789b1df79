from pathlib import Path

import pytest
from conftest import MODEL, Site

from similarity import Gallery
from similarity.errors import SourceError
from similarity.query.filters import Facets
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
        "5,d.jpg,Stühle".encode(),
        "6,e.jpg,Stühle".encode(),
    ]
    path.write_bytes(b"\n".join(lines))
    source = open_source(path)
    assert [item.id for item in source.items] == ["1", "5", "6"]
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
        ("path,pr\udce9is\na.jpg,é\nb.jpg,é\n", "line 1 is not UTF-8"),
        ("sep=;\nname;label\na.jpg;x\n", "needs a column named path or url"),
    ],
)
def test_a_table_without_the_column_or_a_usable_row_is_an_error(path: Path, content: str, sentence: str) -> None:
    path.write_bytes(content.encode(errors="surrogateescape"))
    with pytest.raises(SourceError, match=sentence):
        open_source(path)


@pytest.mark.parametrize("line", ["sep=;", "SEP=;", '"sep=;"'])
def test_the_first_line_of_excel_names_the_separator(path: Path, line: str) -> None:
    path.write_text(f"{line}\r\npath;label;price\r\na.jpg;x;1,5\r\n;y;2\r\n")
    source = open_source(path)
    assert [(Path(item.path).name, item.label, item.metadata) for item in source.items] == [
        ("a.jpg", "x", {"price": "1,5"})
    ]
    assert [Path(skipped.path).name for skipped in source.skipped] == ["products.csv, line 4"]


@pytest.mark.parametrize(
    "text",
    [
        "path;label;size, cm, width, height\na.jpg;x;1",
        "label, name, kind, group;path\nx;a.jpg",
        "path|label\na.jpg|x",
        "\n\npath\tlabel, long, name\na.jpg\tx",
        'path, label\n"a.jpg", x',
        "path,label,,\na.jpg,x,,,,\n",
    ],
)
def test_the_separator_is_the_one_that_gives_a_column_of_paths(path: Path, text: str) -> None:
    path.write_text(text)
    (item,) = open_source(path).items
    assert Path(item.path).name == "a.jpg"


@pytest.mark.parametrize("encoding", ["utf-16", "utf-16-le", "utf-16-be", "utf-32", "utf-8-sig"])
def test_encodings_of_unicode_are_recognised(path: Path, encoding: str) -> None:
    path.write_bytes("path\tlabel\nsub/靴.jpg\tStühle\n".encode(encoding))
    source = open_source(path)
    assert [(item.id, item.label) for item in source.items] == [("sub/靴.jpg", "Stühle")]
    assert [note.startswith("The CSV was read as UTF-") for note in source.notes] == [True] * ("8" not in encoding)


@pytest.mark.parametrize(("encoding", "label"), [("cp1252", "Stühle"), ("cp932", "椅子"), ("cp1251", "стулья")])
def test_a_code_page_is_recognised_and_named(path: Path, encoding: str, label: str) -> None:
    path.write_bytes(f"path,label\na.jpg,{label}\nb.jpg,{label}\n".encode(encoding))
    source = open_source(path)
    assert {item.label for item in source.items} == {label}
    (note,) = source.notes
    assert note.startswith(f"The CSV is not UTF-8; it was read as {encoding} (")


def test_text_that_begins_as_utf16_and_does_not_go_on_so_is_an_error(path: Path) -> None:
    path.write_bytes("path\na.jpg\n".encode("utf-16") + b"\x00")
    with pytest.raises(SourceError, match="is damaged: it begins as utf-16"):
        open_source(path)


def test_a_cell_may_have_any_length(path: Path) -> None:
    path.write_text(f"path,thumb\na.jpg,{'q' * 200_000}\nb.jpg,r\n")
    assert [len(item.metadata["thumb"]) for item in open_source(path).items] == [200_000, 1]


def test_a_path_is_found_however_it_is_written(own_pictures: Path) -> None:
    odd = own_pictures / "dots" / "ü #1%20.jpg"
    (own_pictures / "dots" / "dots-0.jpg").rename(odd)
    other = own_pictures / "dots" / "dots-1.jpg"
    path, rows = (
        own_pictures / "products.csv",
        {
            odd.as_uri(): odd,
            f"file://{odd}": odd,
            f"FILE://localhost{other}": other,
            f"file:{other}": other,
            "dots\\dots-1.jpg": other,
            f'"""{other}"""': other,
            "'dots/dots-1.jpg'": other,
            "dots/u\u0308 #1%20.jpg": odd,
            "dots/missing \\ one.jpg": own_pictures / "dots" / "missing " / " one.jpg",
        },
    )
    path.write_text("path\n" + "\n".join(rows))
    assert [Path(item.path) for item in open_source(path).items] == list(rows.values())
    path.write_text(f"url\n{odd.as_uri()}\nfile://nas/share/a.jpg\n")
    source = open_source(path)
    assert [Path(item.path) for item in source.items] == [odd]
    assert "is a file of another computer, nas" in source.skipped[0].reason


def test_a_file_with_a_backslash_or_quotation_marks_in_its_name_is_found(own_pictures: Path) -> None:
    names = ["a\\b.jpg", "'c.jpg'"]
    for number, name in enumerate(names):
        (own_pictures / "dots" / f"dots-{number}.jpg").rename(own_pictures / name)
    path = own_pictures / "products.csv"
    path.write_text("path\n" + "\n".join(names))
    assert [Path(item.path) for item in open_source(path).items] == [own_pictures / name for name in names]


def test_a_path_that_is_repeated_without_ids_keeps_what_each_row_says(own_pictures: Path, tmp_path: Path) -> None:
    path = own_pictures / "products.csv"
    path.write_text(
        "path,label\ndots/dots-0.jpg,red\ndots/dots-0.jpg,shirt\ndots/dots-0.jpg,red\nrings/rings-0.jpg,x\n"
    )
    source = open_source(path)
    assert [(item.id, item.label) for item in source.items] == [
        ("dots/dots-0.jpg", "red"),
        ("dots/dots-0.jpg#2", "shirt"),
        ("rings/rings-0.jpg", "x"),
    ]
    (skipped,) = source.skipped
    assert (Path(skipped.path).name, skipped.reason) == (
        "products.csv, line 4",
        "says the same as line 2: it counts once.",
    )
    gallery = Gallery.build(source, tmp_path / "gallery", model=MODEL)
    assert [item.labels for item in gallery.items] == [["red", "shirt"], ["x"]]


def test_labels_and_columns_are_composed(path: Path) -> None:
    path.write_text("path,label,gro\u0308\u00dfe\na.jpg,Ko\u0308ln,u\u0308\nb.jpg,K\u00f6ln,\u00fc\n", encoding="utf-8")
    facets = Facets(open_source(path).items)
    assert facets.counts("label") == {"K\u00f6ln": 2}
    assert facets.counts("gr\u00f6\u00dfe") == {"\u00fc": 2}

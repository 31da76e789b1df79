import pickle
import stat
import struct
import warnings
import zipfile
import zlib
from collections.abc import Sequence
from contextlib import suppress
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL

from similarity import Gallery
from similarity.errors import ImageError, SourceError
from similarity.sources import Item, open_source
from similarity.sources.originals import read_original


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "photos.zip"


def zip_folder(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for picture in sorted(folder.rglob("*.jpg")):
            file.write(picture, picture.relative_to(folder))


class Named(zipfile.ZipInfo):
    """An entry whose name is written as given, in any encoding."""

    __slots__ = ("flags", "raw")

    def __init__(self, raw: bytes, *, flags: int = 0, extra: bytes = b"") -> None:
        super().__init__("x.jpg")
        self.raw, self.flags, self.extra = raw, flags, extra

    def _encodeFilenameFlags(self) -> tuple[bytes, int]:  # noqa: N802 - zipfile's own name
        return self.raw, self.flag_bits | self.flags


def zip_names(path: Path, names: Sequence[bytes | Named]) -> None:
    """Write a zip of entries with these names; what is in each is its name."""
    with zipfile.ZipFile(path, "w") as file, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # all have the same name for zipfile
        for name in names:
            entry = name if isinstance(name, Named) else Named(name)
            file.writestr(entry, entry.raw)


def unicode_path(raw: bytes, name: str, *, of: bytes | None = None) -> bytes:
    """The extra field with the name of an entry in UTF-8."""
    content = b"\x01" + struct.pack("<L", zlib.crc32(raw if of is None else of)) + name.encode()
    return struct.pack("<HH", 0x7075, len(content)) + content


def test_a_zip_gives_the_same_gallery_as_the_folder_it_was_made_of(
    pictures: Path, shapes: Gallery, path: Path, tmp_path: Path
) -> None:
    zip_folder(pictures, path)
    gallery = Gallery.build(path, tmp_path / "gallery", model=MODEL)
    assert [(item.id, item.label, item.sha256) for item in gallery.items] == [
        (item.id, item.label, item.sha256) for item in shapes.items
    ]
    assert gallery.items[0].path == f"{path}/dots/dots-0.jpg"
    assert gallery.items[0].mtime == path.stat().st_mtime, "entries' own times are local, and often made up"
    assert np.array_equal(gallery.vectors, shapes.vectors)


def test_other_files_and_what_systems_add_are_left_out(pictures: Path, path: Path) -> None:
    picture = (pictures / "dots" / "dots-0.jpg").read_bytes()
    with zipfile.ZipFile(path, "w") as file:
        for name in ("a.jpg", "notes.txt", "__MACOSX/._a.jpg", ".hidden/b.jpg", "folder/"):
            file.writestr(name, picture)
    assert [item.id for item in open_source(path).items] == ["a.jpg"]


def test_a_damaged_entry_costs_only_itself(pictures: Path, path: Path, tmp_path: Path) -> None:
    zip_folder(pictures, path)
    data = bytearray(path.read_bytes())
    data[2000] ^= 255  # in the first entry's bytes
    path.write_bytes(data)
    gallery = Gallery.build(path, tmp_path / "gallery", model=MODEL)
    assert len(gallery) == 14
    assert [(skipped.path, skipped.reason) for skipped in gallery.manifest.skipped] == [
        (f"{path}/dots/dots-0.jpg", "cannot be unpacked: it is damaged.")
    ]


def test_an_entry_that_is_there_twice_is_reported(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("a.jpg", b"1")
        with pytest.warns(UserWarning, match="Duplicate name"):
            file.writestr("a.jpg", b"2")
    source = open_source(path)
    assert len(source.items) == 1
    assert "is in the zip twice" in source.skipped[0].reason


@pytest.mark.parametrize(
    "name", ["../a.jpg", "shoes/../../a.jpg", "/etc/a.jpg", "C:/a.jpg", "..\\a.jpg", "\\\\host\\a.jpg"]
)
def test_a_path_that_leads_out_is_refused(path: Path, name: str) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("fine.jpg", b"x")
        file.writestr(name, b"x")
    with pytest.raises(SourceError, match=r"photos\.zip is refused: its entry .* leads out of the zip"):
        open_source(path)


def test_a_link_is_refused(path: Path) -> None:
    link = zipfile.ZipInfo("link.jpg")
    link.external_attr = (stat.S_IFLNK | 0o777) << 16
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(link, "/etc/passwd")
    with pytest.raises(SourceError, match="is a link"):
        open_source(path)


@pytest.mark.exhaustive
def test_more_than_fifty_thousand_entries_are_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for number in range(50_001):
            file.writestr(f"{number}.jpg", b"")
    with pytest.raises(SourceError, match="has 50,001 files; more than 50,000 are not read from a zip"):
        open_source(path)


def test_an_entry_that_grows_a_thousandfold_is_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("bomb.bmp", bytes(20_000_000))
    with pytest.raises(SourceError, match=r"its entry 'bomb\.bmp' grows 10\d\d times"):
        open_source(path)


def test_many_small_entries_that_grow_together_are_refused(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for number in range(30):
            file.writestr(f"{number}.bmp", bytes(999_000))
    with pytest.raises(SourceError, match="is refused: it grows"):
        open_source(path)


def test_entries_with_odd_names_do_no_harm(pictures: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr(".", b"x")
        file.writestr("Größe/été 1.jpg", (pictures / "dots" / "dots-0.jpg").read_bytes())
    assert [(item.id, item.label) for item in open_source(path).items] == [("Größe/été 1.jpg", "Größe")]


def test_a_zip_that_unpacks_to_too_much_is_refused(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from similarity.sources import zip_archive

    monkeypatch.setattr(zip_archive, "MAX_TOTAL_BYTES", 1000)
    with zipfile.ZipFile(path, "w") as file:
        for number in range(20):
            file.writestr(f"{number}.jpg", bytes(100))
    with pytest.raises(SourceError, match="the limit is 20 GB"):
        open_source(path)


def test_an_announced_size_is_not_exceeded(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("liar.jpg", bytes(900_000))
    data = path.read_bytes()
    path.write_bytes(data.replace((900_000).to_bytes(4, "little"), (10).to_bytes(4, "little")))
    source = open_source(path)
    with pytest.raises(ImageError, match="cannot be unpacked"):
        source.read(source.items[0])


@pytest.mark.parametrize("content", [b"", b"no zip", b"PK\x03\x04 half of one"])
def test_what_is_no_zip_is_an_error(path: Path, content: bytes) -> None:
    path.write_bytes(content)
    with pytest.raises(SourceError, match="is not a readable zip file"):
        open_source(path)


def test_a_zip_without_pictures_is_an_error(path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        file.writestr("notes.txt", b"x")
    with pytest.raises(SourceError, match="There are no pictures in"):
        open_source(path)


def test_names_in_utf8_are_read_without_the_flag_that_says_so(path: Path) -> None:
    zip_names(path, ["Müller/鞋.jpg".encode(), b"plain/a.jpg"])
    source = open_source(path)
    assert [(item.id, item.label) for item in source.items] == [("Müller/鞋.jpg", "Müller"), ("plain/a.jpg", "plain")]
    assert [source.read(item).data.decode() for item in source.items] == ["Müller/鞋.jpg", "plain/a.jpg"]
    assert source.notes == []


@pytest.mark.parametrize(
    ("page", "names", "language"),
    [
        ("cp932", ["新しいフォルダー/表.jpg", "靴/ソファ.jpg"], "Japanese"),
        ("gb18030", ["鞋子/红色.jpg", "帽子/蓝色.jpg"], "simplified Chinese"),
        ("big5", ["鞋子/紅色.jpg", "帽子/功.jpg"], "traditional Chinese"),
        ("cp949", ["신발/빨강.jpg", "모자/파랑.jpg"], "Korean"),
        ("cp866", ["обувь/красный.jpg", "Шляпы/синий.jpg"], "Cyrillic"),
        ("cp1251", ["обувь/красный.jpg", "Шляпы/синий.jpg"], "Cyrillic"),
        ("cp850", ["Müller/Schuhe.jpg", "Größe/Hüte.jpg"], "Western European"),
        ("cp1252", ["Müller/Schuhe.jpg", "Größe/Hüte.jpg"], "Western European"),
    ],
)
def test_names_in_a_code_page_are_recognised_together_and_it_is_said(
    path: Path, page: str, names: list[str], language: str
) -> None:
    zip_names(path, [name.encode(page) for name in names])
    source = open_source(path)
    assert sorted(item.id for item in source.items) == sorted(names)
    assert [source.read(item).data.decode(page) for item in source.items] == sorted(names)
    (note,) = source.notes
    assert language in note


def test_a_unicode_path_is_the_name_if_it_belongs_to_the_entry(path: Path) -> None:
    right, wrong = (
        Named(raw, extra=unicode_path(raw, f"靴/{raw[0]}.jpg", of=of))
        for raw, of in ((b"1?.jpg", None), (b"2.jpg", b"x"))
    )
    zip_names(path, [right, wrong])
    source = open_source(path)
    assert [item.id for item in source.items] == ["2.jpg", "靴/49.jpg"]
    assert source.read(source.items[1]).data == b"1?.jpg"


def test_a_name_that_is_not_the_utf8_that_the_zip_says_costs_only_its_entry(path: Path) -> None:
    zip_names(path, [Named(b"a\xff.jpg", flags=0x800), Named("ü.jpg".encode(), flags=0x800)])
    source = open_source(path)
    assert [(item.id, source.read(item).data.decode()) for item in source.items] == [("ü.jpg", "ü.jpg")]
    (skipped,) = source.skipped
    assert skipped.path == f"{path}/a�.jpg"
    assert "not UTF-8, although the zip says so" in skipped.reason


def test_damaged_extra_fields_cost_nothing(path: Path) -> None:
    zip_names(path, [Named(b"a.jpg", extra=struct.pack("<HH", 0x5455, 200) + b"xx"), b"b.jpg"])
    source = open_source(path)
    assert [source.read(item).data for item in source.items] == [b"a.jpg", b"b.jpg"]


def test_backslashes_separate_folders(path: Path) -> None:
    zip_names(path, [b"shoes\\a.jpg", b"hats\\b.jpg", b"hats\\"])
    source = open_source(path)
    assert [(item.id, item.label) for item in source.items] == [("hats/b.jpg", "hats"), ("shoes/a.jpg", "shoes")]
    assert source.read(source.items[1]).data == b"shoes\\a.jpg"


@pytest.mark.parametrize(("flags", "method", "reason"), [(1, 0, "is encrypted"), (0, 9, "by method 9")])
def test_an_entry_that_is_encrypted_or_packed_by_an_unknown_method_says_so(
    path: Path, flags: int, method: int, reason: str
) -> None:
    zip_names(path, [b"a.jpg", b"b.jpg"])
    data = bytearray(path.read_bytes())
    record = data.index(b"PK\x01\x02")
    data[record + 8 : record + 12] = struct.pack("<HH", flags, method)
    path.write_bytes(data)
    source = open_source(path)
    assert [item.id for item in source.items] == ["b.jpg"]
    (skipped,) = source.skipped
    assert skipped.path == f"{path}/a.jpg"
    assert reason in skipped.reason
    assert "unpack the zip" in skipped.reason


def test_a_zip_of_which_nothing_can_be_read_says_why(path: Path) -> None:
    zip_names(path, [b"a.jpg"])
    data = bytearray(path.read_bytes())
    data[data.index(b"PK\x01\x02") + 8] |= 1
    path.write_bytes(data)
    with pytest.raises(SourceError, match=r"No picture in .*photos\.zip/a\.jpg is encrypted: unpack the zip"):
        open_source(path)


def test_labels_are_composed_and_entries_of_earlier_galleries_are_still_found(path: Path) -> None:
    zip_names(path, [Named("Ko\u0308ln/u\u0308.jpg".encode(), flags=0x800), "Gr\u00f6\u00dfe/a.jpg".encode()])
    source = open_source(path)
    assert [(item.id, item.label) for item in source.items] == [("Größe/a.jpg", "Größe"), ("Köln/ü.jpg", "Köln")]
    for old in ("Ko\u0308ln/u\u0308.jpg", "Gr\u00f6\u00dfe/a.jpg".encode().decode("cp437")):
        original = read_original(Item(id=old, path=f"{path}/{old}", source=str(path)))
        assert original.data.decode() in ("Ko\u0308ln/u\u0308.jpg", "Größe/a.jpg")


def test_a_part_of_a_zip_is_read_in_another_process(path: Path) -> None:
    zip_names(path, ["Müller/鞋.jpg".encode(), b"a.jpg"])
    source = open_source(path)
    part = pickle.loads(pickle.dumps(source.part(source.items[:1])))
    assert part.read(part.items[0]).data.decode() == "Müller/鞋.jpg"


@pytest.mark.many
@pytest.mark.parametrize("seed", range(40))
def test_a_damaged_list_of_entries_is_an_error_or_costs_entries_but_is_no_fault_of_ours(path: Path, seed: int) -> None:
    sjis = "靴/ソファ.jpg".encode("cp932")
    zip_names(path, ["ü.jpg".encode(), sjis, Named(b"a.jpg", flags=0x800, extra=unicode_path(b"a.jpg", "靴.jpg"))])
    whole, random = path.read_bytes(), np.random.default_rng(seed)
    start = whole.index(b"PK\x01\x02")
    for _ in range(50):
        data = bytearray(whole)
        for place in random.integers(start, len(data), random.integers(1, 5)):
            data[place] = random.integers(256)
        path.write_bytes(data)
        try:
            source = open_source(path)
        except SourceError:
            continue
        for item in source.items:
            with suppress(ImageError):
                source.read(item)

import stat
import zipfile
from pathlib import Path

import numpy as np
import pytest
from conftest import MODEL

from similarity import Gallery
from similarity.errors import ImageError, SourceError
from similarity.sources import open_source


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "photos.zip"


def zip_folder(folder: Path, path: Path) -> None:
    with zipfile.ZipFile(path, "w") as file:
        for picture in sorted(folder.rglob("*.jpg")):
            file.write(picture, picture.relative_to(folder))


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
        (f"{path}/dots/dots-0.jpg", "cannot be unpacked: it is damaged, or encrypted.")
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

"""Every file of a folder is a picture or is named: what it is, is read from its first bytes."""

import io
import json
import os
import zipfile
from collections.abc import Callable
from pathlib import Path

import pillow_heif
import pillow_jxl  # noqa: F401 - registers itself
import pytest
from commands import Run
from conftest import MODEL, draw

from similarity.errors import SourceError
from similarity.sources import open_source
from similarity.sources.unread import lines_by_kind, without_unread

pillow_heif.register_heif_opener()


def saved(form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    draw("rings", 3).save(buffer, form, **options)
    return buffer.getvalue()


def video(brand: bytes) -> bytes:
    return b"\0\0\0\x18ftyp" + brand + bytes(40)


READ: dict[str, Callable[[], bytes]] = {
    "IMG_1.HEIC": lambda: saved("HEIF"),
    "scan.tif": lambda: saved("TIFF"),
    "DSCF1.MPO": lambda: saved("MPO"),
    "a.jxl": lambda: saved("JXL"),
    "a.jpg_large": lambda: saved("JPEG"),
    "a.jif": lambda: saved("JPEG", quality=60),
    "a.dib": lambda: saved("BMP"),
    "no suffix": lambda: saved("PNG"),
    "odd.suffix": lambda: saved("WEBP"),
    "a-jpeg-named.nef": lambda: saved("JPEG", quality=50),
    "a-png-named.pdf": lambda: saved("PNG", compress_level=1),
}
NAMED: dict[str, tuple[Callable[[], bytes], str]] = {
    "a.nef": (lambda: saved("TIFF"), "is a camera raw file, "),
    "b.cr3": (lambda: video(b"crx "), "is a camera raw file, "),
    "a.psd": (lambda: b"8BPS" + bytes(40), "is a Photoshop file, "),
    "a.svg": (lambda: b"<?xml version='1.0'?><svg xmlns='http://www.w3.org/2000/svg'/>", "is an SVG, "),
    "a.pdf": (lambda: b"%PDF-1.7", "is a PDF file, "),
    "a.mp4": (lambda: video(b"isom"), "is a video, "),
    "b.mov": (lambda: video(b"qt  "), "is a video, "),
    "video without suffix": (lambda: b"\x1a\x45\xdf\xa3" + bytes(40), "is a video, "),
    "a.tga": (lambda: saved("TGA"), "is a TGA file, "),
    "a.ico": (lambda: saved("ICO"), "is a Windows icon file, "),
    "a.eps": (lambda: saved("EPS"), "is a PostScript file, "),
    "a.jp2": (lambda: saved("JPEG2000"), "is a JPEG 2000 file, "),
    "notes.txt": (lambda: b"buy milk", "is another kind of file, "),
    "letter": (lambda: b"Dear diary", "is another kind of file, "),
    "empty": (lambda: b"", "is empty"),
}


@pytest.fixture
def mixed(tmp_path: Path) -> Path:
    folder = tmp_path / "mixed"
    folder.mkdir()
    for name, make in READ.items():
        (folder / name).write_bytes(make())
    for name, (make, _) in NAMED.items():
        (folder / name).write_bytes(make())
    return folder


def test_each_file_of_a_folder_is_listed_or_named_with_its_kind(mixed: Path) -> None:
    source = open_source(mixed)
    assert {item.id for item in source.items} == READ.keys()
    reasons = {Path(file.path).name: file.reason for file in source.skipped}
    assert reasons.keys() == NAMED.keys()
    assert [name for name, (_, reason) in NAMED.items() if not reasons[name].startswith(reason)] == []


def test_a_zip_lists_and_names_the_same_files_as_a_folder(mixed: Path, tmp_path: Path) -> None:
    path = tmp_path / "mixed.zip"
    with zipfile.ZipFile(path, "w") as archive:
        for file in mixed.iterdir():
            archive.write(file, file.name)
    folder, source = open_source(mixed), open_source(path)
    assert [item.id for item in source.items] == [item.id for item in folder.items]
    assert {file.path.removeprefix(f"{path}/"): file.reason for file in source.skipped} == {
        Path(file.path).name: file.reason for file in folder.skipped
    }


def test_what_cannot_even_be_opened_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.png").write_bytes(saved("PNG"))
    (tmp_path / "dangling").symlink_to(tmp_path / "nowhere")
    os.mkfifo(tmp_path / "pipe")
    reasons = {Path(file.path).name: file.reason for file in open_source(tmp_path).skipped}
    assert reasons == {"dangling": "cannot be read (No such file or directory).", "pipe": "is not a regular file."}


def test_kinds_take_a_line_each_with_their_number_and_the_remedy(mixed: Path) -> None:
    lines = lines_by_kind(open_source(mixed).skipped)
    assert "2 camera raw files (.cr3, .nef) are not read: export them as JPEG or TIFF." in lines
    assert "3 videos (.mov, .mp4) are not read: save a frame of each as JPEG." in lines
    assert "1 PDF file (.pdf) is not read: export its pages as PNG." in lines
    assert "2 other files (.txt) are not read." in lines
    assert [Path(file.path).name for file in without_unread(open_source(mixed).skipped)] == ["empty"]


def test_a_folder_of_raw_files_says_so_and_what_to_do(tmp_path: Path) -> None:
    for number in range(3):
        (tmp_path / f"{number}.arw").write_bytes(saved("TIFF"))
    with pytest.raises(SourceError, match=r"no pictures in .* 3 camera raw files \(\.arw\) are not read: export them"):
        open_source(tmp_path)


def test_indexed_and_skipped_add_up_to_the_files_of_the_folder(mixed: Path, empty_home: Path, run: Run) -> None:
    assert empty_home.exists()
    (mixed / "broken.heic").write_bytes(saved("HEIF")[:500])
    report = json.loads(run("index", mixed, "--gallery", "mixed", "--model", MODEL, "--json").stdout)
    assert report["indexed"] == len(READ)
    assert len(report["skipped"]) == len(NAMED) + 1
    assert report["indexed"] + len(report["skipped"]) == len(list(mixed.iterdir()))

"""What picture files say of themselves."""

import io

import numpy as np
import pytest
from PIL import ExifTags, Image

from similarity.images.decoding import decode_scaled, read_exif
from similarity.images.exif import read_facts, read_place, without_place

BASE, GPS = ExifTags.Base, ExifTags.GPS
MUNICH = {GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (48.0, 8.0, 13.7544)}
MUNICH |= {GPS.GPSLongitudeRef: "E", GPS.GPSLongitude: (11.0, 34.0, 34.0464)}
ALL = {
    "taken": "2024-05-03 14:22:10",
    "camera": "Canon EOS 80D",
    "orientation": "6",
    "latitude": "48.137154",
    "longitude": "11.576124",
}


def file_of(base: dict, taken: dict | None = None, place: dict | None = None, kind: str = "JPEG") -> bytes:
    """A picture file with these tags."""
    exif = Image.Exif()
    for tag, value in base.items():
        exif[tag] = value
    for part, more in ((ExifTags.IFD.Exif, taken), (ExifTags.IFD.GPSInfo, place)):
        exif.get_ifd(part).update(more or {})
        exif[part] = 1  # where it lies; a TIFF is written without the parts that have no place
    file = io.BytesIO()
    Image.fromarray(np.zeros((20, 40, 3), np.uint8)).save(file, kind, exif=exif)
    return file.getvalue()


def said(**tags: object) -> dict[str, str]:
    names = {getattr(BASE, name): value for name, value in tags.items()}
    return read_exif(file_of(names))


@pytest.mark.parametrize("kind", ["JPEG", "PNG", "WEBP", "TIFF"])
def test_date_camera_orientation_and_place_are_read_from_every_kind_of_file(kind: str) -> None:
    base = {BASE.Make: "Canon", BASE.Model: "Canon EOS 80D", BASE.Orientation: 6, BASE.DateTime: "2025:01:01 00:00:00"}
    data = file_of(base, {BASE.DateTimeOriginal: "2024:05:03 14:22:10"}, MUNICH, kind)
    with Image.open(io.BytesIO(data)) as image:
        assert read_facts(image) | read_place(image) == ALL
    if kind != "TIFF":
        decoded = decode_scaled(data, "x", side=10)
        assert (decoded.width, decoded.height, decoded.exif) == (20, 40, ALL)
        assert read_exif(data) == ALL
    assert set(without_place(ALL)) == {"taken", "camera", "orientation"}


@pytest.mark.parametrize(
    ("maker", "model", "camera"),
    [
        ("NIKON CORPORATION", "NIKON D850", "NIKON D850"),
        ("Apple", "iPhone 15 Pro", "Apple iPhone 15 Pro"),
        ("", "X100", "X100"),
        ("Leica", "", "Leica"),
        ("SONY  \x00", " ILCE-7\x07M4 \x1b[31m", "SONY ILCE-7 M4 [31m"),
        ("M" * 300, "", "M" * 100),
    ],
)
def test_a_camera_has_the_name_of_its_maker_once_and_in_one_line(maker: str, model: str, camera: str) -> None:
    assert said(Make=maker, Model=model).get("camera") == camera


@pytest.mark.parametrize(
    ("text", "taken"),
    [
        ("2024:05:03 14:22:10", "2024-05-03 14:22:10"),
        ("2024-05-03T14:22:10+02:00", "2024-05-03 14:22:10"),
        ("2024:05:03 14:22", "2024-05-03 14:22:00"),
        ("0000:00:00 00:00:00", None),
        ("2024:13:01 00:00:00", None),
        ("    :  :     :  :  ", None),
    ],
)
def test_a_date_that_is_none_is_not_kept(text: str, taken: str | None) -> None:
    assert said(DateTime=text).get("taken") == taken


def test_a_place_is_west_and_south_below_zero_and_none_without_both_or_beyond_the_poles() -> None:
    south = MUNICH | {GPS.GPSLatitudeRef: "S", GPS.GPSLongitudeRef: "W"}
    assert read_exif(file_of({}, place=south)) == {"latitude": "-48.137154", "longitude": "-11.576124"}
    assert read_exif(file_of({}, place={GPS.GPSLatitudeRef: "N", GPS.GPSLatitude: (48.0, 8.0, 0.0)})) == {}
    assert read_exif(file_of({}, place=MUNICH | {GPS.GPSLatitude: (91.0, 0.0, 0.0)})) == {}


def test_damaged_exif_says_less_and_hurts_nothing() -> None:
    whole = file_of({BASE.Make: "Canon", BASE.Orientation: 6}, {BASE.DateTimeOriginal: "2024:05:03 14:22:10"}, MUNICH)
    start, end = whole.index(b"Exif\0\0"), whole.index(b"Exif\0\0") + 200
    generator = np.random.default_rng(3)
    for _ in range(150):
        data = bytearray(whole)
        for place in generator.integers(start + 6, end, 8):
            data[place] = generator.integers(256)
        assert set(decode_scaled(bytes(data), "x").exif) <= set(ALL)
    assert read_exif(b"no picture") == {}
    assert said() == {}

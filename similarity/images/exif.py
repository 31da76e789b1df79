"""What a picture file says of itself in its EXIF: when it was taken, with which camera, how it was held, and where.

taken         2024-05-03 14:22:10, by the camera's clock, without a zone
camera        Canon EOS 80D
orientation   1 to 8, as EXIF numbers it; pictures are shown upright whatever it is
latitude      48.137154, in degrees, north and
longitude     11.576124, east of zero
"""

import math
import re
from collections.abc import Iterable, Mapping
from contextlib import suppress
from datetime import datetime
from typing import Any

from PIL import ExifTags, Image

# In the order in which they are shown. The last two say where somebody was, and are kept only on request.
PLACE = ("latitude", "longitude")
EXIF = ("taken", "camera", "orientation", *PLACE)
LONGEST = 100  # of a camera's name, in characters
DATE = re.compile(r"(\d{4})[:-](\d\d)[:-](\d\d)[ T](\d\d):(\d\d)(?::(\d\d))?", re.ASCII)
# When the shutter opened, when it was digitised (a scan), and when the file was written, which some cameras alone say.
TIMES = (ExifTags.Base.DateTimeOriginal, ExifTags.Base.DateTimeDigitized, ExifTags.Base.DateTime)


def read_facts(image: Image.Image) -> dict[str, str]:
    """Read date, camera and orientation of a picture that Pillow has opened; what it does not say is missing.

    Raises:
        Any of `decoding.DECODING_ERRORS`: its EXIF is damaged.
    """
    exif = image.getexif()
    if not exif:
        return {}
    tags = {**exif, **exif.get_ifd(ExifTags.IFD.Exif)}
    # A decoder of HEIC turns the picture itself, and remembers here how it was held.
    orientation = image.info.get("original_orientation") or tags.get(ExifTags.Base.Orientation)
    facts = {
        "taken": next(filter(None, (_date(tags.get(tag)) for tag in TIMES)), ""),
        "camera": _camera(_text(tags.get(ExifTags.Base.Make)), _text(tags.get(ExifTags.Base.Model))),
        "orientation": str(orientation) if orientation in range(1, 9) else "",
    }
    return {name: value for name, value in facts.items() if value}


def read_place(image: Image.Image) -> dict[str, str]:
    """Read where a picture was taken; raises as `read_facts`."""
    exif = image.getexif()
    tags = exif.get_ifd(ExifTags.IFD.GPSInfo) if exif else {}
    latitude = _degrees(tags, ExifTags.GPS.GPSLatitude, ExifTags.GPS.GPSLatitudeRef, "S", 90)
    longitude = _degrees(tags, ExifTags.GPS.GPSLongitude, ExifTags.GPS.GPSLongitudeRef, "W", 180)
    if latitude is None or longitude is None:
        return {}
    return {name: f"{degrees:.6f}" for name, degrees in zip(PLACE, (latitude, longitude), strict=True)}


def without_place(exif: Mapping[str, str]) -> dict[str, str]:
    """The same facts without the place."""
    return {name: value for name, value in exif.items() if name not in PLACE}


def facts_of(width: int, height: int, exif: Mapping[str, str]) -> dict[str, str | int]:
    """What is known of a picture, by the names of its columns; what is not known is missing."""
    sizes = {"width": width, "height": height} if width and height else {}
    return {**sizes, **{name: exif[name] for name in EXIF if exif.get(name)}}


def _text(value: object) -> str:
    """A text of EXIF, which should be ASCII, and often is UTF-8 that was read as Latin-1; in one line."""
    text = value.decode("latin-1") if isinstance(value, bytes) else str(value or "")
    with suppress(UnicodeError):
        text = text.encode("latin-1").decode()
    words = "".join(letter if letter.isprintable() else " " for letter in text).split()
    return " ".join(words)[:LONGEST]


def _camera(maker: str, model: str) -> str:
    """Maker and model, without the maker twice: some models begin with it, such as Canon's."""
    first = maker.split(" ")[0].casefold()
    return model if not maker or (model and model.casefold().startswith(first)) else f"{maker} {model}".strip()


def _date(value: object) -> str:
    """A date of EXIF as ISO 8601 with a blank; empty if there is none, such as of a clock that was never set."""
    if not (match := DATE.match(_text(value))):
        return ""
    try:
        return str(datetime(*(int(part or 0) for part in match.groups())))  # type: ignore[arg-type]
    except ValueError:
        return ""


def _degrees(tags: Mapping[int, Any], tag: int, reference: int, negative: str, most: float) -> float | None:
    """Degrees, minutes and seconds as degrees; None if they are not there, or are none."""
    parts = tags.get(tag)
    if not isinstance(parts, Iterable) or isinstance(parts, str | bytes):
        return None
    numbers = [float(part) for part in parts][:3]
    degrees = math.fsum(number / 60.0**place for place, number in enumerate(numbers))
    if not numbers or not math.isfinite(degrees) or not 0 <= degrees <= most:
        return None
    return -degrees if _text(tags.get(reference)).upper().startswith(negative) else degrees

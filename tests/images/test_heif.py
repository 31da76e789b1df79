"""HEIC pictures that are read in rows have the pixels, colours and direction that they have when read whole."""

import io

import pillow_heif
import pytest
from conftest import draw
from PIL import Image
from pixels import difference, encode, swapped_profile

from similarity.errors import DamagedError, TooLargeError
from similarity.images import limits
from similarity.images.decoding import decode, decode_scaled, to_rgb

pillow_heif.register_heif_opener()
SIZE = (301, 200)


@pytest.fixture
def few_pixels(monkeypatch: pytest.MonkeyPatch) -> None:
    """The limit from which on a HEIC is read in rows, for pictures of a test."""
    monkeypatch.setitem(limits.MAX_PIXELS_OF, "HEIF", SIZE[0] * SIZE[1] - 1)


def held_sideways() -> Image.Exif:
    exif = Image.Exif()
    exif[0x0112] = 6
    return exif


@pytest.mark.parametrize(
    "options", [{}, {"exif": held_sideways()}, {"icc_profile": swapped_profile()}], ids=["plain", "sideways", "profile"]
)
def test_a_large_heic_is_the_half_of_what_it_is_when_read_whole(
    options: dict[str, object], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = encode(draw("rings", 7).resize(SIZE), "HEIF", **options)
    whole = decode(data, "a.heic")
    monkeypatch.setitem(limits.MAX_PIXELS_OF, "HEIF", SIZE[0] * SIZE[1] - 1)
    in_rows = decode_scaled(data, "a.heic")
    assert (in_rows.width, in_rows.height) == whole.size
    assert difference(in_rows.image, whole.reduce(2)) < 0.5


@pytest.mark.parametrize(
    "picture",
    [
        encode(draw("rings", 7).resize(SIZE), "HEIF", chroma="444"),
        encode(draw("rings", 7).resize(SIZE).convert("RGBA"), "HEIF"),
    ],
    ids=["fine-colours", "transparency"],
)
@pytest.mark.usefixtures("few_pixels")
def test_a_large_heic_of_a_kind_that_takes_more_memory_is_refused(picture: bytes) -> None:
    with pytest.raises(TooLargeError):
        decode(picture, "a.heic")


def test_a_large_heic_whose_pixels_are_loaded_is_converted_as_it_is(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(draw("rings", 7).resize(SIZE), "HEIF")
    whole = decode(data, "a.heic")
    monkeypatch.setitem(limits.MAX_PIXELS_OF, "HEIF", SIZE[0] * SIZE[1] - 1)
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        assert difference(to_rgb(image, "a.heic"), whole) == 0


@pytest.mark.exhaustive
def test_the_limit_of_a_heic_that_is_too_large_is_that_of_its_kind(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(limits.MAX_PIXELS_OF, "HEIF", 1_000_000)
    monkeypatch.setattr("similarity.images.reduction.MAX_PIXELS_IN_ROWS", 2_000_000)
    small = draw("rings", 7).resize((1_700, 1_200))
    for chroma, limit in (("420", 2), ("444", 1)):
        with pytest.raises(TooLargeError, match=f"the limit is {limit} megapixels"):
            decode(encode(small, "HEIF", chroma=chroma), "a.heic")


@pytest.mark.usefixtures("few_pixels")
def test_a_large_heic_that_is_cut_short_is_called_damaged() -> None:
    data = encode(draw("rings", 7).resize(SIZE), "HEIF")
    with pytest.raises(DamagedError):
        decode(data[:-300], "a.heic")

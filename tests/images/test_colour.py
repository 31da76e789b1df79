"""Colours as sRGB, whatever a file says about them."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from PIL import Image, ImageCms
from pixels import SRGB, difference, encode, swapped_profile

from similarity.images.colour import convert_colours
from similarity.images.decoding import decode, decode_scaled

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"


def photograph() -> Image.Image:
    red, green, blue = draw("rings", 4).convert("RGB").split()
    return Image.merge("RGB", (red.point(lambda value: value // 3), green, blue))


@pytest.mark.parametrize("form", ["PNG", "TIFF", "WEBP"])
@pytest.mark.parametrize("side", [None, 40])
def test_colours_are_converted_as_the_embedded_profile_says(form: str, side: int | None) -> None:
    red, green, blue = photograph().split()
    stored = Image.merge("RGB", (blue, green, red))
    options = {"lossless": True} if form == "WEBP" else {}
    data = encode(stored, form, icc_profile=swapped_profile(), **options)
    plain = encode(photograph(), form, **options)
    assert difference(stored, photograph()) > 10
    assert difference(decode_scaled(data, "a", side=side).image, decode_scaled(plain, "a", side=side).image) < 2


def test_transparency_stays_where_colours_are_converted() -> None:
    stored = Image.new("RGBA", (8, 8), (0, 0, 255, 255))
    stored.paste((0, 0, 255, 0), (0, 0, 4, 8))
    decoded = decode(encode(stored, "PNG", icc_profile=swapped_profile()), "a.png")
    assert decoded.getpixel((1, 1)) == (255, 255, 255)
    assert np.abs(np.subtract(decoded.getpixel((6, 6)), (255, 0, 0))).max() < 3


@pytest.mark.parametrize("profile", [b"no profile", bytes(200), ImageCms.ImageCmsProfile(SRGB).tobytes()[:300]])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_broken_profile_is_ignored(profile: bytes, mode: str) -> None:
    image = photograph().convert(mode)
    with_profile, plain = encode(image, "TIFF", icc_profile=profile), encode(image, "TIFF")
    assert difference(decode(with_profile, "a"), decode(plain, "a")) == 0


def test_a_profile_for_other_pixels_is_ignored() -> None:
    grey = photograph().convert("L")
    data = encode(grey, "PNG", icc_profile=swapped_profile())
    assert difference(decode(data, "grey.png"), grey.convert("RGB")) == 0


def test_pixels_with_the_profile_of_srgb_or_with_none_stay_as_they_are() -> None:
    image = photograph()
    assert convert_colours(image, {"icc_profile": ImageCms.ImageCmsProfile(SRGB).tobytes()}) is image
    assert convert_colours(image, {}) is image
    data = encode(image, "PNG", icc_profile=ImageCms.ImageCmsProfile(SRGB).tobytes())
    assert difference(decode(data, "a.png"), image) == 0


def png_with_gamma(image: Image.Image, gamma: float, *more: bytes) -> bytes:
    plain = encode(image, "PNG")
    content = struct.pack(">I", round(gamma * 100_000))
    chunks = [(b"gAMA", content), *((kind, b"\0") for kind in more)]
    extra = b"".join(
        struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body)) for kind, body in chunks
    )
    return plain[:33] + extra + plain[33:]


def test_a_gamma_counts_where_there_is_no_profile_and_not_where_colours_are_said_to_be_srgb() -> None:
    image = Image.new("RGB", (4, 4), (55, 55, 55))
    assert decode(png_with_gamma(image, 1.0), "linear.png").getpixel((0, 0)) == (128, 128, 128)
    assert decode(png_with_gamma(image, 1.0, b"sRGB"), "srgb.png").getpixel((0, 0)) == (55, 55, 55)
    assert decode(png_with_gamma(image, 0.45455), "usual.png").getpixel((0, 0)) == (55, 55, 55)


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases of shared/data")
def test_a_photograph_in_adobe_rgb_and_one_for_a_press_look_as_in_srgb() -> None:
    adobe, reference = (decode((CASES / name).read_bytes(), name) for name in ("icc_adobergb.jpg", "reference.jpg"))
    assert difference(adobe, reference) < 2
    press = decode((CASES / "cmyk_with_icc_profile.jpg").read_bytes(), "press.jpg")
    expected = decode((CASES / "cmyk_with_icc_profile_expected_srgb.jpg").read_bytes(), "expected.jpg")
    small = [image.resize((8, 8), Image.Resampling.BOX) for image in (press, expected)]
    assert difference(*small) < 6  # what ink loses in shadows stays lost: 8 from pixel to pixel

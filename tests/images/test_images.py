import io
import struct
from pathlib import Path

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401 - registers itself
import pytest
from conftest import TURN_BACK, draw
from PIL import Image
from pixels import difference, encode

from similarity.errors import ImageError
from similarity.images.decoding import decode, decode_scaled, read_image, thumbnail

pillow_heif.register_heif_opener()


@pytest.mark.parametrize("form", ["JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP", "TIFF", "HEIF", "JXL"])
def test_each_format_decodes_to_the_picture_that_was_saved(form: str) -> None:
    image = draw("stripes", 1)
    decoded = decode(encode(image, form), f"picture.{form.lower()}")
    assert decoded.mode == "RGB"
    assert decoded.size == image.size
    assert difference(decoded, image) < 6


def test_the_content_decides_the_format_and_not_the_name(tmp_path: Path) -> None:
    path = tmp_path / "really-a-png.jpg"
    path.write_bytes(encode(draw("dots", 1), "PNG"))
    assert difference(read_image(path), draw("dots", 1)) == 0


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_exif_orientation_is_shown_upright(orientation: int) -> None:
    upright = draw("rings", 2).resize((120, 200))
    upright.paste((255, 0, 0), (0, 0, 40, 40))
    stored = upright
    for turn in TURN_BACK[orientation]:
        stored = stored.transpose(turn)
    exif = Image.Exif()
    exif[0x0112] = orientation
    decoded = decode(encode(stored, "PNG", exif=exif), "turned.png")
    assert decoded.size == upright.size
    assert difference(decoded, upright) == 0


def test_unreadable_exif_data_do_not_cost_the_picture() -> None:
    data = encode(draw("dots", 3), "JPEG", exif=b"Exif\x00\x00MM\x00*" + b"\xff" * 40)
    assert decode(data, "odd.jpg").size == (240, 320)


@pytest.mark.parametrize("mode", ["RGBA", "LA"])
def test_transparency_is_shown_on_white(mode: str) -> None:
    image = Image.new(mode, (20, 20), (0,) * len(mode))
    assert decode(encode(image, "PNG"), "clear.png").getpixel((5, 5)) == (255, 255, 255)


def test_half_transparent_black_becomes_grey() -> None:
    data = encode(Image.new("RGBA", (8, 8), (0, 0, 0, 128)), "PNG")
    assert decode(data, "half.png").getpixel((0, 0)) == (127, 127, 127)


def test_a_palette_with_a_transparent_colour_is_shown_on_white() -> None:
    image = Image.new("P", (10, 10), 1)
    image.putpalette([200, 0, 0, 0, 200, 0])
    image.putpixel((0, 0), 0)
    decoded = decode(encode(image, "PNG", transparency=1), "palette.png")
    assert decoded.getpixel((0, 0)) == (200, 0, 0)
    assert decoded.getpixel((5, 5)) == (255, 255, 255)


def test_cmyk_grey_and_black_and_white_pictures_become_rgb() -> None:
    assert (
        decode(encode(Image.new("CMYK", (8, 8), (0, 255, 255, 0)), "JPEG", quality=95), "c").getpixel((4, 4))[0] > 240
    )
    assert decode(encode(Image.new("L", (8, 8), 90), "PNG"), "grey").getpixel((4, 4)) == (90, 90, 90)
    assert decode(encode(Image.new("1", (8, 8), 1), "PNG"), "bit").getpixel((4, 4)) == (255, 255, 255)


def test_16_bit_grey_is_scaled_and_not_clipped() -> None:
    ramp = np.tile(np.linspace(0, 65535, 256, dtype=np.uint16), (4, 1))
    decoded = np.asarray(decode(encode(Image.fromarray(ramp), "PNG"), "deep.png"))
    assert decoded.shape == (4, 256, 3)
    assert np.abs(decoded[0, :, 0].astype(int) - np.arange(256)).max() <= 1


def test_an_animation_is_its_first_frame() -> None:
    red, blue = Image.new("RGB", (9, 9), "red"), Image.new("RGB", (9, 9), "blue")
    data = encode(red, "GIF", save_all=True, append_images=[blue])
    assert decode(data, "moving.gif").getpixel((4, 4)) == (255, 0, 0)


def test_metadata_are_dropped() -> None:
    exif = Image.Exif()
    exif[0x010F] = "A camera"
    assert decode(encode(draw("dots", 1), "JPEG", exif=exif, dpi=(300, 300)), "photo.jpg").info == {}


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "is empty"),
        (b"just some notes", "is not a picture"),
        (b"  <!DOCTYPE html><html></html>", "is a web page, not a picture"),
        (b"<svg xmlns='http://www.w3.org/2000/svg'></svg>", "is an SVG, which is not read: JPEG, PNG,"),
        (b"%PDF-1.7 ...", "is a PDF file, which is not read"),
        (encode(draw("dots", 1), "TIFF")[:30], "is damaged or incomplete, or a TIFF of a kind that is not read"),
        (encode(draw("dots", 1), "JPEG")[:2000], "is damaged or incomplete"),
        (encode(draw("dots", 1), "PNG")[:300], "is damaged or incomplete"),
        (encode(draw("rings", 1), "WEBP")[:400], "is damaged or incomplete"),
    ],
)
def test_what_is_no_whole_picture_is_an_error_that_names_it(data: bytes, reason: str) -> None:
    with pytest.raises(ImageError) as caught:
        decode(data, "holiday.jpg")
    assert str(caught.value).startswith("holiday.jpg ")
    assert reason in caught.value.reason
    assert "\n" not in str(caught.value)


def test_a_picture_of_too_many_pixels_is_refused_before_it_is_decoded() -> None:
    def chunk(kind: bytes, body: bytes) -> bytes:
        import zlib

        return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))

    for side in (8_000, 12_000, 60_000):
        header = struct.pack(">IIBBBBB", side, side, 8, 0, 0, 0, 0)
        data = b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", b"") + chunk(b"IEND", b"")
        with pytest.raises(ImageError, match="is too large"):
            decode(data, "bomb.png")


def test_a_missing_file_is_an_error_that_names_it(tmp_path: Path) -> None:
    with pytest.raises(ImageError, match=r"nowhere\.jpg cannot be read \(No such file or directory\)"):
        read_image(tmp_path / "nowhere.jpg")


def test_a_thumbnail_is_a_small_jpeg_of_the_same_shape() -> None:
    with Image.open(io.BytesIO(thumbnail(draw("rings", 1).resize((1200, 800))))) as small:
        assert (small.format, small.size) == ("JPEG", (320, 213))


def photograph(size: tuple[int, int]) -> Image.Image:
    """A smooth picture with edges in it, of any size."""
    return draw("rings", 2).resize(size, Image.Resampling.BICUBIC)


@pytest.mark.parametrize(
    ("size", "scaled"), [((4000, 3000), (500, 375)), ((1200, 800), (600, 400)), ((511, 700), (511, 700))]
)
def test_a_large_jpeg_is_decoded_no_larger_than_needed(size: tuple[int, int], scaled: tuple[int, int]) -> None:
    data = encode(photograph(size), "JPEG", quality=90)
    decoded = decode_scaled(data, "large.jpg", side=256)
    assert decoded.image.size == scaled
    assert (decoded.width, decoded.height) == size
    assert difference(decoded.image, decode(data, "large.jpg").resize(scaled, Image.Resampling.BOX)) < 2


@pytest.mark.parametrize("mode", ["L", "CMYK", "RGB"])
def test_every_kind_of_jpeg_can_be_decoded_small(mode: str) -> None:
    decoded = decode_scaled(encode(photograph((1600, 1200)).convert(mode), "JPEG"), "a.jpg", side=256)
    assert (decoded.image.mode, decoded.image.size) == ("RGB", (400, 300))


@pytest.mark.parametrize("form", ["PNG", "WEBP", "GIF", "BMP"])
def test_other_formats_are_decoded_in_full(form: str) -> None:
    assert decode_scaled(encode(photograph((800, 600)), form), "a", side=256).image.size == (800, 600)


def test_a_picture_on_its_side_is_measured_upright() -> None:
    exif = Image.Exif()
    exif[0x0112] = 6
    decoded = decode_scaled(encode(photograph((1602, 1601)), "JPEG", exif=exif), "side.jpg", side=256)
    assert (decoded.width, decoded.height) == (1601, 1602)
    assert decoded.image.height >= decoded.image.width


def test_a_jpeg_that_is_cut_short_is_an_error_at_any_scale() -> None:
    data = encode(photograph((1600, 1200)), "JPEG", quality=90)
    with pytest.raises(ImageError, match="is damaged or incomplete"):
        decode_scaled(data[: len(data) // 2], "cut.jpg", side=256)

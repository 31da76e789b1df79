"""Files that are damaged only where nobody looks, and what of a file is seen."""

import struct
import zlib
from pathlib import Path

import numpy as np
import pytest
from conftest import draw
from PIL import Image
from pixels import difference, encode

from similarity.errors import DamagedError, TooLargeError
from similarity.images.decoding import decode, decode_scaled

CASES = Path(__file__).resolve().parents[3] / "shared" / "data" / "cases"


def photograph() -> Image.Image:
    return draw("rings", 4).convert("RGB")


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("mode", ["RGB", "L", "CMYK"])
def test_a_jpeg_that_lacks_only_its_last_marker_is_decoded(progressive: bool, mode: str) -> None:
    data = encode(photograph().convert(mode), "JPEG", progressive=progressive)
    for cut in (1, 2):
        assert difference(decode(data[:-cut], "cut.jpg"), decode(data, "whole.jpg")) == 0


@pytest.mark.parametrize("progressive", [False, True])
@pytest.mark.parametrize("lost", [12, 40, 300])
def test_a_jpeg_that_lacks_more_is_damaged(progressive: bool, lost: int) -> None:
    data = encode(photograph(), "JPEG", quality=90, progressive=progressive)
    with pytest.raises(DamagedError):
        decode(data[:-lost], "cut.jpg")


def test_a_progressive_jpeg_that_lacks_its_last_scan_is_damaged() -> None:
    data = encode(photograph(), "JPEG", progressive=True)
    with pytest.raises(DamagedError):
        decode(data[: data.rindex(b"\xff\xda")], "blurred.jpg")


def chunk(kind: bytes, body: bytes, *, checksum: int | None = None) -> bytes:
    right = zlib.crc32(kind + body)
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", right if checksum is None else checksum)


@pytest.mark.parametrize(
    "extra",
    [
        chunk(b"zTXt", b"Comment\0\0" + zlib.compress(bytes(1_500_000))),
        chunk(b"iTXt", b"Comment\0\1\0\0\0" + zlib.compress(bytes(1_500_000))),
        chunk(b"iCCP", b"p\0\0" + zlib.compress(bytes(1_500_000))),
        chunk(b"tEXt", b"Comment\0hello", checksum=1),
        chunk(b"pHYs", struct.pack(">IIB", 1, 1, 0), checksum=2),
    ],
    ids=["text", "international text", "profile", "checksum of a text", "checksum of a size"],
)
def test_a_png_whose_metadata_are_oversized_or_damaged_is_decoded(extra: bytes) -> None:
    plain = encode(photograph(), "PNG")
    assert difference(decode(plain[:33] + extra + plain[33:], "a.png"), photograph()) == 0


def test_a_png_whose_pixels_are_damaged_is_still_an_error() -> None:
    plain = bytearray(encode(photograph(), "PNG"))
    plain[len(plain) // 2] ^= 255
    with pytest.raises(DamagedError):
        decode(bytes(plain), "a.png")


@pytest.mark.parametrize("side", [None, 30])
def test_what_the_first_frame_of_a_gif_leaves_out_is_white(side: int | None) -> None:
    frame = encode(Image.new("RGB", (60, 50), "red"), "GIF")
    data = bytearray(frame)
    data[6:10] = struct.pack("<HH", 200, 160)  # the canvas
    at = data.index(b",\0\0\0\0")
    data[at + 1 : at + 5] = struct.pack("<HH", 100, 80)  # where the frame lies on it
    image = decode_scaled(bytes(data), "a.gif", side=side).image
    scale = image.width / 200
    assert image.getpixel((0, 0)) == image.getpixel((image.width - 1, image.height - 1)) == (255, 255, 255)
    assert image.getpixel((int(130 * scale), int(100 * scale))) == (255, 0, 0)


def test_of_an_animated_png_the_first_frame_is_seen_and_not_the_picture_for_old_programs() -> None:
    hidden, first, second = (Image.new("RGB", (9, 9), colour) for colour in ("red", "lime", "blue"))
    data = encode(hidden, "PNG", save_all=True, append_images=[first, second], default_image=True)
    assert decode(data, "moving.png").getpixel((4, 4)) == (0, 255, 0)
    usual = encode(first, "PNG", save_all=True, append_images=[second])
    assert decode(usual, "moving.png").getpixel((4, 4)) == (0, 255, 0)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"compression": "tiff_lzw"},
        {"compression": "tiff_adobe_deflate"},
        {"compression": "jpeg", "quality": 95},
        {"big_tiff": True},
    ],
)
def test_tiffs_of_every_compression_are_decoded(options: dict[str, object]) -> None:
    data = encode(photograph(), "TIFF", save_all=True, append_images=[Image.new("RGB", (9, 9))], **options)
    assert difference(decode(data, "scan.tif"), photograph()) < 2


@pytest.mark.parametrize(
    "values", [np.float32([[0, 0.5, 1]]), np.float32([[0, 127.5, 255]]), np.uint16([[0, 32768, 65535]])]
)
def test_tiffs_of_deep_grey_are_scaled(values: np.ndarray) -> None:  # type: ignore[type-arg]
    decoded = np.asarray(decode(encode(Image.fromarray(values.repeat(3, 0)), "TIFF"), "deep.tif"))
    assert decoded[0, :, 0].tolist() == [0, 128, 255]


@pytest.mark.exhaustive
@pytest.mark.parametrize(("side", "progressive"), [((11_000, 11_000), False), ((7_500, 7_500), True)])
def test_a_jpeg_above_50_megapixels_is_decoded_smaller(side: tuple[int, int], progressive: bool) -> None:
    data = encode(photograph().resize(side), "JPEG", progressive=progressive)
    decoded = decode_scaled(data, "large.jpg")
    assert (decoded.width, decoded.height) == side
    assert decoded.image.width in (side[0] // 2, side[0] // 4)
    small = decoded.image.resize((60, 60), Image.Resampling.BOX)
    assert difference(small, photograph().resize(side).resize((60, 60), Image.Resampling.BOX)) < 3


def test_a_jpeg_above_the_limit_of_all_is_refused_by_its_header() -> None:
    data = bytearray(encode(Image.new("RGB", (16, 16)), "JPEG"))
    at = data.index(b"\xff\xc0") + 5
    data[at : at + 4] = struct.pack(">HH", 40_000, 40_000)
    with pytest.raises(TooLargeError):
        decode(bytes(data), "huge.jpg")


def test_a_setting_raises_the_limit_of_pixels_and_of_bytes(monkeypatch: pytest.MonkeyPatch) -> None:
    data = encode(Image.new("1", (8_000, 7_000)), "PNG")
    with pytest.raises(TooLargeError, match="the limit is 50 megapixels; SIMILARITY_MAX_MEGAPIXELS raises it"):
        decode_scaled(data, "map.png", side=40)
    monkeypatch.setenv("SIMILARITY_MAX_MEGAPIXELS", "60")
    assert decode_scaled(data, "map.png", side=40).width == 8_000
    monkeypatch.setenv("SIMILARITY_MAX_MEGAPIXELS", "many")
    with pytest.raises(TooLargeError):
        decode_scaled(data, "map.png", side=40)


@pytest.mark.skipif(not CASES.is_dir(), reason="needs the cases of shared/data")
def test_files_of_telephones_scanners_and_cameras_show_the_photograph_that_they_were_made_of() -> None:
    def case(name: str) -> Image.Image:
        return decode((CASES / name).read_bytes(), name)

    for name in ("IMG_0001.HEIC", "tiff_jpeg.tif", "DSCF0001.MPO", "jpeg_without_end_marker.jpg"):
        assert difference(case(name), case("reference.jpg")) < 2, name
    assert difference(case("png_ztxt_over_1_mb.png"), case("reference_small.png")) == 0
    moving = np.asarray(case("gif_first_frame_offset.gif")).copy()
    assert moving.shape == (711, 400, 3)
    moving[177:532, 100:300] = 255
    assert moving.min() == 255

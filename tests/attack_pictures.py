"""Picture files that mean harm, or are merely odd, with what each is decoded to or refused for."""

import io
import struct
import zipfile
import zlib
from collections.abc import Callable

import numpy as np
import pillow_heif
import pillow_jxl  # noqa: F401 - registers itself
from conftest import draw
from PIL import Image, PngImagePlugin

WIDTH, HEIGHT = 240, 320
RIGHT = f"RGB {WIDTH}x{HEIGHT} "
MUTATIONS = 3_000
MOST_MEGABYTES = 300
FORMS = ("JPEG", "PNG", "WEBP", "AVIF", "GIF", "BMP", "TIFF", "HEIF", "JXL")
pillow_heif.register_heif_opener()


def save(image: Image.Image, form: str, **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def picture() -> Image.Image:
    return draw("rings", 7)


def png(
    width: int, height: int, body: bytes = b"", *chunks: tuple[bytes, bytes], depth: int = 8, kind: int = 0
) -> bytes:
    """A PNG of any announced size, with whatever in it."""

    def chunk(name: bytes, content: bytes) -> bytes:
        return struct.pack(">I", len(content)) + name + content + struct.pack(">I", zlib.crc32(name + content))

    header = struct.pack(">IIBBBBB", width, height, depth, kind, 0, 0, 0)
    parts = [(b"IHDR", header), *chunks, (b"IDAT", zlib.compress(body, 1)), (b"IEND", b"")]
    return b"\x89PNG\r\n\x1a\n" + b"".join(chunk(*part) for part in parts)


def gif(width: int, height: int, frames: int = 1) -> bytes:
    """Each frame one pixel, on a canvas of any announced size."""
    head = b"GIF89a" + struct.pack("<HHBBB", width, height, 0x80, 0, 0) + b"\0\0\0\xff\xff\xff"
    frame = b"," + struct.pack("<HHHHB", 0, 0, 1, 1, 0) + b"\x02\x02D\x01\x00"
    return head + frame * frames + b";"


def webp(width: int, height: int) -> bytes:
    """A lossless WebP whose header announces any size up to 16,384."""
    whole = bytearray(save(Image.new("RGB", (8, 8)), "WEBP", lossless=True))
    at = whole.index(b"VP8L") + 9
    bits = struct.unpack("<I", whole[at : at + 4])[0] & ~0x0FFFFFFF
    whole[at : at + 4] = struct.pack("<I", bits | (width - 1) | ((height - 1) << 14))
    return bytes(whole)


def avif(width: int, height: int) -> bytes:
    """An AVIF whose property box announces another size than its data have."""
    whole = bytearray(save(Image.new("RGB", (64, 64), "red"), "AVIF"))
    at = whole.index(b"ispe") + 8
    whole[at : at + 8] = struct.pack(">II", width, height)
    return bytes(whole)


def heic(width: int, height: int) -> bytes:
    """A HEIC whose property boxes announce another size than its data have."""
    whole = bytearray(save(Image.new("RGB", (64, 64), "red"), "HEIF"))
    at = whole.index(b"ispe") + 8
    whole[at : at + 8] = struct.pack(">II", width, height)
    return bytes(whole)


def tiff(width: int, height: int) -> bytes:
    """A deflated TIFF of 16-bit colours whose directory announces another size, all in one strip."""
    image = Image.new("RGB", (64, 64))
    whole = bytearray(save(image, "TIFF", compression="tiff_adobe_deflate"))
    start, count = struct.unpack_from("<I", whole, 4)[0], 0
    for at in range(start + 2, start + 2 + 12 * struct.unpack_from("<H", whole, start)[0], 12):
        tag = struct.unpack_from("<H", whole, at)[0]
        if tag in (256, 257, 278):
            struct.pack_into("<HII", whole, at + 2, 4, 1, width if tag == 256 else height)
            count += 1
    assert count == 3
    return bytes(whole)


def bmp(width: int, height: int) -> bytes:
    whole = bytearray(save(Image.new("RGB", (4, 4)), "BMP"))
    whole[18:26] = struct.pack("<ii", width, height)
    return bytes(whole)


def bmp_run_length(width: int, height: int, bits: int) -> bytes:
    """As large as its header says, in runs of nothing but the step to the next line."""
    whole = bytearray(save(Image.new("P", (4, 4)), "BMP"))
    start = struct.unpack_from("<I", whole, 10)[0]
    whole[18:26] = struct.pack("<ii", width, height)
    whole[28:34] = struct.pack("<HI", bits, 1 if bits == 8 else 2)
    return bytes(whole[:start]) + b"\0\0" * height + b"\0\1"


def jpeg(width: int, height: int) -> bytes:
    whole = bytearray(save(Image.new("RGB", (16, 16)), "JPEG"))
    at = whole.index(b"\xff\xc0") + 5
    whole[at : at + 4] = struct.pack(">HH", height, width)
    return bytes(whole)


def animated(form: str, frames: int, side: int = 40) -> bytes:
    random = np.random.default_rng(0)
    others = [Image.fromarray(random.integers(0, 256, (side, side, 3), np.uint8)) for _ in range(frames - 1)]
    return save(picture().resize((side, side)), form, save_all=True, append_images=others, duration=20)


def apng_that_says(frames: int) -> bytes:
    return png(8, 8, bytes(8 * 9), (b"acTL", struct.pack(">II", frames, 0)))


def many_texts() -> bytes:
    info = PngImagePlugin.PngInfo()
    for number in range(2_000):
        info.add_text(f"key{number}", "x" * 500, zip=True)
    return save(picture(), "PNG", pnginfo=info)


def text_bomb() -> bytes:
    bomb = b"Comment\0\0" + zlib.compress(bytes(100_000_000), 1)
    return png(8, 8, bytes(8 * 9), (b"zTXt", bomb))


def profile_bomb() -> bytes:
    return png(8, 8, bytes(8 * 9), (b"iCCP", b"p\0\0" + zlib.compress(bytes(100_000_000), 1)))


def exif_bomb() -> bytes:
    """A directory of 65,535 entries, each of which points at a gigabyte."""
    entry = struct.pack("<HHII", 0x9286, 7, 1 << 30, 8)
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<H", 65_535) + entry * 5_000
    return save(picture(), "JPEG", exif=exif[:65_000])


def exif_loop() -> bytes:
    """A directory that names itself as the next one."""
    exif = b"Exif\0\0II*\0\x08\0\0\0" + struct.pack("<HHHIIi", 1, 0x8769, 4, 1, 8, 8)
    return save(picture(), "JPEG", exif=exif)


def with_thumbnail() -> bytes:
    """A picture whose EXIF data have a small red one in them."""
    exif = Image.Exif()
    exif[0x0112] = 1
    red = save(Image.new("RGB", (16, 16), "red"), "JPEG")
    return save(picture(), "JPEG", exif=exif.tobytes() + red)


def jpeg_with(segments: bytes) -> bytes:
    whole = save(picture(), "JPEG")
    return whole[:2] + segments + whole[2:]


def gif_with(extensions: bytes) -> bytes:
    whole = gif(300, 200)
    return whole[:19] + extensions + whole[19:]


def many_scans() -> bytes:
    """A progressive picture whose last scan is there 2,000 times."""
    whole = save(picture(), "JPEG", progressive=True)
    last = whole.rindex(b"\xff\xda")
    return whole[:-2] + whole[last:-2] * 2_000 + whole[-2:]


def large_progressive_cmyk() -> bytes:
    return save(Image.new("CMYK", (7_000, 7_000), (0, 90, 0, 0)), "JPEG", progressive=True)


def progressive_cmyk() -> bytes:
    """A small one that says it is as large."""
    whole = bytearray(save(Image.new("CMYK", (16, 16), (0, 90, 0, 0)), "JPEG", progressive=True))
    at = whole.index(b"\xff\xc2") + 5
    whole[at : at + 4] = struct.pack(">HH", 7_000, 7_000)
    return bytes(whole)


def two_pictures() -> bytes:
    """As some cameras write them: a JPEG with a second, red one behind it."""
    return save(picture(), "MPO", save_all=True, append_images=[Image.new("RGB", (60, 60), "red")])


def zip_behind() -> bytes:
    buffer = io.BytesIO(save(picture(), "JPEG"))
    buffer.seek(0, 2)
    with zipfile.ZipFile(buffer, "a") as archive:
        archive.writestr("evil.sh", "rm -rf /")
    return buffer.getvalue()


def flipped(form: str, seed: int) -> bytes:
    random, data = np.random.default_rng(seed), bytearray(save(picture(), form))
    for at in random.integers(20, len(data), 40):
        data[at] ^= 1 << int(random.integers(8))
    return bytes(data)


def cmyk() -> bytes:
    return save(Image.new("CMYK", (WIDTH, HEIGHT), (0, 255, 255, 0)), "JPEG", quality=95)


def palette_with_transparency() -> bytes:
    image = picture().quantize(8)
    return save(image, "PNG", transparency=bytes([0, 128, 255, 10]))


def deep_grey() -> bytes:
    return save(Image.fromarray(np.full((HEIGHT, WIDTH), 32_768, np.uint16)), "PNG")


def svg() -> bytes:
    return b'<?xml version="1.0"?><!DOCTYPE svg [<!ENTITY a "aaaa">]><svg xmlns="http://www.w3.org/2000/svg"><image href="file:///etc/passwd"/></svg>'


LARGE_JXL = b"\xff\x0a" + (0b11 << 1 | 64_999 << 3 | 1 << 33).to_bytes(8, "little") + bytes(60)


def jxl_parts(codestream: bytes) -> bytes:
    """A JPEG XL whose codestream is cut after its first byte, so that its mark is in two boxes."""
    parts = (codestream[:1], codestream[1:])
    last = (0, 1 << 31)  # the highest bit marks the last part
    boxes = [
        (12 + len(part)).to_bytes(4) + b"jxlp" + (number | last[number]).to_bytes(4) + part
        for number, part in enumerate(parts)
    ]
    return b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x14ftypjxl \0\0\0\0jxl " + b"".join(boxes)


TOO_LARGE, DAMAGED, UNSUPPORTED, NO_IMAGE = "TooLargeError", "DamagedError", "UnsupportedError", "NotAnImageError"
NO_PICTURE = f"{DAMAGED}|{NO_IMAGE}"
GREY = r"RGB 240x320 \(12[78], 12[78], 12[78]\)"

FILES: dict[str, tuple[Callable[[], bytes], str]] = {
    # announce more than they hold, or than anybody needs
    "png-30000x30000": (lambda: png(30_000, 30_000), TOO_LARGE),
    "png-65535x65535-1bit": (lambda: png(65_535, 65_535, depth=1), TOO_LARGE),
    "png-2147483647": (lambda: png(2_147_483_647, 2_147_483_647), TOO_LARGE),
    "png-1x65535": (lambda: png(1, 65_535, bytes(2 * 65_535)), TOO_LARGE),
    "png-65535x1": (lambda: png(65_535, 1, bytes(65_536)), TOO_LARGE),
    "png-1x2000": (lambda: png(1, 2_000, bytes(4_000)), TOO_LARGE),
    "png-60000x700": (lambda: png(60_000, 700), TOO_LARGE),
    "png-0x0": (lambda: png(0, 0), NO_PICTURE),
    "png-bomb-that-fits": (lambda: png(7_000, 7_000, bytes(7_001 * 7_000)), r"RGB 7000x7000 \(0, 0, 0\)"),
    "png-bomb-behind-the-pixels": (lambda: png(8, 8, bytes(200_000_000)), r"RGB 8x8|" + DAMAGED),
    "webp-3900x3900": (lambda: webp(3_900, 3_900), f"RGB 3900x3900|{NO_PICTURE}"),
    "avif-3900x3900": (lambda: save(Image.new("RGB", (3_900, 3_900), "red"), "AVIF", speed=10), "RGB 3900x3900"),
    "png-7000x7000-rgba": (
        lambda: png(7_000, 7_000, bytes(28_001 * 7_000), kind=6),
        r"RGB 7000x7000 \(255, 255, 255\)",
    ),
    "png-7000x7000-16-bit": (lambda: png(7_000, 7_000, bytes(14_001 * 7_000), depth=16), r"RGB 7000x7000 \(0, 0, 0\)"),
    "png-49000x1000-rgb": (lambda: png(49_000, 1_000, bytes(147_001 * 1_000), kind=2), r"RGB 49000x1000 \(0, 0, 0\)"),
    "gif-65535x65535": (lambda: gif(65_535, 65_535), TOO_LARGE),
    "gif-1x65535": (lambda: gif(1, 65_535), TOO_LARGE),
    "gif-5000-frames": (lambda: gif(300, 200, 5_000), "RGB 300x200"),
    "gif-300000-frames": (lambda: gif(300, 200, 300_000), "RGB 300x200"),
    "gif-6000x6000": (lambda: gif(6_000, 6_000), "RGB 6000x6000"),
    "webp-16384x16384": (lambda: webp(16_384, 16_384), f"{TOO_LARGE}|{NO_PICTURE}"),
    "webp-7000x7000": (lambda: webp(7_000, 7_000), TOO_LARGE),
    "webp-1200-frames": (lambda: animated("WEBP", 1_200, side=8), TOO_LARGE),
    "avif-65535x65535": (lambda: avif(65_535, 65_535), f"{TOO_LARGE}|{NO_PICTURE}"),
    "avif-7000x7000": (lambda: avif(7_000, 7_000), TOO_LARGE),
    "bmp-40000x40000": (lambda: bmp(40_000, 40_000), TOO_LARGE),
    "bmp-negative": (lambda: bmp(-40, -40), f"{TOO_LARGE}|{NO_PICTURE}"),
    "bmp-7000x7000": (lambda: bmp(7_000, 7_000), DAMAGED),
    "jpeg-65535x65535": (lambda: jpeg(65_535, 65_535), TOO_LARGE),
    "jpeg-65500x8": (lambda: jpeg(65_500, 8), TOO_LARGE),
    "jpeg-7000x7000": (lambda: jpeg(7_000, 7_000), f"RGB 7000x7000|{DAMAGED}"),
    "jpeg-a-million-empty-tables": (lambda: jpeg_with(b"\xff\xc4\x00\x02" * 1_000_000), TOO_LARGE),
    "jpeg-a-million-markers": (lambda: jpeg_with(b"\xff\x01" * 1_000_000), TOO_LARGE),
    "jpeg-begins-a-million-times": (lambda: jpeg_with(b"\xff\xd8" * 1_000_000), TOO_LARGE),
    "jpeg-restarts-a-million-times": (lambda: jpeg_with(b"\xff\xd0" * 1_000_000), TOO_LARGE),
    "bmp-run-length-8": (lambda: bmp_run_length(7_000, 7_000, 8), UNSUPPORTED),
    "bmp-run-length-4": (lambda: bmp_run_length(7_000, 7_000, 4), UNSUPPORTED),
    "apng-says-100000-frames": (lambda: apng_that_says(100_000), TOO_LARGE),
    "apng-30-frames": (lambda: animated("PNG", 30), "RGB 40x40"),
    # cut short, or with flipped bits
    **{
        f"{form}-cut".lower(): (lambda form=form: save(picture(), form)[:-400], DAMAGED)
        for form in ("JPEG", "PNG", "BMP")
    },
    **{
        f"{form}-cut".lower(): (lambda form=form: save(picture(), form)[:700], NO_PICTURE)
        for form in ("WEBP", "AVIF", "GIF", "TIFF", "HEIF", "JXL")
    },
    **{f"{form}-cut-to-20".lower(): (lambda form=form: save(picture(), form)[:20], NO_PICTURE) for form in FORMS},
    **{
        f"{form}-flipped".lower(): (lambda form=form: flipped(form, 1), f"RGB|{TOO_LARGE}|{NO_PICTURE}")
        for form in FORMS
    },
    "jpeg-without-its-end": (lambda: save(picture(), "JPEG")[:-2], RIGHT),
    "jpeg-without-its-last-rows": (lambda: save(picture(), "JPEG")[:-40], DAMAGED),
    "jpeg-only-a-header": (lambda: b"\xff\xd8\xff\xe0", NO_PICTURE),
    # something else
    "empty.jpg": (lambda: b"", NO_IMAGE),
    "zeros.jpg": (lambda: bytes(100_000), NO_IMAGE),
    "page.jpg": (lambda: b"<!doctype html><title>A boot</title>", f"{NO_IMAGE}: is a web page, not a picture"),
    "text.png": (lambda: b"buy milk", NO_IMAGE),
    "archive.jpg": (lambda: b"PK\x03\x04" + bytes(100), UNSUPPORTED),
    "svg": (svg, f"{UNSUPPORTED}: is an SVG"),
    "svg-named.png": (svg, f"{UNSUPPORTED}: is an SVG"),
    "tiff": (lambda: save(picture(), "TIFF"), RIGHT),
    "tiff-named.jpg": (lambda: save(picture(), "TIFF"), RIGHT),
    "tiff-deflated": (lambda: save(picture(), "TIFF", compression="tiff_adobe_deflate"), RIGHT),
    "tiff-60000x30000": (lambda: tiff(60_000, 30_000), f"{TOO_LARGE}|{NO_PICTURE}"),
    "tiff-in-one-strip-of-390-mb": (lambda: tiff(7_000, 7_000), f"{TOO_LARGE}|{DAMAGED}"),
    "tiff-that-is-a-raw-file": (
        lambda: save(picture(), "TIFF", tiffinfo={50706: bytes(4)}),
        f"{UNSUPPORTED}: is a camera raw",
    ),
    "heic-60000x60000": (lambda: heic(60_000, 60_000), f"{TOO_LARGE}|{NO_PICTURE}"),
    "heic-8064x6048-of-a-telephone": (
        lambda: save(Image.new("RGB", (8_064, 6_048), (90, 160, 30)), "HEIF", quality=30),
        r"RGB 8064x6048 \((89|9[01]), (159|16[01]), (29|3[01])\)",
    ),
    "jxl-65000x65000": (
        lambda: LARGE_JXL,
        TOO_LARGE,
    ),
    "jxl-in-a-box": (lambda: save(picture(), "JXL", use_container=True), RIGHT),
    "jxl-in-parts": (lambda: jxl_parts(save(picture(), "JXL", use_container=False)), RIGHT),
    "jxl-in-parts-65000x65000": (lambda: jxl_parts(LARGE_JXL), TOO_LARGE),
    "jxl-box-past-the-end": (lambda: jxl_parts(LARGE_JXL)[:-1], DAMAGED),
    "jxl-boxes-without-a-picture": (lambda: b"\0\0\0\x0cJXL \r\n\x87\n" + b"\0\0\0\x08free" * 50_000, DAMAGED),
    "jpeg-9000x9000-is-halved": (lambda: save(Image.new("L", (9_000, 9_000), 128), "JPEG"), r"RGB 9000x9000 \(12[78]"),
    "eps": (lambda: save(picture(), "EPS"), f"{UNSUPPORTED}: is a PostScript file"),
    "pdf": (lambda: save(picture(), "PDF"), f"{UNSUPPORTED}: is a PDF file"),
    "psd": (lambda: b"8BPS\0\1" + bytes(60), f"{UNSUPPORTED}: is a Photoshop file"),
    "heic": (lambda: save(picture(), "HEIF"), RIGHT),
    "heic-only-a-header": (lambda: b"\0\0\0\x18ftypheic" + bytes(60), DAMAGED),
    "fits": (lambda: b"SIMPLE  =                    T" + bytes(2_880), f"{UNSUPPORTED}: is a FITS file"),
    "icon": (lambda: save(picture().resize((32, 32)), "ICO"), f"{UNSUPPORTED}: is a Windows icon file"),
    "jpeg2000": (lambda: save(picture(), "JPEG2000"), f"{UNSUPPORTED}: is a JPEG 2000 file"),
    # a picture, and something else as well
    "a-jpeg-named.png": (lambda: save(picture(), "JPEG"), RIGHT),
    "a-png-named.jpg": (lambda: save(picture(), "PNG"), RIGHT),
    "a-webp-named.exe": (lambda: save(picture(), "WEBP"), RIGHT),
    "jpeg-with-html-behind": (lambda: save(picture(), "JPEG") + b"<script>alert(1)</script>", RIGHT),
    "gif-with-script-inside": (lambda: save(picture(), "GIF", comment=b"<script>alert(1)</script>"), RIGHT),
    "jpeg-with-a-zip-behind": (zip_behind, RIGHT),
    "html-before-a-jpeg": (lambda: b"<html>" + save(picture(), "JPEG"), NO_IMAGE),
    "png-with-100-mb-behind": (lambda: save(picture(), "PNG") + bytes(100_000_000), RIGHT),
    "two-pictures": (two_pictures, RIGHT),
    "jpeg-with-a-thumbnail": (with_thumbnail, RIGHT),
    # metadata
    "exif-bomb": (exif_bomb, RIGHT),
    "jpeg-a-million-exif-segments": (lambda: jpeg_with(b"\xff\xe1\0\x0cExif\0\0abcd" * 1_000_000), TOO_LARGE),
    "jpeg-a-million-comments": (lambda: jpeg_with(b"\xff\xfe\0\x04ab" * 1_000_000), TOO_LARGE),
    "jpeg-20-mb-of-fill-bytes": (lambda: jpeg_with(b"\xff" * 20_000_000), TOO_LARGE),
    "jpeg-400-comments": (lambda: jpeg_with((b"\xff\xfe\xff\xf0" + bytes(65_518)) * 400), RIGHT),
    "jpeg-2000-scans": (many_scans, TOO_LARGE),
    "jpeg-progressive-cmyk-7000x7000": (progressive_cmyk, TOO_LARGE),
    "jpeg-progressive-cmyk-7000x7000-whole": (large_progressive_cmyk, TOO_LARGE),
    "png-a-million-chunks": (lambda: png(8, 8, bytes(72), *[(b"prVt", b"")] * 400_000), TOO_LARGE),
    "png-a-million-texts": (lambda: png(8, 8, bytes(72), *[(b"tEXt", b"a\0b")] * 400_000), TOO_LARGE),
    "gif-a-million-comments": (lambda: gif_with(b"!\xfe\x01a\0" * 1_000_000), TOO_LARGE),
    "gif-a-comment-of-a-million-blocks": (lambda: gif_with(b"!\xfe" + b"\x01a" * 1_000_000 + b"\0"), TOO_LARGE),
    "exif-loop": (exif_loop, RIGHT),
    "exif-nonsense": (lambda: save(picture(), "JPEG", exif=b"Exif\0\0" + b"\xff" * 200), RIGHT),
    "png-many-texts": (many_texts, f"{RIGHT}|{DAMAGED}"),
    "png-text-bomb": (text_bomb, f"RGB 8x8|{DAMAGED}"),
    "png-profile-bomb": (profile_bomb, f"RGB 8x8|{DAMAGED}"),
    # every kind of pixel
    "cmyk.jpg": (cmyk, r"RGB 240x320 \(25[0-5], [0-9], [0-9]\)"),
    "grey.png": (lambda: save(Image.new("L", (WIDTH, HEIGHT), 128), "PNG"), GREY),
    "grey.jpg": (lambda: save(Image.new("L", (WIDTH, HEIGHT), 128), "JPEG"), GREY),
    "grey-16-bit.png": (deep_grey, GREY),
    "black-and-white.png": (lambda: save(Image.new("1", (WIDTH, HEIGHT), 1), "PNG"), r"RGB 240x320 \(255, 255, 255\)"),
    "half-clear-grey.png": (lambda: save(Image.new("LA", (WIDTH, HEIGHT), (0, 128)), "PNG"), GREY),
    "half-clear.png": (lambda: save(Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 128)), "PNG"), GREY),
    "half-clear.webp": (lambda: save(Image.new("RGBA", (WIDTH, HEIGHT), (0, 0, 0, 128)), "WEBP", lossless=True), GREY),
    "palette-with-transparency.png": (palette_with_transparency, RIGHT),
    "palette.gif": (lambda: save(picture(), "GIF"), RIGHT),
    "progressive.jpg": (lambda: save(picture(), "JPEG", progressive=True), RIGHT),
    "one-pixel.png": (lambda: png(1, 1, bytes(2)), r"RGB 1x1 \(0, 0, 0\)"),
}
Results = dict[str, dict[str, object]]

# Those that take half a second each to make and to decode; what they show besides their size, smaller ones show too.
LARGE = (
    "png-7000x7000-rgba",
    "png-7000x7000-16-bit",
    "png-49000x1000-rgb",
    "avif-3900x3900",
    "heic-8064x6048-of-a-telephone",
    "jpeg-9000x9000-is-halved",
    "jpeg-progressive-cmyk-7000x7000-whole",
)

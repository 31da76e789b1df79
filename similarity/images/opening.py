"""Opening a picture of any format that is read, and the frame of it that people see."""

import io
from functools import lru_cache
from importlib import import_module

from PIL import Image

from similarity.errors import TooLargeError, UnsupportedError
from similarity.images.formats import FORMATS, RAW, picture_format, sentence
from similarity.images.jpeg_xl import check_size

# Formats whose decoder is a library of its own, and what to install where it is missing.
LIBRARIES = {
    "HEIF": ("HEIC", "pip install pillow-heif"),
    "JXL": ("JPEG XL", "pip install pillow-jxl-plugin"),
}
# Bytes that the pixels of a TIFF and its largest strip or tile may take together; a decoder holds one unpacked.
MAX_TIFF_BYTES = 280_000_000
BYTES_PER_PIXEL = 4
# Tags of TIFFs (TIFF 6.0, DNG 1.7) that tell raw files from pictures.
SUBFILE_TYPE, PHOTOMETRIC, SUB_IFDS, DNG_VERSION = 254, 262, 330, 50706
ROWS_PER_STRIP, TILE_WIDTH, TILE_HEIGHT, SAMPLES, BITS, COMPRESSION = 278, 322, 323, 277, 258, 259
UNCOMPRESSED, REDUCED, COLOUR_FILTER, LINEAR_RAW = 1, 1, 32803, 34892


def open_picture(data: bytes, name: str) -> Image.Image:
    """Open a picture; only its header is read, except of a JPEG XL.

    Raises:
        UnsupportedError: its decoder is not installed, or it is a camera's raw file. TooLargeError: it is a TIFF in
            parts that take too much memory. UnidentifiedImageError and others of Pillow.
    """
    form = picture_format(data)
    if form in LIBRARIES:
        _need_library(form, name)
    if form == "JXL":
        check_size(data, name)
    image = Image.open(io.BytesIO(data), formats=(form,) if form in ("TIFF", *LIBRARIES) else FORMATS)
    if image.format == "TIFF":
        _check_tiff(image, name)
    return image


def show_first_frame(image: Image.Image) -> None:
    """Go to the first frame of an animated PNG whose first picture is for programs that know no animations."""
    if image.format == "PNG" and image.info.get("default_image") and getattr(image, "n_frames", 1) > 1:
        image.seek(1)


def frame_of(image: Image.Image) -> tuple[int, int, int, int] | None:
    """The part of a GIF that its first frame covers, before its pixels are loaded; None if it is all, or no GIF."""
    if image.format != "GIF" or not getattr(image, "tile", None):
        return None
    frame = image.tile[0].extents  # type: ignore[attr-defined]
    return None if frame is None or frame == (0, 0, *image.size) else frame


def _need_library(form: str, name: str) -> None:
    if not _register(form):
        title, remedy = LIBRARIES[form]
        raise UnsupportedError(name, f"is a {title} file, whose decoder is not installed: {remedy}.")


@lru_cache
def _register(form: str) -> bool:
    """Register a library with Pillow, one thread for a picture, since pictures are read in parallel anyway."""
    try:
        if form == "HEIF":
            import pillow_heif

            pillow_heif.register_heif_opener(decode_threads=1, thumbnails=False, depth_images=False, aux_images=False)
        else:
            plugin = import_module("pillow_jxl.JpegXLImagePlugin")  # an extra, which registers itself
            plugin.DECODE_THREADS = 0  # type: ignore[attr-defined]
    except ImportError:
        return False
    return True


def _check_tiff(image: Image.Image, name: str) -> None:
    """Reject a raw file, of which only a preview could be seen, and parts too large for memory."""
    tags = getattr(image, "tag_v2", {})
    is_preview = tags.get(SUBFILE_TYPE) == REDUCED and SUB_IFDS in tags
    if DNG_VERSION in tags or is_preview or tags.get(PHOTOMETRIC) in (COLOUR_FILTER, LINEAR_RAW):
        raise UnsupportedError(name, sentence(RAW))
    if tags.get(COMPRESSION, UNCOMPRESSED) == UNCOMPRESSED:
        return
    width, rows = tags.get(TILE_WIDTH, image.width), min(tags.get(ROWS_PER_STRIP, image.height), image.height)
    part = width * tags.get(TILE_HEIGHT, rows) * max(tags.get(BITS, (1,))) * tags.get(SAMPLES, 1) / 8
    if part + BYTES_PER_PIXEL * image.width * image.height > MAX_TIFF_BYTES:
        raise TooLargeError(
            name, "is a TIFF that takes too much memory: save it in smaller strips or tiles, or as PNG."
        )

"""Limits on picture files: defaults with which none takes 300 MB, and the two settings that raise them.

Whoever indexes larger files of their own sets SIMILARITY_MAX_MEGAPIXELS or SIMILARITY_MAX_FILE_MB, and has the memory:
up to 8 bytes for a pixel.
"""

import os

from similarity.errors import TooLargeError

MEGAPIXELS, FILE_MEGABYTES = "SIMILARITY_MAX_MEGAPIXELS", "SIMILARITY_MAX_FILE_MB"
MAX_FILE_BYTES = 200_000_000
MAX_PIXELS = 50_000_000
# Some decoders keep several copies (measured: 7 bytes for a pixel of HEIC and JPEG XL; less in `heif.py`).
MAX_PIXELS_OF = {"WEBP": 16_000_000, "AVIF": 16_000_000, "HEIF": 40_000_000, "JXL": 25_000_000}
# All coefficients of a progressive JPEG are in memory at once.
MAX_PIXELS_PROGRESSIVE_CMYK = 30_000_000


def max_pixels(form: str, *, is_progressive_cmyk: bool = False) -> int:
    """The most pixels that a picture of a format may have; a setting raises it, and never lowers it."""
    usual = MAX_PIXELS_PROGRESSIVE_CMYK if is_progressive_cmyk else MAX_PIXELS_OF.get(form, MAX_PIXELS)
    return max(usual, _setting(MEGAPIXELS))


def too_many_pixels(name: str, size: tuple[int, int], limit: int) -> TooLargeError:
    """The error for a picture of more pixels than the limit, which names the setting that raises it."""
    text = f"{size[0]} x {size[1]} pixels; the limit is {limit / 1e6:.0f} megapixels; {MEGAPIXELS} raises it"
    return TooLargeError(name, f"is too large ({text}).")


def max_file_bytes() -> int:
    """The most bytes that a picture file may have."""
    return max(MAX_FILE_BYTES, _setting(FILE_MEGABYTES))


def _setting(name: str) -> int:
    """A setting in millions; 0 if there is none, or it is no number."""
    try:
        return int(float(os.environ.get(name, "") or 0) * 1_000_000)
    except (ValueError, OverflowError):
        return 0

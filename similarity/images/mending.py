"""Files that are whole in all that is seen, and damaged only where nothing is: mended in memory, to be decoded again.

JPEG: ITU-T T.81, annex B and G. PNG: its specification (third edition), 5.
"""

import io
import random
import zlib
from collections.abc import Iterator

from PIL import Image, ImageChops

from similarity.images.parts import JPEG_SCAN, jpeg_segments

JPEG_END = b"\xff\xd9"
JPEG_FRAMES = frozenset({0xC0, 0xC1, 0xC2})
COEFFICIENTS = 64
# Entropy-coded data that a decoder of a scan that is cut short takes for the rest of it.
NOISE = bytes(random.Random(0).choices(range(1, 255), k=1024))
# Two copies are compared, so a larger progressive JPEG would take too much memory.
MAX_PIXELS_COMPARED = 16_000_000
# Chunks of a PNG that matter to its pixels, and those of them that it can do without.
PNG_SEEN = frozenset({b"IHDR", b"PLTE", b"tRNS", b"IDAT", b"IEND", b"acTL", b"fcTL", b"fdAT"})
PNG_OF_USE = frozenset({b"gAMA", b"sRGB", b"iCCP", b"eXIf"})
MAX_PNG_PROFILE = 1_000_000


def mend(data: bytes) -> bytes | None:
    """A file that is damaged only in what does not matter, without the damage; None if there is nothing to mend."""
    if data.startswith(b"\xff\xd8"):
        return _with_jpeg_end(data)
    return _without_png_metadata(data) if data.startswith(b"\x89PNG\r\n\x1a\n") else None


def _with_jpeg_end(data: bytes) -> bytes | None:
    """A JPEG with its last marker, if all that it lacks is that.

    It is so if all its scans are there and what is put behind the last one does not change the picture.
    """
    if not _has_all_scans(data):
        return None
    whole = data.removesuffix(b"\xff") + JPEG_END
    try:
        first, second = (_small(data) for data in (whole, data.removesuffix(b"\xff") + NOISE + JPEG_END))
    except (OSError, ValueError, SyntaxError, MemoryError):
        return None
    if first is None or second is None:
        return None
    return whole if ImageChops.difference(first, second).getbbox() is None else None


def _small(data: bytes) -> Image.Image | None:
    """A JPEG at an eighth of its size, or a progressive one in full, of which that shows only the first scan."""
    with Image.open(io.BytesIO(data), formats=("JPEG",)) as image:
        if not image.info.get("progressive"):
            image.draft(None, (1, 1))
        elif image.width * image.height > MAX_PIXELS_COMPARED:
            return None
        return image.copy()


def _has_all_scans(data: bytes) -> bool:
    """Whether the scans of a JPEG bring each coefficient of each component to its last bit."""
    missing: dict[int, set[int]] = {}
    for marker, content in jpeg_segments(data):
        if marker in JPEG_FRAMES and len(content) >= 6:
            missing = {content[at]: set(range(COEFFICIENTS)) for at in range(6, len(content) - 2, 3)}
        elif marker == JPEG_SCAN and content:
            count = content[0]
            begin, end, bits = content[1 + 2 * count : 4 + 2 * count].ljust(3, b"\xff")
            for component in content[1 : 1 + 2 * count : 2]:
                if bits & 15 == 0:
                    missing.get(component, set()).difference_update(range(begin, end + 1))
    return bool(missing) and not any(missing.values())


def _without_png_metadata(data: bytes) -> bytes | None:
    """A PNG without texts and the like, and without profile and EXIF data that are damaged; None if it has none."""
    kept, dropped = [data[:8]], False
    for kind, content, chunk in _png_chunks(data):
        is_kept = kind in PNG_SEEN or (kind in PNG_OF_USE and _is_sound(kind, content, chunk))
        kept += [chunk] if is_kept else []
        dropped |= not is_kept
    return b"".join(kept) if dropped else None


def _is_sound(kind: bytes, content: bytes, chunk: bytes) -> bool:
    """Whether a chunk has the right checksum, and does not unpack to more than a profile ever has."""
    if zlib.crc32(kind + content) != int.from_bytes(chunk[-4:]):
        return False
    if kind != b"iCCP":
        return True
    try:
        unpacker = zlib.decompressobj()
        unpacker.decompress(content[content.index(b"\0") + 2 :], MAX_PNG_PROFILE)
    except (zlib.error, ValueError):
        return False
    return unpacker.eof


def _png_chunks(data: bytes) -> Iterator[tuple[bytes, bytes, bytes]]:
    """The chunks of a PNG: kind, content, and all bytes with length and checksum."""
    at = 8
    while at + 8 <= len(data):
        end = at + 12 + int.from_bytes(data[at : at + 4])
        yield data[at + 4 : at + 8], data[at + 8 : end - 4], data[at:end]
        if data[at + 4 : at + 8] == b"IEND":
            return
        at = end

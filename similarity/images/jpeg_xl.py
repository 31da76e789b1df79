"""The size of a JPEG XL by its header (ISO/IEC 18181-1, D.2), since its decoder unpacks all pixels on opening."""

from collections.abc import Callable

from similarity.errors import DamagedError
from similarity.images.limits import max_pixels, too_many_pixels

# Distributions of a size that is no multiple of eight: how many bits follow.
BITS = (9, 13, 18, 30)
# Width to height, by the three bits that name the usual ratios.
RATIOS = {1: (1, 1), 2: (12, 10), 3: (4, 3), 4: (3, 2), 5: (16, 9), 6: (5, 4), 7: (2, 1)}
HEADER_BYTES = 16
CODESTREAM = b"\xff\x0a"


def read_size(data: bytes, name: str) -> tuple[int, int]:
    """Width and height in pixels; raises DamagedError."""
    header = _codestream(data)
    if not header.startswith(CODESTREAM):
        raise DamagedError(name, "is damaged or incomplete (a JPEG XL without a picture in it).")
    return _size(header[2:])


def check_size(data: bytes, name: str) -> None:
    """Reject a JPEG XL of too many pixels, before it is opened; raises TooLargeError or DamagedError."""
    width, height = read_size(data, name)
    if width * height > (limit := max_pixels("JXL")):
        raise too_many_pixels(name, (width, height), limit)


def _codestream(data: bytes) -> bytes:
    """The beginning of the codestream, which may be in a box, or in parts in boxes that each begin with a number."""
    if data.startswith(CODESTREAM):
        return data[:HEADER_BYTES]
    at, beginning = 0, b""
    while at + 8 <= len(data) and len(beginning) < HEADER_BYTES:
        length, kind = int.from_bytes(data[at : at + 4]), data[at + 4 : at + 8]
        start = at + (16 if length == 1 else 8)
        length = int.from_bytes(data[at + 8 : at + 16]) if length == 1 else length
        end = at + length if length else len(data)  # 0: the last box
        if not start <= end <= len(data):
            return b""
        if kind in (b"jxlc", b"jxlp"):
            start += 4 if kind == b"jxlp" else 0
            beginning += data[start : min(end, start + HEADER_BYTES)]
        at = end
    return beginning[:HEADER_BYTES]


def _size(header: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    bits, at = int.from_bytes(header.ljust(HEADER_BYTES, b"\0"), "little"), 0

    def take(count: int) -> int:
        nonlocal at
        at += count
        return bits >> (at - count) & ((1 << count) - 1)

    is_small = bool(take(1))
    height = _side(take, is_small)
    if ratio := RATIOS.get(take(3)):
        return height * ratio[0] // ratio[1], height
    return _side(take, is_small), height


def _side(take: Callable[[int], int], is_small: bool) -> int:
    return 8 * (take(5) + 1) if is_small else take(BITS[take(2)]) + 1

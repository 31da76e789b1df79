"""Limits on the parts of a file, so that none costs a decoder far more than a picture of its size should."""

import re
from collections.abc import Iterator

from similarity.errors import TooLargeError, UnsupportedError

# Limits on the parts of a file. Decoders process them one by one, some in quadratic time; a photograph has a few dozen,
# and ten scans if it is a progressive JPEG.
MAX_METADATA, MAX_SCANS, MAX_MARKERS, MAX_CHUNKS, MAX_FILL = 500, 100, 2_000, 100_000, 1 << 16
MAX_PNG_METADATA, MAX_GIF_BLOCKS = 5_000, 10_000
JPEG_START, JPEG_END, JPEG_SCAN = 0xD8, 0xD9, 0xDA
JPEG_WITHOUT_LENGTH = frozenset({0x01, JPEG_START, *range(0xD0, 0xD8)})
RUN_LENGTH = (1, 2)  # with 8 bits for a pixel, and with 4
FILL_BYTES = re.compile(rb"\xff+")
END_OF_SCAN = re.compile(rb"\xff[^\x00\xd0-\xd7\xff]")


def check_parts(data: bytes, name: str) -> None:
    """Reject a file that costs a decoder far more than a picture of its size, before it is decoded.

    Raises:
        TooLargeError: it has more parts than any picture needs. UnsupportedError: it is a run-length BMP, of which five
            kilobytes can stand for millions of steps.
    """
    if data.startswith(b"\xff\xd8"):
        fault = _jpeg_fault(data)
    elif data.startswith(b"\x89PNG"):
        fault = _png_fault(data)
    elif data.startswith(b"GIF8"):
        fault = _gif_fault(data)
    elif data.startswith(b"BM") and _is_run_length(data):
        raise UnsupportedError(name, "is a BMP with run-length compression, which is not read: save it as PNG.")
    else:
        return
    if fault:
        raise TooLargeError(name, f"has too many parts ({fault}).")


def jpeg_segments(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The markers of a JPEG up to its end, each with the content of its segment, without what a scan is coded in."""
    at = 2
    while (fill := FILL_BYTES.match(data, at)) and fill.end() < len(data):
        marker, at = data[fill.end()], fill.end() + 1
        if marker == JPEG_END:
            return
        if marker in JPEG_WITHOUT_LENGTH:
            continue
        length = max(2, int.from_bytes(data[at : at + 2]))
        yield marker, data[at + 2 : at + length]
        at += length
        if marker == JPEG_SCAN:
            end = END_OF_SCAN.search(data, at)
            at = end.start() if end else len(data)


def _jpeg_fault(data: bytes) -> str:
    at, metadata, scans, markers = 2, 0, 0, 0
    while (fill := FILL_BYTES.match(data, at)) and fill.end() < len(data):
        if fill.end() - at > MAX_FILL:
            return "fill bytes"
        marker, at = data[fill.end()], fill.end() + 1
        if marker == JPEG_END:
            break
        markers += 1
        if markers > MAX_MARKERS:
            return "markers"
        if marker in JPEG_WITHOUT_LENGTH:
            continue
        at += max(2, int.from_bytes(data[at : at + 2]))
        if marker == JPEG_SCAN:
            scans += 1
            end = END_OF_SCAN.search(data, at)
            at = end.start() if end else len(data)
        metadata += marker >= 0xE0
        if metadata > MAX_METADATA or scans > MAX_SCANS:
            return "scans" if scans > MAX_SCANS else "metadata"
    return ""


def _is_run_length(data: bytes) -> bool:
    """Whether a BMP's header, if it is long enough, names run-length compression."""
    return int.from_bytes(data[14:18], "little") >= 40 and int.from_bytes(data[30:34], "little") in RUN_LENGTH


def _png_fault(data: bytes) -> str:
    at, chunks, metadata = 8, 0, 0
    while at + 8 <= len(data):
        kind = data[at + 4 : at + 8]
        if kind == b"IEND":
            break
        chunks += 1
        metadata += kind not in (b"IDAT", b"fdAT", b"fcTL")
        if metadata > MAX_PNG_METADATA or chunks > MAX_CHUNKS:
            return "metadata" if metadata > MAX_PNG_METADATA else "chunks"
        at += 12 + int.from_bytes(data[at : at + 4])
    return ""


def _gif_fault(data: bytes) -> str:
    """Check the blocks before the first frame; other frames are not decoded."""
    flags = data[10] if len(data) > 10 else 0
    at, blocks = 13 + (3 << ((flags & 7) + 1) if flags & 0x80 else 0), 0
    while at + 2 < len(data) and data[at] == 0x21:  # an extension, in blocks that each say their length
        at += 2
        while at < len(data) and data[at]:
            at += 1 + data[at]
            blocks += 1
            if blocks > MAX_GIF_BLOCKS:
                return "metadata"
        at += 1
        blocks += 1
        if blocks > MAX_GIF_BLOCKS:
            return "metadata"
    return ""

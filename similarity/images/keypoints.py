"""Local features of a picture: SIFT points with RootSIFT descriptors, which find the same picture turned or cut."""

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass, replace

import cv2
import numpy as np
import numpy.typing as npt
from PIL import Image

from similarity.images.decoding import THUMBNAIL_SIDE

# Pixels of the longer side that points are found at.
SIDE = THUMBNAIL_SIDE
# The most points that are stored, so that they take at most 16 kB, and that are found in a query.
MAX_STORED, MAX_QUERY = 225, 500
MAX_BYTES = 16_000
# SIFT's own threshold is 0.04: lower ones find points in blurred and plain pictures, too.
CONTRAST = 0.01
# Half of the points are the strongest, the others spread over cells, so that every part of a picture has some. Of 30
# photographs, crops of 15 % of the area had 8 matches in 19 so, and in 16 with the strongest only, at 110 points.
CELLS = 4
# Descriptors have a whole number from 0 to 15 for each of 128 dimensions, two to a byte: in the same space, twice as
# many points in 4 bits did more than half as many in 8, 26 of these crops in place of 19.
DIMENSIONS, LEVELS, STEPS = 128, 15, 40
# RootSIFT is Arandjelović and Zisserman, "Three things everyone should know to improve object retrieval", 2012.

MAGIC = b"SIFT\x01\x00"
HEADER, CHECK = struct.Struct("<6sHHH"), struct.Struct("<I")
POINT = np.dtype([("position", "<f2", 2), ("scale", "<f2"), ("angle", "u1"), ("descriptor", "u1", DIMENSIONS // 2)])

Floats = npt.NDArray[np.float32]
Codes = npt.NDArray[np.uint8]


@dataclass(frozen=True, slots=True, eq=False)
class Keypoints:
    """The points of a picture, in the order of how much they are worth.

    Attributes:
        width, height: of the picture that they were found in, in pixels.
        positions: x and y in it, in pixels, float32 (n, 2).
        scales: diameters, in pixels, float32 (n,).
        angles: clockwise, in degrees, float32 (n,).
        codes: quantised RootSIFT descriptors, 0..15, uint8 (n, 128).
    """

    width: int
    height: int
    positions: Floats
    scales: Floats
    angles: Floats
    codes: Codes

    def __len__(self) -> int:
        """How many points there are."""
        return len(self.scales)

    @property
    def descriptors(self) -> Floats:
        """Descriptors as they are compared, float32 (n, 128), rows of unit length."""
        rows = self.codes.astype(np.float32)
        unit: Floats = rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-9)
        return unit


def find_keypoints(image: Image.Image, most: int = MAX_STORED) -> Keypoints:
    """Find the points of a picture, at 320 pixels of its longer side.

    Smaller ones are enlarged: of a query of 64 pixels, three times as many points match then.

    Args:
        most: how many to return at most.

    Returns:
        Its strongest points; none where a picture is plain.
    """
    pixels = grey_pixels(image)
    size = (pixels.shape[1], pixels.shape[0])
    sift = cv2.SIFT.create(contrastThreshold=CONTRAST)
    found = _select(sift.detect(pixels, None), size, most)
    if not found:
        return _none(*size)
    points, descriptors = sift.compute(pixels, found)
    return Keypoints(
        *size,
        np.array([point.pt for point in points], np.float32),
        np.array([point.size for point in points], np.float32),
        np.array([point.angle for point in points], np.float32),
        _quantise(np.asarray(descriptors, np.float32)),
    )


def grey_pixels(image: Image.Image) -> Codes:
    """Return the grey levels that points are found in, uint8 (height, width), with 320 pixels on the longer side."""
    return np.asarray(_resize(image.convert("L")))


def colour_pixels(image: Image.Image) -> Codes:
    """Return the colours of the same pixels, uint8 (height, width, 3)."""
    return np.asarray(_resize(image.convert("RGB")))


def mirror(image: Image.Image) -> Image.Image:
    """Return a picture as a mirror shows it: SIFT's descriptors do not match across one."""
    return image.transpose(Image.Transpose.FLIP_LEFT_RIGHT)


def mirror_keypoints(keypoints: Keypoints) -> Keypoints:
    """Return the points as a mirror shows them, without the picture: nearly those of its mirror image.

    A descriptor counts 8 directions in 4 x 4 cells, rows across the point's own direction and columns along it: in a
    mirror the rows change places and the directions turn the other way round.
    """
    histograms = keypoints.codes.reshape(-1, 4, 4, 8)[:, ::-1, :, -np.arange(8) % 8]
    return replace(
        keypoints,
        positions=np.array([keypoints.width - 1, 0], np.float32) + keypoints.positions * np.array([-1, 1], np.float32),
        angles=(180 - keypoints.angles) % 360,
        codes=np.ascontiguousarray(histograms).reshape(-1, DIMENSIONS),
    )


def pack(keypoints: Keypoints, sha256: str) -> bytes:
    """Pack points for a file: 71 bytes each, 16 kB at most, with a checksum of them and of whose they are.

    Args:
        sha256: of the picture's file, in hex.
    """
    kept = min(len(keypoints), MAX_STORED)
    rows = np.zeros(kept, POINT)
    rows["position"], rows["scale"] = keypoints.positions[:kept], keypoints.scales[:kept]
    rows["angle"] = np.round(keypoints.angles[:kept] * 256 / 360).astype(int) % 256
    rows["descriptor"] = keypoints.codes[:kept, 0::2] << 4 | keypoints.codes[:kept, 1::2]
    data = HEADER.pack(MAGIC, keypoints.width, keypoints.height, kept) + rows.tobytes()
    return data + _check(data, sha256)


def unpack(data: bytes, sha256: str) -> Keypoints:
    """Unpack points; raises ValueError if these are not bytes of `pack` for this picture."""
    body = data[: -CHECK.size]
    if len(body) < HEADER.size or _check(body, sha256) != data[-CHECK.size :]:
        raise ValueError("it has no sound local features")
    magic, width, height, count = HEADER.unpack_from(body)
    if magic != MAGIC or not (width and height) or len(body) != HEADER.size + count * POINT.itemsize:
        raise ValueError("it has no local features of this version")
    rows = np.frombuffer(body, POINT, offset=HEADER.size)
    positions, scales = rows["position"].astype(np.float32), rows["scale"].astype(np.float32)
    if not (np.isfinite(positions).all() and np.isfinite(scales).all() and (scales > 0).all()):
        raise ValueError("it has no sound local features")
    codes = np.empty((count, DIMENSIONS), np.uint8)
    codes[:, 0::2], codes[:, 1::2] = rows["descriptor"] >> 4, rows["descriptor"] & 15
    return Keypoints(width, height, positions, scales, rows["angle"].astype(np.float32) * (360 / 256), codes)


def _check(data: bytes, sha256: str) -> bytes:
    return CHECK.pack(zlib.crc32(data, zlib.crc32(sha256.encode())))


def _resize(image: Image.Image) -> Image.Image:
    scale = SIDE / max(image.size)
    size = (max(1, round(scale * image.width)), max(1, round(scale * image.height)))
    return image.resize(size, Image.Resampling.HAMMING if scale < 1 else Image.Resampling.BICUBIC)


def _select(points: Sequence[cv2.KeyPoint], size: tuple[int, int], most: int) -> list[cv2.KeyPoint]:
    """Return the strongest points, of which half are spread over the picture."""
    ordered = sorted(points, key=lambda point: (-point.response, point.pt, point.angle))
    strongest, others = ordered[: most // 2], ordered[most // 2 :]
    in_cell: dict[tuple[int, int], int] = {}
    turns = []
    for point in ordered:
        cell = (int(point.pt[0] * CELLS / size[0]), int(point.pt[1] * CELLS / size[1]))
        turns.append(in_cell.get(cell, 0))
        in_cell[cell] = turns[-1] + 1
    spread = sorted(zip(turns[most // 2 :], range(len(others)), strict=True))
    return strongest + [others[place] for _, place in spread[: most - len(strongest)]]


def _quantise(descriptors: Floats) -> Codes:
    """Return RootSIFT descriptors of SIFT's, as whole numbers from 0 to 15."""
    root = np.sqrt(descriptors / np.maximum(descriptors.sum(axis=1, keepdims=True), 1e-9))
    codes: Codes = np.minimum(np.round(STEPS * root), LEVELS).astype(np.uint8)
    return codes


def _none(width: int, height: int) -> Keypoints:
    nothing = np.zeros(0, np.float32)
    return Keypoints(width, height, np.zeros((0, 2), np.float32), nothing, nothing, np.zeros((0, DIMENSIONS), np.uint8))

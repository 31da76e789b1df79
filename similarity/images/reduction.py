"""How far a JPEG or HEIC must be reduced while it is decoded, so that a large one fits into memory.

A JPEG's decoder can leave out the frequencies that a half, a quarter or an eighth of the size cannot show. A
progressive one keeps the coefficients of all pixels nevertheless, two bytes each (ITU-T T.81, G.1).
"""

from PIL import Image

from similarity.images.heif import MAX_PIXELS_IN_ROWS, is_decoded, takes_little_memory

FACTORS = (2, 4, 8)
# A JPEG of more takes over two seconds at any size (measured: 150 megapixels a second on one core).
MAX_PIXELS_JPEG = 400_000_000
# What pixels may take, and what they may take together with coefficients.
MAX_PIXEL_BYTES, MAX_BYTES = 200_000_000, 280_000_000
BYTES_PER_PIXEL = 4


def reduction(image: Image.Image, limit: int) -> int:
    """The factor by which an opened picture must be reduced: 1 up to `limit` pixels; 0 if it is too large anyway."""
    pixels = image.width * image.height
    if pixels <= limit:
        return 1
    if image.format == "HEIF":
        return 0 if pixels > highest_limit(image, limit) else 1 if is_decoded(image) else 2
    if image.format not in ("JPEG", "MPO") or image.mode == "CMYK" or pixels > MAX_PIXELS_JPEG:
        return 0
    kept = _coefficient_bytes(image) if image.info.get("progressive") else 0
    sizes = {factor: BYTES_PER_PIXEL * pixels / factor**2 for factor in FACTORS}
    return next((at for at, size in sizes.items() if size <= MAX_PIXEL_BYTES and kept + size <= MAX_BYTES), 0)


def highest_limit(image: Image.Image, limit: int) -> int:
    """The most pixels that a HEIC picture may have, reduced or not; of others `limit`."""
    return max(limit, MAX_PIXELS_IN_ROWS) if image.format == "HEIF" and takes_little_memory(image) else limit


def _coefficient_bytes(image: Image.Image) -> float:
    """What the coefficients of a progressive JPEG take, by how finely its components are sampled."""
    samples: list[int] = [across * down for _, across, down, _ in image.layer]  # type: ignore[attr-defined]
    return 2 * image.width * image.height * sum(samples) / max([*samples, 1])

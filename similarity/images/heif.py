"""Large HEIC pictures, row by row from their decoder's memory: without a second copy of their pixels."""

from typing import Any

from PIL import Image

# Beyond 40 megapixels, pictures of this mode, depth and sampling take 4.5 bytes a pixel (measured), others 6 or more.
MAX_PIXELS_IN_ROWS = 50_000_000
MODE, BITS = "RGB", 8
CHROMA = (400, 420)


class HeifRows:
    """Decoded pixels of a HEIC picture, of which areas can be cut.

    Attributes:
        size: width and height in pixels, as turned by the decoder.
        info: colour profile and others, as Pillow has them.
    """

    def __init__(self, image: Image.Image) -> None:
        """Decode an opened picture, which gives up its own hold on the file."""
        import pillow_heif

        stored = pillow_heif.open_heif(getattr(image, "fp", None), remove_stride=False)
        self._decoded = stored[image.tell()]
        self._bytes: Any = self._decoded.data  # a memoryview, which Pillow takes as well
        self.size: tuple[int, int] = self._decoded.size
        self.width, self.height = self.size
        self.info: dict[Any, Any] = image.info

    def crop(self, area: tuple[int, int, int, int]) -> Image.Image:
        """An area, left, top, right and bottom in pixels, as a picture of its own."""
        left, top, right, bottom = area
        stride = self._decoded.stride
        rows = self._bytes[top * stride : bottom * stride]
        part = Image.frombuffer(MODE, (self.width, bottom - top), rows, "raw", MODE, stride, 1)
        part = part.crop((left, 0, right, bottom - top))
        part.info = dict(self.info)
        return part


def takes_little_memory(image: Image.Image) -> bool:
    """Whether an opened HEIC picture may have up to MAX_PIXELS_IN_ROWS."""
    info = image.info
    return image.mode == MODE and info.get("bit_depth") == BITS and info.get("chroma") in CHROMA


def is_decoded(image: Image.Image) -> bool:
    """Whether somebody has loaded the pixels of an opened HEIC picture, which has then given up its file."""
    return getattr(image, "fp", None) is None

"""A picture file that is shown or searched with, and a part of a picture."""

import hashlib
from dataclasses import dataclass
from functools import cached_property

from PIL import Image

from similarity.images.decoding import decode_scaled

# Pixels that the shorter side of a picture needs on a page or a sheet.
SHOWN_SIDE = 640


@dataclass(frozen=True, slots=True)
class Box:
    """A part of a picture, as fractions of its width and height from the top left corner.

    Attributes:
        left, top, right, bottom: 0..1, left < right and top < bottom.
    """

    left: float
    top: float
    right: float
    bottom: float

    def cut(self, image: Image.Image) -> Image.Image:
        """Cut this part out of a picture, at least one pixel."""
        left, top = int(self.left * image.width), int(self.top * image.height)
        right, bottom = round(self.right * image.width), round(self.bottom * image.height)
        return image.crop((left, top, max(right, left + 1), max(bottom, top + 1)))


@dataclass(frozen=True)
class QueryFile:
    """A picture file that is a query or is shown.

    Attributes:
        data: its bytes.
        name: its name for people.
    """

    data: bytes
    name: str

    @cached_property
    def sha256(self) -> str:
        """SHA-256 of its bytes, in hex."""
        return hashlib.sha256(self.data).hexdigest()

    def decode(self, side: int = SHOWN_SIDE) -> Image.Image:
        """Decode the picture, not much larger than shown; raises ImageError if it is not a picture."""
        return decode_scaled(self.data, self.name, side=side).image

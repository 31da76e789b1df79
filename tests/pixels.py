"""Pictures as files of a format, and how far two are apart."""

import io

import numpy as np
from PIL import Image


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes of a file in one of Pillow's formats."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def difference(left: Image.Image, right: Image.Image) -> float:
    """Mean absolute difference of two images, of 255."""
    return float(np.abs(np.asarray(left, float) - np.asarray(right, float)).mean())

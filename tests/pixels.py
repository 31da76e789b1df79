"""Pictures as files of a format, and how far two are apart."""

import io

import numpy as np
from PIL import Image, ImageCms

SRGB = ImageCms.createProfile("sRGB")


def encode(image: Image.Image, form: str, **options: object) -> bytes:
    """The bytes of a file in one of Pillow's formats."""
    buffer = io.BytesIO()
    image.save(buffer, form, **options)
    return buffer.getvalue()


def difference(left: Image.Image, right: Image.Image) -> float:
    """Mean absolute difference of two images, of 255."""
    return float(np.abs(np.asarray(left, float) - np.asarray(right, float)).mean())


def swapped_profile() -> bytes:
    """The profile of a display whose red and blue are swapped: sRGB's own, its tags renamed."""
    profile = ImageCms.ImageCmsProfile(SRGB).tobytes()
    for tag in (b"XYZ", b"TRC"):
        profile = (
            profile.replace(b"r" + tag, b"?" + tag).replace(b"b" + tag, b"r" + tag).replace(b"?" + tag, b"b" + tag)
        )
    return profile

"""Colours as sRGB: embedded profiles are converted by Little CMS, and a PNG's gamma by a table.

Profiles: ICC.1:2022. Gamma: PNG specification (third edition), 11.3.2.2; a decoder takes it where there is no profile.
"""

import io
from functools import lru_cache
from typing import TYPE_CHECKING, Any

from PIL import Image

if TYPE_CHECKING:
    from PIL.ImageCms import ImageCmsTransform

# Output profiles of presses take up to 3 MB; a larger one is no profile, and is ignored like a broken one.
MAX_PROFILE_BYTES = 4_000_000
# Most folders have one profile, or that of each camera; each is kept with its transform.
PROFILES_KEPT = 8
# A profile that moves no colour by more than this is sRGB under whichever name; converting with it costs and changes
# nothing.
SAME = 2
# The gamma that PNGs with sRGB colours say, and how far from it a value makes no visible difference.
SRGB_GAMMA, GAMMA_TOLERANCE = 0.45455, 0.05


def convert_colours(image: Image.Image, info: dict[Any, Any]) -> Image.Image:
    """Convert an image without transparency to RGB colours of sRGB, or to their grey.

    Args:
        image: RGB, L, CMYK or LAB.
        info: what its file says about colours: `icc_profile`, or else `gamma` without `srgb`.
    """
    profile = info.get("icc_profile")
    if isinstance(profile, bytes) and 0 < len(profile) <= MAX_PROFILE_BYTES:
        transform = _transform(profile, image.mode)
        if transform is not None:
            return _applied(transform, image)
    elif image.mode == "LAB":
        return _applied(_from_lab(), image)
    rgb = image if image.mode in ("RGB", "L") else image.convert("RGB")
    table = None if profile or "srgb" in info else _gamma_table(info.get("gamma"))
    return rgb.point(table * len(rgb.getbands())) if table else rgb


def has_colours(info: dict[Any, Any]) -> bool:
    """Whether a file says anything about its colours."""
    return bool(info.get("icc_profile") or info.get("gamma"))


def _applied(transform: "ImageCmsTransform", image: Image.Image) -> Image.Image:
    from PIL import ImageCms

    return ImageCms.applyTransform(image, transform) or image


@lru_cache(maxsize=PROFILES_KEPT)
def _transform(profile: bytes, mode: str) -> "ImageCmsTransform | None":
    """The transform from a profile to sRGB; None if it is sRGB itself, broken, or one for other pixels.

    Perceptual, with black point compensation: the intent that photographs are made for. It is that of the profile's
    own tables, if it has any; those of displays have none.
    """
    from PIL import ImageCms

    flags = ImageCms.Flags.BLACKPOINTCOMPENSATION
    try:
        source = ImageCms.ImageCmsProfile(io.BytesIO(profile))
        made = ImageCms.buildTransform(source, _srgb(), mode, "RGB", ImageCms.Intent.PERCEPTUAL, flags)
        return None if mode != "CMYK" and _changes_nothing(made, mode) else made
    except (ImageCms.PyCMSError, OSError, ValueError, TypeError):
        return None


@lru_cache(maxsize=1)
def _srgb() -> Any:
    from PIL import ImageCms

    return ImageCms.createProfile("sRGB")


@lru_cache(maxsize=1)
def _from_lab() -> "ImageCmsTransform":
    from PIL import ImageCms

    return ImageCms.buildTransform(ImageCms.createProfile("LAB"), _srgb(), "LAB", "RGB")


def _changes_nothing(transform: "ImageCmsTransform", mode: str) -> bool:
    """Whether a transform leaves an even sample of all colours as they are."""
    steps = range(0, 256, 15)
    colours = bytes(v for r in steps for g in steps for b in steps for v in (r, g, b))
    sample = Image.frombytes("RGB", (len(steps), len(colours) // 3 // len(steps)), colours).convert(mode)
    before, after = sample.convert("RGB").tobytes(), _applied(transform, sample).convert("RGB").tobytes()
    return max(abs(old - new) for old, new in zip(before, after, strict=True)) <= SAME


@lru_cache(maxsize=PROFILES_KEPT)
def _gamma_table(gamma: object) -> list[int] | None:
    """The table from values of a PNG with a gamma to sRGB; None without one, or with that of sRGB."""
    if not isinstance(gamma, float | int) or not 0.01 < gamma < 100:
        return None
    if abs(gamma / SRGB_GAMMA - 1) <= GAMMA_TOLERANCE:
        return None
    return [round(255 * _encoded((value / 255) ** (1 / gamma))) for value in range(256)]


def _encoded(light: float) -> float:
    """A linear value of 0..1 in sRGB's transfer function (IEC 61966-2-1)."""
    return 12.92 * light if light <= 0.0031308 else 1.055 * light ** (1 / 2.4) - 0.055

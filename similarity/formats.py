"""Which formats of pictures are read, told by their content and never by their name, and what other files are."""

import re

from similarity.errors import DamagedError, ImageError, NotAnImageError, UnsupportedError

FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP")
SUFFIXES = frozenset({".jpg", ".jpeg", ".jpe", ".jfif", ".png", ".webp", ".gif", ".avif", ".bmp"})
READ = "JPEG, PNG, WebP, GIF, AVIF and BMP are"
# How files of other formats begin.
OTHER_FORMATS = {
    "TIFF": rb"II\*\0|MM\0\*",
    "PDF": rb"%PDF",
    "PostScript": rb"%!PS|\xc5\xd0\xd3\xc6",
    "Photoshop": rb"8BPS",
    "HEIC": rb"....ftyp(heic|heix|hevc|mif1|msf1)",
    "JPEG 2000": rb"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
    "JPEG XL": rb"\xff\x0a|\0\0\0\x0cJXL ",
    "FITS": rb"SIMPLE  =",
    "Windows icon": rb"\0\0[\1\2]\0",
    "zip": rb"PK[\3\5]",
}
# How files of the six formats begin.
OWN_MAGIC = (b"\xff\xd8\xff", b"\x89PNG", b"GIF8", b"BM")


def what_it_is_instead(data: bytes, name: str) -> ImageError:
    """Say why bytes that no decoder knows are not a picture, or not one that is read."""
    start = data[:1024].lstrip(b"\xef\xbb\xbf \t\r\n").lower()  # UTF-8 may begin with a mark
    if b"<svg" in start:
        return UnsupportedError(name, f"is an SVG, which is not read: {READ}.")
    if start.startswith(b"<"):
        return NotAnImageError(name, "is a web page, not a picture: open the picture itself and copy its address.")
    for kind, magic in OTHER_FORMATS.items():
        if re.match(magic, data, re.DOTALL):
            return UnsupportedError(name, f"is a {kind} file, which is not read: {READ}.")
    if data.startswith(OWN_MAGIC):
        return DamagedError(name, "is damaged or incomplete (its beginning cannot be read).")
    return NotAnImageError(name, f"is not a picture that can be read: {READ}.")

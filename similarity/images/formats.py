"""Formats of files, recognised by their first bytes; a name decides only where bytes cannot tell."""

import re
from dataclasses import dataclass

from similarity.errors import DamagedError, ImageError, NotAnImageError, UnsupportedError


def _names(suffixes: str) -> frozenset[str]:
    return frozenset(suffixes.split())


# Formats that Pillow reads by itself and tells apart by itself; the three others are told apart here.
FORMATS = ("JPEG", "PNG", "WEBP", "GIF", "AVIF", "BMP")
SUFFIXES = _names(
    ".jpg .jpeg .jpe .jif .jfif .jfi .pjpeg .pjp .jpg_large .jpg_orig .mpo .png .apng .webp .gif .avif .avifs "
    ".bmp .dib .tif .tiff .btf .tf8 .heic .heif .hif .heics .heifs .jxl"
)
READ = "JPEG, PNG, WebP, GIF, AVIF, BMP, TIFF, HEIC and JPEG XL are"
# Number of bytes at the beginning of a file that tell what it is; an SVG may begin with a long comment.
START_BYTES = 1024

TIFF = re.compile(rb"II[*+]\0|MM\0[*+]")
JPEG_XL = re.compile(rb"\xff\x0a|\0\0\0\x0cJXL \r\n\x87\n")
BRAND = re.compile(rb"....ftyp", re.DOTALL)
HEIF_BRANDS = frozenset({b"heic", b"heix", b"hevc", b"hevx", b"heim", b"heis", b"hevm", b"hevs", b"mif1", b"msf1"})
AVIF_BRANDS = frozenset({b"avif", b"avis"})
# How files of the formats that Pillow tells apart begin; two letters alone are no sign of a BMP.
OWN_MAGIC = re.compile(
    rb"\xff\xd8\xff|\x89PNG|GIF8|RIFF....WEBP|BM....\0\0\0\0....[\x0c\x28\x40\x6c\x7c]\0\0\0", re.DOTALL
)
# Raw files of most cameras are TIFFs, of which nothing but a small preview could be read.
RAW_SUFFIXES = _names(
    ".3fr .ari .arw .cr2 .cr3 .crw .dcr .dng .erf .fff .gpr .iiq .k25 .kdc .mef .mos .mrw .nef .nrw .orf .pef .raf "
    ".raw .rw2 .rwl .sr2 .srf .srw .x3f"
)


@dataclass(frozen=True, slots=True)
class Unread:
    """A kind of file that is not read.

    Attributes:
        kind, several: what people call one of them, with its article, and many of them.
        remedy: what makes a picture of it that is read; empty if nothing does.
        magic: how such a file begins.
        suffixes: its names, for files that begin like others or like nothing.
    """

    kind: str
    several: str
    remedy: str = ""
    magic: str = "(?!)"
    suffixes: frozenset[str] = frozenset()


RAW = Unread(
    "a camera raw file",
    "camera raw files",
    "export it as JPEG or TIFF",
    r"II\*\0\x10\0\0\0CR|IIRO|IIRS|MMOR|IIU\0|FUJIFILMCCD-RAW|FOVb|\0MRM|....ftypcrx |II\x1a\0\0\0HEAPCCDR",
    RAW_SUFFIXES,
)
UNREAD = (
    RAW,
    Unread("a PDF file", "PDF files", "export its pages as PNG", "%PDF", _names(".pdf")),
    Unread("a Photoshop file", "Photoshop files", "export it as PNG", "8BPS", _names(".psd .psb")),
    Unread(
        "a PostScript file", "PostScript files", "export it as PNG", r"%!PS|\xc5\xd0\xd3\xc6", _names(".eps .ps .ai")
    ),
    Unread(
        "a video",
        "videos",
        "save a frame of it as JPEG",
        r"....ftyp(?!hei|hev|mif1|msf1|avi[fs]|crx|M4A)|RIFF....AVI |\x1a\x45\xdf\xa3|\0\0\x01[\xba\xb3]"
        r"|\x30\x26\xb2\x75|FLV\x01|\0...(moov|mdat|wide|free)",
        _names(".mp4 .mov .m4v .avi .mkv .webm .mpg .mpeg .mts .m2ts .wmv .3gp .flv .ogv"),
    ),
    Unread("a Windows icon file", "Windows icon files", "save it as PNG", r"\0\0[\1\2]\0[^\0]", _names(".ico .cur")),
    Unread("a TGA file", "TGA files", "save it as PNG", suffixes=_names(".tga .icb .vda .vst")),
    Unread(
        "a JPEG 2000 file",
        "JPEG 2000 files",
        "save it as JPEG",
        r"\0\0\0\x0cjP  |\xff\x4f\xff\x51",
        _names(".jp2 .j2k .jpf .jpx"),
    ),
    Unread("a FITS file", "FITS files", "save it as TIFF", "SIMPLE  =", _names(".fits .fit")),
    Unread("a DICOM file", "DICOM files", "export it as PNG", suffixes=_names(".dcm .dicom")),
    Unread("an OpenEXR file", "OpenEXR files", "save it as TIFF", r"v/1\x01", _names(".exr")),
    Unread("a Radiance HDR file", "Radiance HDR files", "save it as TIFF", r"#\?RADIANCE|#\?RGBE", _names(".hdr")),
    Unread("a DDS texture", "DDS textures", "save it as PNG", "DDS ", _names(".dds")),
    Unread("a GIMP file", "GIMP files", "export it as PNG", "gimp xcf", _names(".xcf")),
    Unread("a macOS icon file", "macOS icon files", "save it as PNG", "icns", _names(".icns")),
    Unread("a QOI file", "QOI files", "save it as PNG", "qoif", _names(".qoi")),
    Unread(
        "a Netpbm file",
        "Netpbm files",
        "save it as PNG",
        r"P[1-7fF]\s[\s\d#W]",
        _names(".ppm .pgm .pbm .pnm .pam .pfm"),
    ),
    Unread("a PCX file", "PCX files", "save it as PNG", r"\x0a[\0-\5]\x01[\1\2\4\x08]", _names(".pcx")),
    Unread(
        "a Windows metafile",
        "Windows metafiles",
        "save it as PNG",
        r"\xd7\xcd\xc6\x9a|\x01\0\0\0.{36} EMF",
        _names(".wmf .emf"),
    ),
    Unread("a zip file", "zip files", "unpack it", r"PK[\3\5]", _names(".zip .cbz")),
)
SVG = Unread("an SVG", "SVGs", "export it as PNG", suffixes=_names(".svg .svgz"))
OTHER = Unread("another kind of file", "other files")
KINDS = {entry.kind: entry for entry in (*UNREAD, SVG, OTHER)}
# Files with these names are never opened to see whether they are pictures: they lie beside pictures everywhere.
PLAIN_SUFFIXES = _names(
    ".txt .csv .tsv .json .jsonl .xml .xmp .md .rst .html .htm .css .js .py .ini .cfg .yaml .yml .toml .log .db "
    ".sqlite .parquet .npy .npz .pkl .pt .doc .docx .xls .xlsx .ppt .pptx .odt .mp3 .wav .flac .m4a .aac .ogg .exe "
    ".dll .so .pyc"
)
REASON = re.compile(r"is ((?:an?|another) [^,]+), which is not read: ")


def picture_format(data: bytes) -> str:
    """The format of a picture by its first bytes: "TIFF", "HEIF", "JXL", or another that is read; empty if none."""
    if TIFF.match(data):
        return "TIFF"
    if JPEG_XL.match(data):
        return "JXL"
    if BRAND.match(data):
        brands = _brands(data)
        return "AVIF" if brands & AVIF_BRANDS else "HEIF" if brands & HEIF_BRANDS else ""
    return "other" if OWN_MAGIC.match(data) else ""


def _brands(data: bytes) -> set[bytes]:
    """The brands that a file of the MPEG-4 family says it is compatible with."""
    end = min(int.from_bytes(data[:4]), 256)
    return {data[8:12], *(data[at : at + 4] for at in range(16, min(end, len(data)) - 3, 4))}


def unread_reason(start: bytes, suffix: str) -> str:
    """The reason why a file is not indexed; empty if its bytes say it is a picture that is read.

    Args:
        start: its first START_BYTES bytes.
        suffix: that of its name, in lower case, with the dot.
    """
    if not start:
        return "is empty (0 bytes)."
    kind = _unread_kind(start, suffix)
    if kind is None and picture_format(start):
        return ""
    return sentence(kind or OTHER)


def reason_by_name(suffix: str) -> str:
    """The reason why a file of this name is not even opened; empty if it is."""
    return sentence(OTHER) if suffix in PLAIN_SUFFIXES else ""


def sentence(unread: Unread) -> str:
    """A reason: what a file is, what is read instead, and the remedy if there is one."""
    return f"is {unread.kind}, which is not read: {READ}{'; ' if unread.remedy else ''}{unread.remedy}."


def kind_in(reason: str) -> Unread | None:
    """The kind that a reason of `sentence` names; None for other reasons."""
    match = REASON.match(reason)
    return KINDS.get(match[1]) if match else None


def _unread_kind(start: bytes, suffix: str) -> Unread | None:
    """The kind of a file that is not read; by its name only if its bytes are no picture's, or if it is a raw file."""
    if suffix in RAW_SUFFIXES and TIFF.match(start):
        return RAW
    if _begins_as_svg(start):
        return SVG
    if picture_format(start) in ("HEIF", "AVIF"):  # before videos, which are of the same family
        return None
    for entry in UNREAD:
        if re.match(entry.magic.encode("latin-1"), start, re.DOTALL):
            return entry
    if picture_format(start):
        return None
    if start[128:132] == b"DICM":
        return KINDS["a DICOM file"]
    return next((entry for entry in (*UNREAD, SVG) if suffix in entry.suffixes), None)


def _begins_as_svg(start: bytes) -> bool:
    return b"<svg" in start[:START_BYTES].lower() and _text(start).startswith(b"<")


def _text(start: bytes) -> bytes:
    return start[:START_BYTES].lstrip(b"\xef\xbb\xbf \t\r\n").lower()  # UTF-8 may begin with a mark


def what_it_is_instead(data: bytes, name: str) -> ImageError:
    """The error for bytes that no decoder recognises, which names their format if it is known."""
    kind = _unread_kind(data[:START_BYTES], f".{name.rpartition('.')[2].lower()}")
    if kind:
        return UnsupportedError(name, sentence(kind))
    if _text(data).startswith(b"<"):
        return NotAnImageError(name, "is a web page, not a picture: open the picture itself and copy its address.")
    if picture_format(data) == "TIFF":
        return DamagedError(name, "is damaged or incomplete, or a TIFF of a kind that is not read: save it as PNG.")
    if picture_format(data) or data.startswith(b"BM"):
        return DamagedError(name, "is damaged or incomplete (its beginning cannot be read).")
    return NotAnImageError(name, f"is not a picture that can be read: {READ}.")

"""Files beside pictures that are not read: the reason for each, and a line for each kind of them."""

import stat
from collections.abc import Iterable, Sequence
from pathlib import Path, PurePath

from similarity.images.formats import START_BYTES, SUFFIXES, Unread, kind_in, reason_by_name, unread_reason
from similarity.sources.base import Skipped

# Files of other kinds that a source names one by one; a folder of programs has hundreds of thousands.
MAX_NAMED = 20_000
SUFFIXES_SHOWN = 4


def reason_of_file(path: Path) -> str:
    """The reason why a file is no picture to index; empty if it is one by its name or else by its first bytes."""
    suffix = path.suffix.lower()
    if suffix in SUFFIXES:  # what it is shows when it is decoded
        return ""
    return reason_by_name(suffix) or _reason_by_start(path, suffix)


def _reason_by_start(path: Path, suffix: str) -> str:
    try:
        if not stat.S_ISREG(path.stat().st_mode):
            return "is not a regular file."
        with path.open("rb") as file:
            return unread_reason(file.read(START_BYTES), suffix)
    except (OSError, ValueError) as error:
        return f"cannot be read ({getattr(error, 'strerror', None) or error})."


def bounded(skipped: Sequence[Skipped], place: str) -> list[Skipped]:
    """Skipped files, of which no more than MAX_NAMED are named one by one."""
    rest = len(skipped) - MAX_NAMED
    if rest <= 0:
        return list(skipped)
    # Not the place itself: what lies in a place that is skipped counts as not listed.
    return [*skipped[:MAX_NAMED], Skipped(f"{place}/…", f"has {rest:,} further files that are not read.")]


def without_unread(skipped: Iterable[Skipped]) -> list[Skipped]:
    """Those skipped files that are no files of a kind that is not read."""
    return [file for file in skipped if kind_in(file.reason) is None]


def lines_by_kind(skipped: Iterable[Skipped]) -> list[str]:
    """A sentence for each kind of file that is not read: how many there are, and the remedy."""
    kinds: dict[Unread, list[str]] = {}
    for file in skipped:
        if kind := kind_in(file.reason):
            kinds.setdefault(kind, []).append(PurePath(file.path).suffix.lower())
    return [_line(kind, suffixes) for kind, suffixes in kinds.items()]


def _line(kind: Unread, suffixes: list[str]) -> str:
    several = len(suffixes) > 1
    names = sorted(set(filter(None, suffixes)))
    shown = ", ".join(names[:SUFFIXES_SHOWN]) + (", …" if len(names) > SUFFIXES_SHOWN else "")
    title = kind.several if several else kind.several.removesuffix("s")
    what = f"{len(suffixes):,} {title}{f' ({shown})' if shown else ''}"
    remedy = kind.remedy
    if several:
        remedy = remedy.replace("of it", "of each").replace("its pages", "their pages").replace(" it", " them")
    return f"{what} {'are' if several else 'is'} not read{': ' if remedy else ''}{remedy}."


def nothing_here(place: Path, skipped: Iterable[Skipped]) -> str:
    """The sentence for a folder or zip without pictures, which says what there is instead."""
    lines = lines_by_kind(skipped)
    looked = "JPEG, PNG, WebP, GIF, AVIF, BMP, TIFF, HEIC and JPEG XL are looked for"
    return f"There are no pictures in {place} ({looked}).{' ' if lines else ''}{' '.join(lines)}"

"""The kinds of duplicates that the page looks for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace
from typing import Literal

from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.query.near_duplicates import Group
from similarity.query.thresholds import SAME_TO_THE_EYE, THRESHOLD
from similarity.sources.base import files_of

Kind = Literal["exact", "same", "look-alikes"]
KINDS: tuple[Kind, ...] = ("exact", "same", "look-alikes")
TITLES: dict[Kind, str] = {"exact": "Exact copies", "same": "Same picture", "look-alikes": "Look-alikes"}
CAPTIONS: dict[Kind, str] = {
    "exact": "the same file, byte for byte",
    "same": "also made smaller, cropped, turned, mirrored or saved again",
    "look-alikes": "also other photographs that look nearly the same",
}
DEFAULT: Kind = "same"


def find_groups(gallery: Gallery, kind: Kind, progress: OnProgress) -> Sequence[Group]:
    """Find the groups of one kind in a gallery, largest first; raises as `Gallery.duplicates`."""
    if kind == "exact":
        groups = [Group(list(files_of([item])), 1.0) for item in gallery.items if item.copies]
        return sorted(groups, key=lambda group: (-len(group.files), group.files[0].path))
    return gallery.duplicates(THRESHOLD if kind == "same" else SAME_TO_THE_EYE, progress=progress)


def without(groups: Iterable[Group], taken: Collection[str]) -> list[Group]:
    """Return the groups without some files, and without groups of which fewer than two are left."""
    left = []
    for group in groups:
        staying = [place for place, file in enumerate(group.files) if file.id not in taken]
        if len(staying) == len(group.files):
            left.append(group)
        elif len(staying) > 1:
            left.append(replace(group, files=[group.files[place] for place in staying]))
    return left

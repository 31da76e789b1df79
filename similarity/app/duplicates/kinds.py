"""The kinds of duplicates that the page looks for."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import replace

from similarity.gallery import Gallery
from similarity.progress import OnProgress
from similarity.query.near_duplicates import Group
from similarity.query.presets import EXACT, LOOK_ALIKES, SAME, Preset

TITLES: dict[Preset, str] = {EXACT: "Exact copies", SAME: "Same picture", LOOK_ALIKES: "Look-alikes"}
CAPTIONS: dict[Preset, str] = {
    EXACT: "the same file, byte for byte",
    SAME: "also copies made smaller, cropped, turned, mirrored or saved again",
    LOOK_ALIKES: "pictures that look nearly the same, copies or not",
}
DEFAULT = SAME


def find_groups(gallery: Gallery, kind: Preset, progress: OnProgress) -> Sequence[Group]:
    """Find the groups of one kind in a gallery, largest first; raises as `Gallery.duplicates`."""
    return gallery.duplicates(preset=kind, progress=progress)


def without(groups: Iterable[Group], taken: Collection[str]) -> list[Group]:
    """Return the groups without some files, and without groups of which fewer than two are left."""
    left = []
    for group in groups:
        staying = [place for place, file in enumerate(group.files) if file.id not in taken]
        if len(staying) == len(group.files):
            left.append(group)
        elif len(staying) > 1:
            left.append(
                replace(
                    group,
                    files=[group.files[place] for place in staying],
                    copies=[group.copies[place] for place in staying],
                )
            )
    return left

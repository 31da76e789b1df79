"""The patterns of files that are left out of the sources of a gallery, from one change to the next."""

from collections.abc import Sequence

from similarity.sources.base import is_place_gone
from similarity.storage.manifest import Manifest


def excluded_after(
    manifest: Manifest, source: str, patterns: Sequence[str] | None, *, is_sync: bool
) -> dict[str, list[str]]:
    """Return the patterns of each source, with others for one of them; None keeps its patterns.

    A sync with a new source, while another is gone, is of one that has moved, whose patterns it takes.
    """
    if patterns is None:
        gone = [kept for name, kept in manifest.excluded.items() if is_place_gone(name)]
        is_moved = is_sync and source not in manifest.excluded and len(gone) == 1
        return manifest.excluded | ({source: gone[0]} if is_moved else {})
    others = {name: kept for name, kept in manifest.excluded.items() if name != source}
    return others | ({source: list(patterns)} if patterns else {})

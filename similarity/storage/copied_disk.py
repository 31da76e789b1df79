"""Galleries that were copied or mounted elsewhere together with their pictures, such as both on one external disk.

A generation knows the folder that it was written in. If the gallery is opened in another one, what both have in common
at the end is the disk's own part; sources that are gone from the old place and exist in the new one are read there.
"""

from pathlib import Path

from similarity.paths import replace_start
from similarity.sources.base import is_place_gone
from similarity.storage.items import Items
from similarity.storage.manifest import Manifest


def follow_disk(directory: Path, manifest: Manifest, items: Items) -> tuple[Manifest, Items]:
    """Return a gallery's manifest and items with the places of its pictures as they are now; nothing is written.

    Args:
        directory: the folder of the gallery.
    """
    if manifest.written_in in ("", str(directory)):
        return manifest, items
    old, new = _different_parts(Path(manifest.written_in), directory)
    sources = {name: replace_start(name, old, new) for name in items.sources() if is_place_gone(name)}
    moved = {name: now for name, now in sources.items() if now != name and not is_place_gone(now)}
    if not moved:
        return manifest, items
    return manifest.moved(moved, old, new), items.moved(moved, old, new)


def _different_parts(before: Path, after: Path) -> tuple[str, str]:
    """Return two paths without the parts that they have in common at their ends."""
    while before.name and before.name == after.name:
        before, after = before.parent, after.parent
    return str(before), str(after)

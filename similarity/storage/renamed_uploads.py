"""Uploads that are known by the name of another gallery, and are read under the name of their own.

A gallery that is renamed takes its uploads along, and a collection gets its own links to those of its pictures. States
are never written anew for that: one from before knows them by the name that they had then.
"""

from functools import partial
from pathlib import Path

from similarity.paths import galleries_folder, replace_start
from similarity.sources.base import is_place_gone
from similarity.sources.uploads import uploads_of
from similarity.storage.given_labels import GivenLabels
from similarity.storage.items import Items
from similarity.storage.manifest import Manifest


def follow_uploads(
    directory: Path, manifest: Manifest, items: Items, given: GivenLabels
) -> tuple[Manifest, Items, GivenLabels]:
    """Return what a gallery knows of its pictures, with the places of its uploads as they are now; nothing is written.

    Args:
        directory: the folder of the gallery.
    """
    own = uploads_of(directory.name)
    if directory.parent != galleries_folder() or not own.is_dir():
        return manifest, items, given
    names = set(map(_owner, items.sources())) - {"", own.name}
    if manifest.written_in:  # older ones do not say what they were called
        names &= {Path(manifest.written_in).name, manifest.collected_from}
    for name in sorted(names):
        old, new = str(own.with_name(name)), str(own)
        now = {source: replace_start(source, old, new) for source in items.sources()}
        moved = {source: place for source, place in now.items() if place != source and not is_place_gone(place)}
        if moved:
            manifest, items = manifest.moved(moved, old, new), items.moved(moved, old, new)
            given = given.moved(partial(replace_start, old=old, new=new))
    return manifest, items, given


def _owner(source: str) -> str:
    """Return the name of the gallery whose upload a source is; empty if it is none."""
    uploads = uploads_of("any").parent
    parts = Path(source).relative_to(uploads).parts if Path(source).is_relative_to(uploads) else ()
    return parts[0] if len(parts) > 1 else ""

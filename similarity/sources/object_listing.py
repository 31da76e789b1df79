"""All pictures below a place in an object store, such as `s3://bucket/shoes/`, listed by the store itself."""

from collections import Counter
from collections.abc import Mapping, Sequence
from copy import copy
from dataclasses import replace
from pathlib import PurePosixPath

from similarity.errors import FetchError, SourceError
from similarity.images.formats import SUFFIXES
from similarity.sources.base import FileBytes, Item, Skipped, Stamp
from similarity.sources.object_store import list_objects, read_object
from similarity.sources.passed_over import passed_over_part
from similarity.text.unicode import nfc

# Number of objects that are fetched at the same time.
DOWNLOADS_AT_ONCE = 16


class Objects:
    """Items that are objects below one place.

    Attributes:
        passed_over: number of objects that were left out, by the name of their folder, or hidden.
    """

    def __init__(self, name: str, items: list[Item], stamps: Mapping[str, Stamp], passed_over: dict[str, int]) -> None:
        """`stamps` are those of the store's listing, by the items' paths."""
        self.name = name
        self.items = items
        self.skipped: list[Skipped] = []
        self.readers = DOWNLOADS_AT_ONCE
        self.passed_over = passed_over
        self._stamps = stamps

    def read(self, item: Item) -> FileBytes:
        """The bytes of an object."""
        return read_object(item.path)

    def stamp(self, item: Item) -> Stamp | None:
        """Size and modification time of an object, as it was listed."""
        return self._stamps.get(item.path)

    def whereabouts(self, item: Item) -> str:
        """The address of an object."""
        return item.path

    def part(self, items: Sequence[Item]) -> "Objects":
        """The source with a subset of its items."""
        part = copy(self)
        part.items, part._stamps = list(items), {item.path: self._stamps[item.path] for item in items}
        return part


def scan_objects(place: str) -> Objects:
    """List the pictures below a place in a store, in the order of their keys; hidden ones are left out, as in folders.

    Only names are looked at: what has not the ending of a picture is none. A picture's label is the name of its folder.

    Raises:
        SourceError: the place cannot be listed, or has no pictures.
    """
    scheme, _, below_scheme = place.partition("://")
    if not below_scheme.strip("/"):
        raise SourceError(f"{place} names no bucket: write {scheme}://bucket, or {scheme}://bucket/beginning.")
    root = place.rstrip("/")
    try:
        stamps = list_objects(root)
    except FetchError as error:
        raise SourceError(str(error)) from error
    items, passed_over = [], Counter[str]()
    for path in sorted(stamps):
        key = path.removeprefix(f"{root}/")
        below = PurePosixPath(key)
        if below.suffix.lower() not in SUFFIXES:
            continue
        if reason := passed_over_part(below.parts):
            passed_over[reason] += 1
            continue
        items.append(Item(id=nfc(key), path=path, label=nfc(below.parent.name) or None))
    if not items:
        raise SourceError(f"There are no pictures in {place}: check the bucket and the beginning of the keys.")
    return Objects(root, _with_own_ids(root, items), stamps, dict(passed_over))


def _with_own_ids(root: str, items: list[Item]) -> list[Item]:
    """Items with an id each: of two keys that only differ in how they are composed, each keeps its own."""
    counts = Counter(item.id for item in items)
    return [replace(item, id=item.path.removeprefix(f"{root}/")) if counts[item.id] > 1 else item for item in items]

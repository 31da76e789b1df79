"""The file of each group that is kept: the one that the visitor clicked on, or else by a rule; draws nothing."""

import hashlib
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, field
from functools import cached_property

from similarity.query.keeping import Choose
from similarity.query.near_duplicates import Group
from similarity.sources import Item

# Files that an address names: with more, it would be too long for some servers.
MOST_MARKS = 100


@dataclass(slots=True)
class ByHand:
    """The files of a gallery that the visitor has clicked on to keep them, by their ids, which a gallery has once."""

    ids: set[str] = field(default_factory=set)

    def keep(self, group: Group, file: Item) -> None:
        """Keep this file of a group, and none of the others."""
        self.ids -= {other.id for other in group.files}
        self.ids.add(file.id)

    def of(self, group: Group) -> Item | None:
        """The file of a group that was clicked on, if any."""
        return next((file for file in group.files if file.id in self.ids), None)

    def marks(self, gallery: str) -> list[str]:
        """Return a few letters for each, for the page's address: of one gallery, and telling nothing of the place."""
        return sorted(_mark(gallery, file_id) for file_id in self.ids)[:MOST_MARKS]

    @classmethod
    def by_marks(cls, gallery: str, groups: Iterable[Group], marks: Collection[str]) -> "ByHand":
        """Return the files of groups that an address names by such letters; the first of two in one group."""
        made = cls()
        for group in groups if marks else ():
            if named := [file for file in group.files if _mark(gallery, file.id) in marks]:
                made.keep(group, named[0])
        return made


@dataclass(frozen=True)
class Kept:
    """A group, and the file of it that is kept."""

    group: Group
    file: Item

    @cached_property
    def others(self) -> list[Item]:
        """The files that are not kept."""
        return [file for file in self.group.files if file is not self.file]


def _mark(gallery: str, file_id: str) -> str:
    return hashlib.sha256(f"{gallery}\n{file_id}".encode("utf-8", "surrogatepass")).hexdigest()[:10]


def choose_all(groups: Iterable[Group], rule: Choose, by_hand: ByHand) -> list[Kept]:
    """Choose the file of each group that is kept."""
    return [Kept(group, by_hand.of(group) or rule(group.files)) for group in groups]


def count_others(kept: Sequence[Kept]) -> int:
    """Count the files that are not kept."""
    return sum(len(one.group.files) - 1 for one in kept)

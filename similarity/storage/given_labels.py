"""Labels that the owner of a gallery gave to pictures: they count, whatever a source says of the same pictures later.

A generation has them in labels.json, an entry for each file, so that going back to an earlier one also takes labels
back. They are known by the content of a file, and so follow it to other places; a file of the gallery that was saved
anew at its path keeps its label, too. Entries of pictures that left the gallery stay, in case these come back: another
picture at such a path has none of their labels.
"""

import json
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping
from collections.abc import Set as AbstractSet
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path
from typing import Any

from similarity.errors import GalleryError
from similarity.files import read_json
from similarity.paths import LABELS
from similarity.sources import Item
from similarity.text.plain import one_line
from similarity.text.unicode import nfc

MOST_BYTES = 500_000_000
LONGEST_LABEL = 200  # in characters
NO_LABEL = "A label must have at least one character."


@dataclass(frozen=True, slots=True)
class GivenLabel:
    """The label that a file was given.

    Attributes:
        id, path, sha256: of the file when the label was given.
        label: the label it was given; the source's own if that was confirmed.
        source_label: the label that its source had for it, if any.
        when: ISO 8601, UTC.
    """

    id: str
    path: str
    sha256: str
    label: str
    source_label: str | None
    when: str

    @classmethod
    def now(cls, file: Item, label: str, source_label: str | None) -> "GivenLabel":
        """Return the entry of a file that is given a label at this moment."""
        when = datetime.now(UTC).isoformat(timespec="seconds")
        return cls(file.id, file.path, file.sha256, label, source_label, when)

    def of(self, file: Item, source_label: str | None) -> "GivenLabel":
        """Return the same for another file, or for the same one as it is now."""
        return replace(self, id=file.id, path=file.path, sha256=file.sha256, source_label=source_label)

    @property
    def is_change(self) -> bool:
        """Whether the label is another one than the source's."""
        return self.label != self.source_label


@dataclass(frozen=True, slots=True)
class ReadFile:
    """A file that was just read.

    Attributes:
        file: as it is now.
        before: the file that the gallery had at the same path, if any.
    """

    file: Item
    before: Item | None

    @property
    def is_other_content(self) -> bool:
        """Whether the gallery had another content at this path, or none."""
        return self.before is None or self.before.sha256 != self.file.sha256


@dataclass(frozen=True)
class GivenLabels:
    """All labels that the owner of a gallery gave.

    Attributes:
        entries: one for each file, in the order in which they were given.
    """

    entries: tuple[GivenLabel, ...] = ()

    def __bool__(self) -> bool:
        """Whether there are any."""
        return bool(self.entries)

    def has(self, sha256: str) -> bool:
        """Whether a content was given a label."""
        return sha256 in self._by_content

    def marks(self, sha256: str) -> set[tuple[str, str]]:
        """Return the labels that a content was given, with when; another set of these is another change."""
        return {(entry.label, entry.when) for entry in self._by_content.get(sha256, ())}

    def find(self, file: Item) -> GivenLabel | None:
        """Return what a file's content was given: its own entry if it has one, or else that of a copy."""
        own = self._by_file.get((file.sha256, file.id, file.path))
        same = own or self._by_label.get((file.sha256, file.label))
        given = self._by_content.get(file.sha256)
        return same or (given[0] if given else None)

    def apply(self, file: Item) -> Item:
        """Return a file with the label that its content was given, if it was given one."""
        given = self.find(file)
        return file if given is None or given.label == file.label else replace(file, label=given.label)

    def noted(self, file: Item, source_label: str | None) -> GivenLabel | None:
        """Return the entry that a file has from now on; None if it was given no label, or its entry stays as it is.

        Args:
            source_label: the label that its source has for it now.
        """
        given = self.find(replace(file, label=source_label))
        return given.of(file, source_label) if given and given.of(file, source_label) != given else None

    def following(self, read: "Iterable[ReadFile]", held: AbstractSet[str]) -> "GivenLabels":
        """Return these with those of files that were saved anew, which keep their labels.

        A content that came to another place at the same time took its label along, so the file that had it keeps none;
        and a content that the gallery held before has the label that it had then, if any.

        Args:
            read: the files that were just read.
            held: the SHA-256 of all files of the gallery before that.
        """
        files = [one for one in read if one.is_other_content]
        arrived = {one.file.sha256 for one in files}
        entries = []
        for one in files:
            is_new = one.file.sha256 not in held and not self.has(one.file.sha256)
            given = self.find(one.before) if one.before and is_new and one.before.sha256 not in arrived else None
            if given:
                entries.append(given.of(one.file, given.source_label))
        return self.updated(entries)

    def updated(self, entries: Iterable[GivenLabel], forget: AbstractSet[str] = frozenset()) -> "GivenLabels":
        """Return these with further entries, each in place of an earlier one of the same file.

        Args:
            forget: the SHA-256 of contents whose entries are dropped.
        """
        new = {(entry.id, entry.path): entry for entry in entries}
        if not new and not forget:
            return self
        kept = (entry for entry in self.entries if entry.sha256 not in forget and (entry.id, entry.path) not in new)
        return GivenLabels((*kept, *new.values()))

    def moved(self, move: Callable[[str], str]) -> "GivenLabels":
        """Return these with the places of their files changed."""
        return GivenLabels(tuple(replace(one, id=move(one.id), path=move(one.path)) for one in self.entries))

    @cached_property
    def _by_content(self) -> Mapping[str, list[GivenLabel]]:
        by_content: dict[str, list[GivenLabel]] = defaultdict(list)
        for entry in self.entries:
            by_content[entry.sha256].append(entry)
        return dict(by_content)

    # Of several entries the first counts. Without these, a content with many copies takes the square of their number.
    @cached_property
    def _by_file(self) -> Mapping[tuple[str, str, str], GivenLabel]:
        return {(entry.sha256, entry.id, entry.path): entry for entry in reversed(self.entries)}

    @cached_property
    def _by_label(self) -> Mapping[tuple[str, str | None], GivenLabel]:
        return {(entry.sha256, entry.label): entry for entry in reversed(self.entries)}


NONE_GIVEN = GivenLabels()


def check_label(label: str) -> str:
    """Return a label as galleries keep it.

    Raises:
        GalleryError: it is empty, too long, or has characters that cannot be seen.
    """
    checked = nfc(label.strip())
    if not checked:
        raise GalleryError(NO_LABEL)
    if len(checked) > LONGEST_LABEL:
        raise GalleryError(f"A label can have up to {LONGEST_LABEL} characters, and this one has {len(checked):,}.")
    if one_line(checked) != checked:
        raise GalleryError("A label is one line of characters that can be seen.")
    return checked


def write_given_labels(folder: Path, given: GivenLabels) -> None:
    """Write the labels of a generation into its folder; there is no file if there are none."""
    if given:
        labels = {"labels": [asdict(entry) for entry in given.entries]}
        (folder / LABELS).write_text(
            json.dumps(labels, indent=1, ensure_ascii=False) + "\n", encoding="utf-8", newline="\n"
        )


def read_given_labels(folder: Path) -> GivenLabels:
    """Read the labels of a generation; raises OSError, ValueError, LookupError or TypeError if they are damaged."""
    return GivenLabels(tuple(map(_to_entry, read_json(folder / LABELS, MOST_BYTES)["labels"])))


def _to_entry(read: dict[str, Any]) -> GivenLabel:
    entry = GivenLabel(**read)
    texts = (entry.id, entry.path, entry.sha256, entry.label, entry.when, entry.source_label or "")
    if not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise ValueError("a label or its file is not a text")
    return entry

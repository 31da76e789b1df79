"""Labels that the owner of a gallery gave to pictures: they count, whatever a source says of the same pictures later.

A generation has them in labels.json, an entry for each file, so that going back to an earlier one also takes labels
back. They are known by the content of a file, and so follow it to other places; a file that was saved anew at the same
path keeps its label, too. Entries of pictures that left the gallery stay, in case these come back.
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

    @property
    def is_change(self) -> bool:
        """Whether the label is another one than the source's."""
        return self.label != self.source_label


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

    def labels(self, sha256: str) -> list[str]:
        """Return the labels that a content was given, each once; empty if it was given none."""
        return list(dict.fromkeys(entry.label for entry in self._by_content.get(sha256, ())))

    def find(self, file: Item) -> GivenLabel | None:
        """Return what a file's content was given: its own entry if it has one, or else that of a copy."""
        given = self._by_content.get(file.sha256, ())
        own = (entry for entry in given if (entry.id, entry.path) == (file.id, file.path))
        same = (entry for entry in given if entry.label == file.label)
        return next(own, next(same, given[0] if given else None))

    def apply(self, file: Item) -> Item:
        """Return a file with the label that its content was given, if it was given one."""
        given = self.find(file)
        return file if given is None or given.label == file.label else replace(file, label=given.label)

    def apply_all(self, files: Iterable[Item], contents: AbstractSet[str]) -> "tuple[list[Item], GivenLabels]":
        """Return files that were just read, with the labels that they were given, and what was given after that.

        Args:
            files: with their source's labels.
            contents: the SHA-256 of all files of the gallery: an entry of another content is of a file that has been
                saved anew, if it is of the same path.
        """
        labelled, new = [], []
        for file in files:
            saved_anew = self._by_path.get(nfc(file.path))
            if saved_anew and saved_anew.sha256 in contents:
                saved_anew = None
            given = self.find(file) or saved_anew
            if given and (given.id, given.path, given.sha256) != (file.id, file.path, file.sha256):
                new.append(replace(given, id=file.id, path=file.path, sha256=file.sha256, source_label=file.label))
            labelled.append(replace(file, label=given.label) if given else file)
        return labelled, self.updated(new)

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

    @cached_property
    def _by_path(self) -> Mapping[str, GivenLabel]:
        return {nfc(entry.path): entry for entry in self.entries}


NONE_GIVEN = GivenLabels()


def check_label(label: str) -> str:
    """Return a label as galleries keep it.

    Raises:
        GalleryError: it is empty, too long, or has characters that cannot be seen.
    """
    checked = nfc(label.strip())
    if not checked:
        raise GalleryError(NO_LABEL)
    if len(checked) > LONGEST_LABEL or one_line(checked) != checked:
        raise GalleryError(f"A label can have up to {LONGEST_LABEL} characters, in one line.")
    return checked


def write_given_labels(folder: Path, given: GivenLabels) -> None:
    """Write the labels of a generation into its folder; there is no file if there are none."""
    if given:
        labels = {"labels": [asdict(entry) for entry in given.entries]}
        (folder / LABELS).write_text(json.dumps(labels, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def read_given_labels(folder: Path) -> GivenLabels:
    """Read the labels of a generation; raises OSError, ValueError, LookupError or TypeError if they are damaged."""
    return GivenLabels(tuple(map(_to_entry, read_json(folder / LABELS, MOST_BYTES)["labels"])))


def _to_entry(read: dict[str, Any]) -> GivenLabel:
    entry = GivenLabel(**read)
    texts = (entry.id, entry.path, entry.sha256, entry.label, entry.when, entry.source_label or "")
    if not all(isinstance(text, str) and "\0" not in text for text in texts):
        raise ValueError("a label or its file is not a text")
    return entry

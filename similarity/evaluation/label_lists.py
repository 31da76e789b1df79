"""Lists of label conflicts, and of labels that the owner of a gallery changed, as CSV files."""

from collections.abc import Iterable
from dataclasses import dataclass

from similarity.evaluation.label_conflicts import Conflict, files_in
from similarity.exports.tables import to_csv
from similarity.gallery import Gallery
from similarity.sources import Item
from similarity.sources.base import files_of

CONFLICT_COLUMNS = ("conflict", "kind", "score", "suggested", "path", "id", "label")
CHANGE_COLUMNS = ("path", "id", "old_label", "new_label", "when")


@dataclass(frozen=True, slots=True)
class ChangedLabel:
    """A file of a gallery whose label the owner changed.

    Attributes:
        file: as it is now, with the new label.
        before: the label of its source, if any.
        when: when it was changed, ISO 8601, UTC.
    """

    file: Item
    before: str | None
    when: str


def changed_labels(gallery: Gallery) -> list[ChangedLabel]:
    """Return the files of a gallery whose labels the owner changed; those that only were confirmed are none of them."""
    given = gallery.given_labels
    rows = [row for row, sha256 in enumerate(gallery.items.contents()) if given.has(sha256)] if given else []
    found = ((file, given.find(file)) for file in files_of(gallery.items.at(rows)))
    return [ChangedLabel(file, one.source_label, one.when) for file, one in found if one and one.is_change]


def changes_to_csv(changes: Iterable[ChangedLabel]) -> bytes:
    """Return changed labels as CSV, a line for each file."""
    rows = ((one.file.path, one.file.id, one.before or "", one.file.label or "", one.when) for one in changes)
    return to_csv(CHANGE_COLUMNS, rows)


def conflicts_to_csv(gallery: Gallery, conflicts: Iterable[Conflict]) -> bytes:
    """Return label conflicts as CSV, worst first, a line for each picture, or for each file of copies."""
    rows = (
        (number, one.kind, round(one.score, 4), one.suggested, file.path, file.id, "; ".join(labels))
        for number, one in enumerate(conflicts, start=1)
        for file, labels in files_in(gallery, one)
    )
    return to_csv(CONFLICT_COLUMNS, rows)

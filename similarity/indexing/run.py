"""One run that changes a gallery, from its plan to the next generation and the report."""

import time
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

import numpy as np

from similarity.embedding.embedder import Embedder
from similarity.embedding.pipeline import Embedded, Extras, Recognised, embed_source, identify
from similarity.errors import GalleryError, SourceError
from similarity.indexing.choices import choose, is_continued
from similarity.indexing.known import Embeddings, Known
from similarity.indexing.moves import count_leaving, follow_moves
from similarity.indexing.plan import Plan, Reading
from similarity.indexing.sets import check_is_whole
from similarity.progress import OnProgress
from similarity.sources import Item, Skipped, Source
from similarity.sources.base import files_of, join_copies, notes_of
from similarity.sources.locations import is_remote
from similarity.sources.unread import without_unread
from similarity.storage.cleanup import collect
from similarity.storage.current import live_number
from similarity.storage.generations import Generation
from similarity.storage.given_labels import NONE_GIVEN, GivenLabels, ReadFile
from similarity.storage.journal import Journal, settle
from similarity.storage.manifest import Manifest, Report
from similarity.storage.thumbnails import write_thumbnail
from similarity.storage.writing import Change, Draft
from similarity.text.unicode import nfc
from similarity.vectors.heads import Head

# The tasks that change a gallery; the others build it from scratch.
CHANGES = ("add", "sync", "remove", "relocate", "relabel")


@dataclass(frozen=True, slots=True)
class Base:
    """The parts of a generation that do not depend on its pictures.

    Attributes:
        manifest: the manifest, of which count and files are replaced.
        quantised: the folder of its int8 network, if it has one.
        head: its head, if it has one.
        rebuilt: the manifest of the generation that is rebuilt with no word on its refinement; see `choose`.
    """

    manifest: Manifest
    quantised: Path | None = None
    head: Head | None = None
    rebuilt: Manifest | None = None

    @classmethod
    def of(cls, generation: Generation) -> "Base":
        """Return those of a generation."""
        return cls(generation.manifest, generation.quantised, generation.head)


@dataclass(slots=True)
class Run:
    """A run: its plan, and its results so far.

    Attributes:
        task: index, add, sync, remove, relocate, relabel, rebuild or collect.
        before: the live generation whose embeddings are used again, if there is one.
        source: the source that it reads; None if it only removes.
        started: value of `time.perf_counter` at the start.
        taken: files that it has read and can use, with their future entries in the gallery.
        kept: files that could not be read again, with their old entries.
        skipped: files of the source that cannot be used.
        embedded, resumed: numbers of pictures, see `Report`.
        previous: number of the generation that was live, even if it is damaged.
        replaced: the pictures of a gallery that is made anew.
        gps: whether places where pictures were taken are kept.
        parts: whether the regions of pictures are embedded, too.
        given: labels that the owner gave, by default those of `before`.
        notes: remarks on the gallery that is changed or replaced.
    """

    task: str
    directory: Path
    plan: Plan
    before: Generation | None
    source: Source | None
    started: float
    taken: list[tuple[Reading, Item]] = field(default_factory=list)
    kept: list[Item] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)
    embedded: int = 0
    resumed: int = 0
    previous: int | None = None
    replaced: Sequence[Item] = ()
    gps: bool = False
    parts: bool = False
    given: GivenLabels = NONE_GIVEN
    notes: Sequence[str] = ()

    def __post_init__(self) -> None:
        self.previous = live_number(self.directory)
        self.notes = [*self.notes, *check_is_whole(self.before, self.task, self.directory.name)]
        if self.before and not self.given:
            self.given = self.before.given
        if self.source:
            self.skipped += [replace(file, source=self.source.name) for file in self.source.skipped]

    def preview(self) -> Report:
        """Return the report of a dry run, which reads files and decodes new ones, but embeds and writes nothing."""
        known = Known(self.before, None)
        new: set[str] = set()
        if self.source:
            readable = [reading for reading in self.plan.readings if not is_remote(reading.item.path)]
            remote = [reading for reading in self.plan.readings if is_remote(reading.item.path)]
            self.taken += [(reading, reading.becomes) for reading in remote]
            self.embedded = len(self.taken)
            side = self.before.manifest.preprocessing["resize"] if self.before else 0
            results = identify(self.source, [reading.item for reading in readable], known, side=side)
            for reading, result in zip(readable, results, strict=True):
                self._record(reading, result)
            new = {file.sha256 for _, file in self.taken if file.sha256 and file.sha256 not in known}
        self.embedded += len(new)
        self._follow_moves()
        return self.report()

    def embed(
        self, source: Source, embedder: Embedder, known: Known, journal: Journal, progress: OnProgress | None
    ) -> None:
        """Read the files of the plan, and embed unknown ones; each embedding is stored in the journal at once."""
        counted: set[str] = set()
        items = [reading.item for reading in self.plan.readings]
        extras = Extras(self.gps, self.parts)
        results = embed_source(source, embedder, items=items, known=known, extras=extras, progress=progress)
        resumable = set(journal.finished)
        for reading, result in zip(self.plan.readings, results, strict=True):
            if isinstance(result, Embedded):
                write_thumbnail(self.directory, result.item.sha256, result.thumbnail)
                vectors = result.vector if result.parts is None else np.append(result.vector, result.parts)
                journal.add(result.item.sha256, (result.item.width, result.item.height), vectors)
                self.embedded += 1
            elif isinstance(result, Recognised):
                width, height = known.size(result.item.sha256)
                result = Recognised(replace(result.item, width=width, height=height))
                if result.item.sha256 in resumable and known.is_resumed(result.item.sha256):
                    counted.add(result.item.sha256)
            self._record(reading, result)
        self.resumed = len(counted)
        self._follow_moves()

    def draft(self, report: Report, base: Base, known: Embeddings) -> Draft:
        """Return the next generation, which is still to be written.

        Args:
            report: the report of this run.

        Raises:
            SourceError, GalleryError: it would have no picture. SearchError: the recipe or the refinement does not suit
                the number of pictures.
        """
        files, given = self._labelled_files()
        if not files:
            raise self._nothing_left()
        items = join_copies(files)
        changed = self.before if self.task in CHANGES else None
        described = self._describe(base.manifest, report, items, files)
        manifest = choose(described, base.head, changed.manifest if changed else None, base.rebuilt)
        is_kept = changed and is_continued(manifest, changed.manifest)
        change = Change(changed, known.origins(items)) if changed and is_kept else None
        vectors = known.vectors(items, manifest.dim)
        parts = known.parts(items, manifest.dim) if manifest.parts else ()
        vectors_of = partial(known.vectors, dim=manifest.dim)
        return Draft(manifest, items, vectors, base.quantised, base.head, change, given, parts, vectors_of)

    def is_unchanged(self, draft: Draft) -> bool:
        """Whether the task changes a gallery, and the draft has the same pictures and skipped files as before."""
        if self.task not in CHANGES or not self.before:
            return False
        before, after = self.before.manifest, draft.manifest
        is_same = (before.skipped, before.excluded) == (after.skipped, after.excluded)
        return is_same and draft.given == self.before.given and draft.items == self.before.items

    def _describe(self, base: Manifest, report: Report, items: Sequence[Item], files: Sequence[Item]) -> Manifest:
        """Return the manifest for the pictures of this run, before recipe and refinement are chosen."""
        left = {file.source for file in files}
        has_moved = base.source not in left and any(file.source == base.source for file in self.plan.removed)
        return replace(
            base,
            source=self.source.name if self.source and has_moved else base.source,
            count=len(items),
            duplicates=len(files) - len(items),
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=report.seconds,
            last_run=report,
            skipped=self._all_skipped(left),
            is_shard=False,
            files={},
        )

    def clear_up(self) -> None:
        """Delete all that is no longer needed after a run; it never fails."""
        if self.source:
            settle(self.directory, None if self.task == "index" else self.source.name)
        if live_number(self.directory) != self.previous:
            collect(self.directory, self.previous)

    def report(self) -> Report:
        """Return the report of this run. A new file with the content of a removed one counts as moved."""
        gone = Counter(file.sha256 for file in self.plan.removed)
        tally: Counter[str] = Counter()
        for reading, file in self.taken:
            if reading.before:
                tally["unchanged" if file.sha256 == reading.before.sha256 else "changed"] += 1
            elif file.sha256 and gone[file.sha256] > 0:
                gone[file.sha256] -= 1
                tally["moved"] += 1
            else:
                tally["added"] += 1
        return Report(
            task=self.task,
            source=self.source.name if self.source else "",
            added=tally["added"],
            changed=tally["changed"],
            moved=tally["moved"] + self.plan.relocated,
            relabelled=self.plan.relabelled,
            removed=len(self.plan.removed) - tally["moved"] + count_leaving(self.replaced, self._files()),
            unchanged=self.plan.unchanged + tally["unchanged"],
            embedded=self.embedded,
            resumed=self.resumed,
            skipped=self.skipped,
            seconds=round(time.perf_counter() - self.started, 3),
            notes=[*(notes_of(self.source) if self.source else ()), *self.notes],
            passed_over=getattr(self.source, "passed_over", {}),
        )

    def _record(self, reading: Reading, result: Embedded | Recognised | Skipped) -> None:
        """Record the result for a file; one that was in the gallery and cannot be read now keeps its entry."""
        if isinstance(result, Skipped):
            self.skipped.append(result)
            if reading.before:
                self.kept.append(reading.before)
            return
        item = result.item
        facts = {name: getattr(item, name) for name in ("width", "height", "size", "mtime", "sha256", "exif")}
        self.taken.append((reading, replace(reading.becomes, **facts)))

    def _files(self) -> list[Item]:
        """Return the files of the gallery after this run."""
        return [*self.plan.kept, *self.kept, *(file for _, file in self.taken)]

    def _labelled_files(self) -> tuple[list[Item], GivenLabels]:
        """Return the files of the gallery after this run, those that were read with labels that the owner gave."""
        unread = [*self.plan.kept, *self.kept]
        held = self.before.items if self.before else self.replaced
        contents = {item.sha256 for item in held} if self.given else set()
        replaced = {nfc(file.path): file for file in files_of(self.replaced)} if self.given else {}
        read = [ReadFile(file, reading.before or replaced.get(nfc(file.path))) for reading, file in self.taken]
        given = self.given.updated(self.plan.given).following(read, contents)
        taken, entries = [], []
        for reading, file in self.taken:
            # The entry of a file that another source lists has the label it was given, not one of its source.
            found = given.find(file) if reading.becomes is reading.before else None
            entries.append(given.noted(file, found.source_label if found else file.label))
            taken.append(given.apply(file))
        return [*unread, *taken], given.updated(entry for entry in entries if entry)

    def _follow_moves(self) -> None:
        """Recognise the files of a source that is synchronised under another name or in another place."""
        if self.task == "sync" and self.source:
            self.taken = follow_moves(self.plan, self.taken, self.kept, self.source.name)

    def _all_skipped(self, left: set[str]) -> list[Skipped]:
        """Return the skipped files of this run, and those of other sources, unless all pictures of these have moved.

        Args:
            left: names of the sources of all pictures.
        """
        if not self.before or self.task == "index":
            return self.skipped
        renewed = {self.source.name, *({file.source for file in self.plan.removed} - left)} if self.source else set()
        return [file for file in self.before.manifest.skipped if file.source not in renewed] + self.skipped

    def _nothing_left(self) -> SourceError | GalleryError:
        if self.source and (unusable := without_unread(self.skipped)):
            reason = unusable[0].reason
            return SourceError(f"None of the {len(unusable)} pictures in {self.source.name} can be read: {reason}")
        return GalleryError(
            f"No picture would be left in the gallery, so nothing was changed. To delete it, remove {self.directory}."
        )

"""One run that changes a gallery, from its plan to the next generation and the report."""

import time
from collections import Counter
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path

from similarity.embedding.embedder import Embedder
from similarity.embedding.pipeline import Embedded, Recognised, embed_source, identify
from similarity.errors import GalleryError, SourceError
from similarity.indexing.choices import choose, is_continued
from similarity.indexing.known import Embeddings, Known
from similarity.indexing.plan import Plan, Reading
from similarity.progress import OnProgress
from similarity.sources import Item, Skipped, Source
from similarity.sources.base import join_copies
from similarity.sources.locations import is_remote
from similarity.storage.cleanup import collect
from similarity.storage.current import live_number
from similarity.storage.generations import Generation
from similarity.storage.journal import Journal, settle
from similarity.storage.manifest import Manifest, Report
from similarity.storage.thumbnails import write_thumbnail
from similarity.storage.writing import Change, Draft
from similarity.vectors.heads import Head

# The tasks that change a gallery; the others make one anew.
GOES_ON = ("add", "sync", "remove")


@dataclass(frozen=True, slots=True)
class Base:
    """The parts of a generation that do not depend on its pictures.

    Attributes:
        manifest: without what depends on the pictures.
        quantised: the folder of its int8 network, if it has one.
        head: what its embeddings go through, if there is one.
    """

    manifest: Manifest
    quantised: Path | None = None
    head: Head | None = None

    @classmethod
    def of(cls, generation: Generation) -> "Base":
        """That of a generation which is changed."""
        return cls(generation.manifest, generation.quantised, generation.head)


@dataclass(slots=True)
class Run:
    """A run: its plan, and its results so far.

    Attributes:
        task: index, add, sync, remove or rebuild.
        before: the live generation whose embeddings are used again, if there is one.
        source: what it reads; None if it only removes.
        started: by `time.perf_counter`.
        taken: the files that it has read and can use, as the gallery will list them.
        kept: files that could not be read again and stay as they were.
        skipped: files of the source that cannot be used.
        embedded, resumed: pictures, see Report.
        previous: the generation that was live, whatever it is worth.
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

    def __post_init__(self) -> None:
        self.previous = live_number(self.directory)
        if self.source:
            self.skipped += [replace(one, source=self.source.name) for one in self.source.skipped]

    def preview(self) -> Report:
        """Report what it would do, without embedding and without writing; only contents are compared."""
        known = Known(self.before, None)
        new: set[str] = set()
        if self.source:
            readable = [one for one in self.plan.readings if not is_remote(one.item.path)]
            self.taken += [(one, one.becomes) for one in self.plan.readings if is_remote(one.item.path)]
            self.embedded = len(self.taken)
            found = identify(self.source, [reading.item for reading in readable])
            for reading, result in zip(readable, found, strict=True):
                self._take(reading, result)
            new = {file.sha256 for _, file in self.taken if file.sha256 and file.sha256 not in known}
        self.embedded += len(new)
        return self.report()

    def embed(
        self, source: Source, embedder: Embedder, known: Known, journal: Journal, progress: OnProgress | None
    ) -> None:
        """Read what the plan says; embed what is not known, and keep it in the journal as it comes."""
        counted: set[str] = set()
        items = [reading.item for reading in self.plan.readings]
        results = embed_source(source, embedder, items=items, known=known, progress=progress)
        resumable = set(journal.finished)
        for reading, result in zip(self.plan.readings, results, strict=True):
            if isinstance(result, Embedded):
                write_thumbnail(self.directory, result.item.sha256, result.thumbnail)
                journal.add(result.item.sha256, (result.item.width, result.item.height), result.vector)
                self.embedded += 1
            elif isinstance(result, Recognised):
                width, height = known.size(result.item.sha256)
                result = Recognised(replace(result.item, width=width, height=height))
                if result.item.sha256 in resumable and known.is_resumed(result.item.sha256):
                    counted.add(result.item.sha256)
            self._take(reading, result)
        self.resumed = len(counted)

    def draft(self, report: Report, base: Base, known: Embeddings) -> Draft:
        """The next generation, which is still to be written.

        Args:
            report: of this run.

        Raises:
            SourceError, GalleryError: no picture would be in it. SearchError: the recipe or the refinement makes no
                sense for so many pictures.
        """
        files = [*self.plan.kept, *self.kept, *(file for _, file in self.taken)]
        if not files:
            raise self._nothing_left()
        items = join_copies(files)
        changed = self.before if self.task in GOES_ON else None
        described = self._describe(base.manifest, report, len(items), len(files))
        manifest = choose(described, base.head, changed.manifest if changed else None)
        is_kept = changed and is_continued(manifest, changed.manifest)
        change = Change(changed, known.origins(items)) if changed and is_kept else None
        return Draft(manifest, items, known.vectors(items, manifest.dim), base.quantised, base.head, change)

    def is_as_before(self, draft: Draft) -> bool:
        """Whether a change would leave all as it is."""
        if self.task not in GOES_ON or not self.before:
            return False
        return draft.items == self.before.items and draft.manifest.skipped == self.before.manifest.skipped

    def _describe(self, base: Manifest, report: Report, count: int, files: int) -> Manifest:
        """The manifest of so many pictures in so many files, without how they are compared."""
        return replace(
            base,
            count=count,
            duplicates=files - count,
            created=datetime.now(UTC).isoformat(timespec="seconds"),
            seconds=report.seconds,
            last_run=report,
            skipped=self._all_skipped(),
            files={},
        )

    def clear_up(self) -> None:
        """Take away what is not needed any more once all is done; it never fails."""
        if self.source:
            settle(self.directory, None if self.task == "index" else self.source.name)
        if live_number(self.directory) != self.previous:
            collect(self.directory, self.previous)

    def report(self) -> Report:
        """Report the results so far. A new file with the content of one that left is that one under another path."""
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
            moved=tally["moved"],
            relabelled=self.plan.relabelled,
            removed=len(self.plan.removed) - tally["moved"],
            unchanged=self.plan.unchanged + tally["unchanged"],
            embedded=self.embedded,
            resumed=self.resumed,
            skipped=self.skipped,
            seconds=round(time.perf_counter() - self.started, 3),
        )

    def _take(self, reading: Reading, result: Embedded | Recognised | Skipped) -> None:
        """Note what became of a file; one that was in the gallery and cannot be read now stays as it was."""
        if isinstance(result, Skipped):
            self.skipped.append(result)
            if reading.before:
                self.kept.append(reading.before)
            return
        found = result.item
        known = {name: getattr(found, name) for name in ("width", "height", "size", "mtime", "sha256")}
        self.taken.append((reading, replace(reading.becomes, **known)))

    def _all_skipped(self) -> list[Skipped]:
        """Those of this run, and those of the other sources."""
        if not self.before or self.task == "index":
            return self.skipped
        others = self.before.manifest.skipped
        return [one for one in others if not self.source or one.source != self.source.name] + self.skipped

    def _nothing_left(self) -> SourceError | GalleryError:
        if self.source and self.skipped:
            reason = self.skipped[0].reason
            return SourceError(f"None of the {len(self.skipped)} pictures in {self.source.name} can be read: {reason}")
        return GalleryError(
            f"That would leave no picture in the gallery: nothing was changed. To delete it, remove {self.directory}."
        )

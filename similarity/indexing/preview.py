"""Reports of changes that are not made."""

import time
from collections.abc import Sequence
from pathlib import Path

from similarity.indexing.collecting import without_new
from similarity.indexing.plan import plan_removal, plan_update, without_folder
from similarity.indexing.relocation import Relocation, plan_relocation
from similarity.indexing.run import Run
from similarity.sources import Source
from similarity.sources.excluding import exclude
from similarity.sources.opening import to_source
from similarity.storage.embedders import check_has_model
from similarity.storage.excluded import excluded_after
from similarity.storage.generations import Generation, read_generation
from similarity.storage.manifest import Report


class Preview:
    """The changes of a gallery, each as the report that it would have now.

    Files of a source are read and compared, and new ones decoded. Nothing is embedded or written, and no web address is
    fetched.
    """

    def __init__(self, directory: Path, opened: Generation) -> None:
        """For the gallery in a folder, of which a generation is open."""
        self._directory = directory
        self._opened = opened

    def add(self, source: str | Path | Source, *, exclude: Sequence[str] | None = None) -> Report:
        """Preview `Gallery.add`; raises as that does."""
        return self._update("add", source, exclude)

    def sync(self, source: str | Path | Source, *, exclude: Sequence[str] | None = None) -> Report:
        """Preview `Gallery.sync`; raises as that does."""
        return self._update("sync", source, exclude)

    def remove(self, *, ids: Sequence[str] = (), paths: Sequence[str] = (), labels: Sequence[str] = ()) -> Report:
        """Preview `Gallery.remove`; raises as that does."""
        started, before = time.perf_counter(), self._live()
        plan = plan_removal(before.items, ids, paths, labels)
        return Run("remove", self._directory, plan, before, None, started).preview()

    def relocate(self, old: str | Path, new: str | Path) -> Report:
        """Preview `Gallery.relocate`; raises as that does."""
        started, before = time.perf_counter(), self._live()
        plan = plan_relocation(before.items, Relocation.of(old, new))
        return Run("relocate", self._directory, plan, before, None, started).preview()

    def _update(self, task: str, source: str | Path | Source, excluding: Sequence[str] | None) -> Report:
        started, before = time.perf_counter(), self._live()
        others = without_folder(to_source(source), self._directory)
        excluded = excluded_after(before.manifest, others.name, excluding, is_sync=task == "sync")
        others = exclude(others, excluded.get(others.name, ()))
        if task == "sync" and before.manifest.collected_from:
            others = without_new(others, before.items)
        plan = plan_update(before.items, others, drop_vanished=task == "sync", given=before.given)
        if plan.readings:
            check_has_model(self._directory.name, before.manifest)
        return Run(task, self._directory, plan, before, others, started).preview()

    def _live(self) -> Generation:
        return read_generation(self._directory, opened=self._opened)

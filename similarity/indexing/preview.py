"""Reports of changes that are not made."""

from collections.abc import Sequence
from pathlib import Path

from similarity.indexing import operations
from similarity.sources import Source
from similarity.sources.opening import to_source
from similarity.storage.generations import Generation
from similarity.storage.manifest import Report


class Preview:
    """The changes of a gallery, each as the report that it would have now.

    Nothing is embedded and nothing is written; no web address is fetched. Files of a source are read and compared.
    """

    def __init__(self, directory: Path, opened: Generation) -> None:
        """For the gallery in a folder, of which a generation is open."""
        self._directory = directory
        self._opened = opened

    def add(self, source: str | Path | Source) -> Report:
        """Preview `Gallery.add`; raises as that does."""
        return operations.preview_update("add", to_source(source), self._directory, opened=self._opened)

    def sync(self, source: str | Path | Source) -> Report:
        """Preview `Gallery.sync`; raises as that does."""
        return operations.preview_update("sync", to_source(source), self._directory, opened=self._opened)

    def remove(self, *, ids: Sequence[str] = (), paths: Sequence[str] = (), labels: Sequence[str] = ()) -> Report:
        """Preview `Gallery.remove`; raises as that does."""
        return operations.preview_removal(self._directory, ids=ids, paths=paths, labels=labels, opened=self._opened)

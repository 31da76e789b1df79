"""A gallery: pictures that were indexed once, kept in a folder, and searched by showing it another picture."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Literal, Unpack

from similarity.embedding.embedder import Embedder, EmbedderId, Reusing
from similarity.errors import GalleryError, GalleryNotFoundError
from similarity.indexing import changes
from similarity.indexing.options import DEFAULTS, IndexKeywords, IndexOptions
from similarity.paths import full_path
from similarity.progress import OnProgress
from similarity.query.bulk import BulkSearcher
from similarity.search import Recipe
from similarity.search.stores import Store
from similarity.sources import Item, Source
from similarity.sources.opening import to_source
from similarity.storage.current import live_state
from similarity.storage.generations import Generation, go_back, read_generation
from similarity.storage.inventory import find_gallery, list_galleries
from similarity.storage.locks import writing
from similarity.storage.manifest import Report
from similarity.storage.thumbnails import read_or_make_thumbnail
from similarity.storage.unreadable import is_folder
from similarity.storage.verifying import verify as verify
from similarity.vectors.heads import Head

if TYPE_CHECKING:
    from similarity.indexing.preview import Preview
    from similarity.indexing.relabelling import Given


class Gallery(BulkSearcher):
    """One generation of a gallery, opened for searching. Safe to share between threads.

    Attributes:
        directory: where it lies.
        manifest: its model, count, recipe, date, skipped files ...
        items: its pictures, in the order of their rows.
        embeddings: of its pictures, float32 (n, dim), rows of unit length, read from the disk as they are asked for,
        vectors: the same as they are compared, projected and refined; see `heads.py` and `refinement.py`.
        head: the projection learned from labels or feedback, if there is one.
        given_labels: those that its owner gave; its items have them already.
        index: of `vectors`.
        report: of the change that gave this gallery, such as `add`; None if it was only opened.
    """

    def __init__(
        self,
        directory: Path,
        generation: Generation,
        *,
        load: Callable[[EmbedderId], Embedder] = Embedder.restore,
        report: Report | None = None,
    ) -> None:
        super().__init__(directory, generation, load if isinstance(load, Reusing) else Reusing(load))
        self.report = report
        self.given_labels, self.index = generation.given, generation.index

    @classmethod
    def build(
        cls,
        source: str | Path | Source,
        directory: str | Path,
        options: IndexOptions = DEFAULTS,
        *,
        progress: OnProgress | None = None,
        **keywords: Unpack[IndexKeywords],
    ) -> Gallery:
        """Index a source into a folder; if a gallery is there, it is replaced once the new one is complete.

        Pictures that are embedded already, in that gallery or by a run that was interrupted, are not embedded again.

        Args:
            source: a folder, a zip or a CSV of pictures, or any source.
            directory: where the gallery is to lie.
            options: model, precision, recipe, refinement and store; see `IndexOptions`.
            progress: called as the work goes on.
            keywords: single fields of `options`.

        Raises:
            SearchError: the recipe or the refinement does not suit the number of pictures.
            SourceError: no pictures, or none that can be read. ModelError: the model cannot be had.
            GalleryBusyError: somebody else writes the gallery. GalleryError: the folder cannot be written.
            StoreError: the store cannot be used.
        """
        directory, options = full_path(directory), options.updated(**keywords)
        report, embedder = changes.index(to_source(source), directory, options, progress=progress)
        return cls(directory, read_generation(directory), load=Reusing(Embedder.restore, embedder), report=report)

    @classmethod
    def open(cls, directory: str | Path, *, load: Callable[[EmbedderId], Embedder] = Embedder.restore) -> Gallery:
        """Open a gallery at its live generation.

        Args:
            load: gives the embedder that made it; the default loads it anew.

        Raises:
            GalleryNotFoundError: there is none. GalleryDamagedError: a file of it is damaged.
            GalleryError: it is of another version.
        """
        directory = full_path(directory)
        return cls(directory, read_generation(directory), load=load)

    @property
    def state(self) -> str:
        """The line of CURRENT when it was opened; see `current.live_state`."""
        return str(self._generation.state)

    @property
    def is_live(self) -> bool:
        """Whether the gallery on disk is still as this one is; cheap enough to ask before every search."""
        try:
            return live_state(self.directory) == self.state
        except GalleryError:
            return False

    @property
    def is_exact(self) -> bool:
        """Whether its index finds all that comparing with every picture would find."""
        return Recipe(self.manifest.recipe, "").is_exact

    @property
    def drift(self) -> str:
        """The reason to rebuild its index, if there is one; see `rebuild`."""
        return self._generation.index.drift

    def add(
        self,
        source: str | Path | Source,
        *,
        exclude: Sequence[str] | None = None,
        progress: OnProgress | None = None,
    ) -> Gallery:
        """Add the pictures of a source that are not in the gallery, and those that have changed.

        Args:
            source: as `build` has it.
            exclude: patterns of files to leave out, in the syntax of .gitignore; by default those of the last time.
            progress: called as the work goes on.

        Returns:
            The gallery as it is then. This one stays as it is.

        Raises:
            GalleryDamagedError: the live generation is damaged; otherwise as `build`.
        """
        return self._updated("add", source, exclude, progress)

    def sync(
        self,
        source: str | Path | Source,
        *,
        exclude: Sequence[str] | None = None,
        progress: OnProgress | None = None,
    ) -> Gallery:
        """Bring the gallery in step with a source: as `add`, and files that left the source leave the gallery."""
        return self._updated("sync", source, exclude, progress)

    def remove(self, *, ids: Sequence[str] = (), paths: Sequence[str] = (), labels: Sequence[str] = ()) -> Gallery:
        """Take pictures out; a path may be a folder's. Returns the gallery as it is then.

        Raises:
            GalleryError: one of these is of no picture in it, or none would be left.
        """
        report = changes.remove(self.directory, ids=ids, paths=paths, labels=labels, opened=self._generation)
        return self._changed(report)

    def relocate(self, old: str | Path, new: str | Path) -> Gallery:
        """Change the place of pictures that were moved, such as an archive that is not on this computer now.

        No file is read, and neither place needs to be there. Where they are, `sync` with the new place finds pictures
        that have changed as well.

        Args:
            old: the folder, zip, list or picture as the gallery knows it, or the first part of addresses.
            new: where it is now.

        Raises:
            GalleryError: no picture of the gallery is in the old place, or both places are the same.
        """
        return self._changed(changes.relocate(self.directory, old, new, opened=self._generation))

    def relabel(self, labels: Mapping[str, Given]) -> Gallery:
        """Give pictures, by their ids, labels that count whatever their source says; None goes back to the source's.

        Raises GalleryError if there is no such picture, or a label is not one. See `indexing.relabelling`.
        """
        return self._changed(changes.relabel(self.directory, labels, opened=self._generation))

    def collect(self, ids: Sequence[str], into: str | Path) -> Gallery:
        """Make another gallery of chosen pictures, by id or SHA-256; no picture is read. See `collecting.collect`.

        Returns:
            The new gallery; this one stays as it is.

        Raises:
            GalleryError: there is a gallery in `into`, or no picture with one of the ids.
        """
        into = full_path(into)
        return self._changed(changes.collect(self.directory, ids, into, opened=self._generation), into)

    @property
    def preview(self) -> Preview:
        """The reports that `add`, `sync`, `remove` and `relocate` would have now; nothing is changed."""
        return changes.Preview(self.directory, self._generation)

    def rebuild(
        self,
        recipe: str | None = None,
        refinement: str | None = None,
        head: Head | Literal["none"] | None = None,
        *,
        store: Store | None = None,
        into: str | Path | None = None,
        progress: OnProgress | None = None,
    ) -> Gallery:
        """Rebuild the index from the stored embeddings; no picture is read. Returns the changed gallery.

        An approximate index has embeddings stored in half precision. An exact one that is made of these compares with
        them, and scores differ by up to 0.0003 from those of a gallery that always was exact; `build` embeds
        all pictures again.

        Args:
            recipe: another one than the gallery has; see `search.recipes`,
            refinement: and likewise; see `refinement.py`. auto chooses again, which a large gallery otherwise does only
                with another recipe, store or head.
            head: the head that projects embeddings from now on, or none; see `heads.py`.
            store: where the index is to lie from now on; see `stores.py`.
            into: the folder of another gallery to be made; this one stays as it is then.
            progress: called as the work goes on.

        Raises:
            SearchError: one of them does not suit the number of pictures. HeadError: the head is of another model or
            view. StoreError: the store cannot be used.
        """
        target, opened = full_path(into) if into else self.directory, self._generation
        report = changes.rebuild(
            self.directory, recipe, refinement, head, store=store, into=target, opened=opened, progress=progress
        )
        return self._changed(report, target)

    def rebalance(self, shards: int, *, progress: OnProgress | None = None) -> Gallery:
        """Share out its pictures among this number of galleries, 1 for none; nothing is embedded again.

        See `storage.shard_places`; raises SearchError if it cannot be a set of so many.
        """
        return self._changed(changes.rebalance(self.directory, shards, opened=self._generation, progress=progress))

    def thumbnail(self, item: Item) -> bytes:
        """A small JPEG of one of its pictures; a missing one is made again from the picture, or else is grey."""
        return read_or_make_thumbnail(self.directory, item)

    def _updated(
        self, task: str, source: str | Path | Source, exclude: Sequence[str] | None, progress: OnProgress | None
    ) -> Gallery:
        found, opened = to_source(source), self._generation
        report = changes.update(
            task, found, self.directory, self._load, excluding=exclude, opened=opened, progress=progress
        )
        return self._changed(report)

    def _changed(self, report: Report, directory: Path | None = None) -> Gallery:
        """Open the gallery that a change gave, with the report of it."""
        place = directory or self.directory
        return Gallery(place, read_generation(place), load=self._load, report=report)


def restore(
    directory: str | Path, *, to: int | None = None, load: Callable[[EmbedderId], Embedder] = Embedder.restore
) -> Gallery:
    """Go back to the newest sound state of a gallery before the live one: out of damage, or to undo a change.

    Args:
        to: the number of another state to go to, see `storage.history`.
        load: gives the embedder that made it; the default loads it anew.

    Raises:
        GalleryError: there is none, it is damaged, or somebody else is writing the gallery.
    """
    directory = full_path(directory)
    if not is_folder(directory):
        raise GalleryNotFoundError(f"There is no gallery in {directory}.")
    with writing(directory, "restore"):
        go_back(directory, to)
    return Gallery.open(directory, load=load)


def open_gallery(name: str, load: Callable[[EmbedderId], Embedder] = Embedder.restore) -> Gallery:
    """Open a gallery by name or path; an unknown one is an error that says which there are."""
    directory = find_gallery(name)
    try:
        return Gallery.open(directory, load=load)
    except GalleryNotFoundError:
        known = ", ".join(path.name for path in list_galleries())
        hint = f"there are: {known}" if known else "make one with `python -m similarity index FOLDER --gallery NAME`"
        raise GalleryNotFoundError(f"There is no gallery named {name}; {hint}.") from None

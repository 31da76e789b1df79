"""A gallery: pictures that were indexed once, kept in a folder, and searched by showing it another picture."""

from __future__ import annotations

import logging
import os
import re
import time
from collections.abc import Callable
from datetime import UTC, datetime
from functools import cached_property
from pathlib import Path

import numpy as np
from PIL import Image

from similarity.embedding import Embedder, EmbedderId
from similarity.engines import Precision
from similarity.errors import (
    FetchError,
    GalleryError,
    GalleryNotFoundError,
    ImageError,
    ModelError,
    SourceError,
)
from similarity.home import full_path, galleries_folder
from similarity.images import thumbnail
from similarity.networks import digest
from similarity.pipeline import CALIBRATION_PICTURES, Embedded, OnProgress, Progress, embed_source, read_pixels
from similarity.queries import Query, decode_query, read_query
from similarity.search import FaissIndex, Hit
from similarity.sources import Item, Skipped, Source, open_source
from similarity.storage import (
    Generation,
    Manifest,
    read_generation,
    thumbnail_path,
    write_generation,
    write_thumbnail,
)
from similarity.vectors import Vectors
from similarity.weights import AUTO, ModelChoice, choose_model
from similarity.writer import writing

logger = logging.getLogger(__name__)


class Gallery:
    """One generation of a gallery, opened for searching. Safe to share between threads.

    Attributes:
        directory: where it lies.
        manifest: what it is: model, count, recipe, when it was made, what was skipped ...
        items: its pictures, in the order of their rows.
        vectors: float32 (n, dim), rows of unit length, mapped from the disk.
    """

    def __init__(
        self, directory: Path, generation: Generation, *, load: Callable[[EmbedderId], Embedder] = Embedder.restore
    ) -> None:
        self.directory = directory
        self.manifest: Manifest = generation.manifest
        self.items: list[Item] = generation.items
        self.vectors: Vectors = generation.vectors
        self._index = generation.index
        self._quantised = generation.quantised
        self._load = load

    @classmethod
    def build(
        cls,
        source: str | Path | Source,
        directory: str | Path,
        *,
        model: str | ModelChoice = AUTO,
        precision: Precision = "auto",
        progress: OnProgress | None = None,
    ) -> Gallery:
        """Index a source into a folder; if a gallery is there, it is replaced once the new one is complete.

        Args:
            source: a folder, a zip or a CSV of pictures, or any source.
            directory: where the gallery is to lie.
            model: a backbone's name or `auto`, or what `choose_model` made of it.
            precision: of the network's arithmetic; int8 is the fastest, and calibrated on up to 300 of the pictures.
            progress: told what is going on.

        Raises:
            SourceError: no pictures, or none that can be read. ModelError: the model cannot be had.
            GalleryError: the folder cannot be written.
        """
        started = time.perf_counter()
        listed = open_source(source) if isinstance(source, str | Path) else source
        directory = full_path(directory)
        choice = choose_model(model) if isinstance(model, str) else model
        embedder = _load_embedder(choice, precision, listed, progress)
        with writing(directory):
            items, vectors, skipped = _embed(listed, embedder, directory, progress)
            index = FaissIndex(embedder.dim)
            index.add(vectors)
            seconds = round(time.perf_counter() - started, 3)
            manifest = _manifest(embedder, len(items), listed.name, skipped, seconds)
            write_generation(directory, manifest, items, vectors, index, quantised=embedder.quantised)
        del index, vectors  # the gallery that is opened has its own
        return cls.open(directory, load=lambda _: embedder)

    @classmethod
    def open(cls, directory: str | Path, *, load: Callable[[EmbedderId], Embedder] = Embedder.restore) -> Gallery:
        """Open a gallery at its live generation.

        Args:
            directory: where it lies.
            load: gives the embedder that made it; the default loads it anew.

        Raises:
            GalleryNotFoundError: there is none. GalleryError: it is damaged or of a newer version.
        """
        directory = full_path(directory)
        return cls(directory, read_generation(directory), load=load)

    def __len__(self) -> int:
        """How many pictures it has."""
        return len(self.items)

    @property
    def name(self) -> str:
        """Its folder's name."""
        return self.directory.name

    @cached_property
    def embedder(self) -> Embedder:
        """The model that made this gallery, the only one that can embed its queries.

        Raises:
            GalleryError: it cannot be loaded, or its weights are not the same any more.
        """
        made = self.manifest
        identity = EmbedderId(made.model, made.weights_sha256, made.precision, self._quantised, made.network_sha256)
        try:
            embedder = self._load(identity)
        except ModelError as error:
            raise GalleryError(
                f"The gallery {self.name} was made with {self.manifest.model}, which cannot be loaded: {error}"
            ) from error
        if embedder.backbone.preprocessing.facts() != self.manifest.preprocessing:
            raise GalleryError(f"The gallery {self.name} was made with another preprocessing: index it again.")
        return embedder

    def search(self, query: Query, k: int = 10) -> list[Hit]:
        """Find the pictures most similar to a query: a path, an http(s) address, a file's bytes, or an image.

        Raises:
            ImageError, FetchError: the query cannot be read. SearchError: k is below 1.
            GalleryError: the gallery's model cannot be loaded.
        """
        image = decode_query(query, side=self.embedder.backbone.preprocessing.resize)
        return self.search_vector(self.embedder.embed([image])[0], k)

    def search_vector(self, vector: Vectors, k: int = 10) -> list[Hit]:
        """Find the pictures most similar to an embedding, float32 (dim,), of unit length; best first."""
        scores, rows = self._index.search(vector[np.newaxis], k)
        return [
            Hit(rank, float(score), self.items[row])
            for rank, (score, row) in enumerate(zip(scores[0], rows[0], strict=True), start=1)
        ]

    def thumbnail(self, item: Item) -> bytes:
        """A small JPEG of one of its pictures, made when it was indexed.

        If that is gone it is made anew from the picture; if that is gone too, it is a grey one.
        """
        try:
            return thumbnail_path(self.directory, item.sha256).read_bytes()
        except OSError:
            logger.warning("The thumbnail of %s is gone from %s", item.id, self.directory)
        try:
            return thumbnail(read_query(item.path).decode())
        except (ImageError, FetchError):
            return thumbnail(Image.new("RGB", (item.width or 1, item.height or 1), "lightgrey"))


def find_gallery(name: str) -> Path:
    """The folder that a gallery's name or path stands for, whether it exists or not.

    A name is letters, digits, dots, dashes and underscores and stands for a folder in SIMILARITY_HOME/galleries;
    anything with a slash, and `.`, `..` and `~`, is a path.
    """
    if os.sep in name or "/" in name or name in (".", "..") or name.startswith("~"):
        return full_path(name)
    if not re.fullmatch(r"[\w][\w.-]*", name):
        raise GalleryError(f"{name!r} cannot name a gallery: use letters, digits, dots, dashes and underscores.")
    return galleries_folder() / name


def open_gallery(name: str) -> Gallery:
    """Open a gallery by name or path; an unknown one is an error that says which there are."""
    directory = find_gallery(name)
    try:
        return Gallery.open(directory)
    except GalleryNotFoundError:
        known = ", ".join(path.name for path in list_galleries())
        hint = f"there are: {known}" if known else "make one with `python -m similarity index FOLDER --gallery NAME`"
        raise GalleryNotFoundError(f"There is no gallery named {name}; {hint}.") from None


def list_galleries() -> list[Path]:
    """The folders of all galleries in SIMILARITY_HOME, by name."""
    return sorted(path.parent for path in galleries_folder().glob("*/CURRENT"))


def _load_embedder(choice: ModelChoice, precision: Precision, source: Source, progress: OnProgress | None) -> Embedder:
    """Load a model; an int8 one is calibrated on the pictures that it is to embed."""
    tell = progress or (lambda _: None)
    tell(Progress(f"Preparing {choice.backbone.title}"))
    if precision != "int8":
        return Embedder.load(choice, precision=precision)
    pixels = read_pixels(source, choice.backbone.preprocessing, CALIBRATION_PICTURES)
    if not len(pixels):
        raise SourceError(f"None of the pictures in {source.name} that were tried for calibration can be read.")
    tell(Progress(f"Quantising {choice.backbone.title} with {len(pixels)} of the pictures"))
    return Embedder.quantise(choice, pixels)


def _embed(
    source: Source, embedder: Embedder, directory: Path, progress: OnProgress | None
) -> tuple[list[Item], Vectors, list[Skipped]]:
    """Embed a source's items, keeping their thumbnails on the way."""
    items: list[Item] = []
    vectors = np.empty((len(source.items), embedder.dim), np.float32)  # takes memory only as far as it is filled
    skipped = list(source.skipped)
    for result in embed_source(source, embedder, progress=progress):
        if isinstance(result, Embedded):
            write_thumbnail(directory, result.item.sha256, result.thumbnail)
            vectors[len(items)] = result.vector
            items.append(result.item)
        else:
            skipped.append(result)
    if not items:
        raise SourceError(f"None of the {len(skipped)} pictures in {source.name} can be read: {skipped[0].reason}")
    return items, vectors[: len(items)], skipped


def _manifest(embedder: Embedder, count: int, source: str, skipped: list[Skipped], seconds: float) -> Manifest:
    """What is to be remembered of a build; its generation and files are filled in when it is written."""
    return Manifest(
        model=embedder.backbone.name,
        note=embedder.note,
        weights_sha256=embedder.weights_sha256,
        preprocessing=embedder.backbone.preprocessing.facts(),
        precision=embedder.precision,
        network_sha256=digest(embedder.quantised) if embedder.quantised else None,
        dim=embedder.dim,
        count=count,
        created=datetime.now(UTC).isoformat(timespec="seconds"),
        source=source,
        skipped=skipped,
        seconds=seconds,
    )

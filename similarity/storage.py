"""A gallery on disk: generations written beside each other, and a file CURRENT that names the live one.

    photos/
      CURRENT                  "000003": replaced atomically, last
      generations/000003/      manifest.json, items.parquet, embeddings.npy, index.faiss, network/ if in int8
      thumbnails/ab/ab12….jpg  named by the SHA-256 of the picture's file, shared by generations

The only module that writes a gallery's files; `writer.py` sees to it that one process does at a time. A generation is
complete before CURRENT names it, so whoever reads sees the old state or the new one.
"""

import hashlib
import json
import os
import shutil
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field, fields, replace
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from similarity.errors import GalleryError, GalleryNotFoundError
from similarity.search import FaissIndex, VectorIndex
from similarity.sources import Item, Skipped
from similarity.vectors import Vectors

FORMAT = 1
MANIFEST, ITEMS, EMBEDDINGS, INDEX = "manifest.json", "items.parquet", "embeddings.npy", "index.faiss"
NETWORK = "network"

ITEMS_SCHEMA = pa.schema(
    [
        ("id", pa.string()),
        ("path", pa.string()),
        ("label", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("size", pa.int64()),
        ("mtime", pa.float64()),
        ("sha256", pa.string()),
        ("metadata", pa.string()),  # a JSON object
    ]
)


@dataclass(frozen=True, slots=True)
class Manifest:
    """What a generation is, for people and for whoever opens it.

    Attributes:
        model, weights_sha256, preprocessing: what embedded it, and must embed its queries.
        precision: of the network's arithmetic when it was embedded: f32, bf16, f16 or int8.
        network_sha256: of the int8 network, if it is one; a copy of it lies in the generation's folder.
        note: if it is not the model that was hoped for, two lines: why, and what to do about it.
        created: ISO 8601, UTC.
        skipped: files that could not be indexed.
        seconds: that indexing took.
        files: size and SHA-256 of every other file of the generation.
    """

    model: str
    weights_sha256: str
    preprocessing: dict[str, Any]
    precision: str
    dim: int
    count: int
    created: str
    source: str
    seconds: float
    note: str = ""
    network_sha256: str | None = None
    head_sha256: str | None = None
    recipe: str = "flat"
    metric: str = "inner_product"
    format: int = FORMAT
    generation: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    files: dict[str, dict[str, Any]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Generation:
    """One complete state of a gallery, in memory (its embeddings mapped from the file).

    Attributes:
        quantised: the folder of the int8 network that embedded it, if one did.
    """

    manifest: Manifest
    items: list[Item]
    vectors: Vectors
    index: VectorIndex
    quantised: Path | None = None


def exists(directory: Path) -> bool:
    """Whether there is a gallery in a folder."""
    return (directory / "CURRENT").is_file()


def current_generation(directory: Path) -> int:
    """The number of the live generation; raises GalleryNotFoundError where there is none."""
    try:
        return int((directory / "CURRENT").read_text())
    except (FileNotFoundError, NotADirectoryError):
        raise GalleryNotFoundError(f"There is no gallery in {directory}.") from None
    except (OSError, ValueError) as error:
        raise GalleryError(f"{directory / 'CURRENT'} cannot be read: index the gallery again.") from error


def live_state(directory: Path) -> tuple[int, int]:
    """What changes whenever a gallery does, even if it is deleted and made anew; cheap enough to ask at every turn.

    Raises:
        GalleryNotFoundError: there is none.
    """
    number = current_generation(directory)
    try:
        return number, (_generation_folder(directory, number) / MANIFEST).stat().st_mtime_ns
    except OSError as error:
        raise GalleryError(f"Generation {number} of {directory} is missing: index the gallery again.") from error


def read_manifest(directory: Path) -> Manifest:
    """What the live generation is, without loading it."""
    path = _generation_folder(directory, current_generation(directory)) / MANIFEST
    try:
        read = json.loads(path.read_text(encoding="utf-8"))
        if read["format"] > FORMAT:
            raise GalleryError(f"The gallery in {directory} was made by a newer version: update this program.")
        known = {key: read[key] for key in (field.name for field in fields(Manifest)) if key in read}
        return Manifest(**known | {"skipped": [Skipped(**skipped) for skipped in read["skipped"]]})
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise GalleryError(f"{path} is damaged or missing: index the gallery again.") from error


def read_generation(directory: Path) -> Generation:
    """Open the live generation after checking that every file is the one that was written.

    Raises:
        GalleryNotFoundError: there is no gallery. GalleryError: a file is missing, damaged, or of a newer version.
    """
    manifest = read_manifest(directory)
    folder = _generation_folder(directory, manifest.generation)
    for name, expected in manifest.files.items():
        if not (folder / name).is_file() or _fingerprint(folder / name) != expected:
            raise GalleryError(f"{folder / name} is damaged or missing: index the gallery again.")
    items = [_to_item(row) for row in _read_items(folder).to_pylist()]
    index = FaissIndex.load(folder / INDEX)
    vectors = np.load(folder / EMBEDDINGS, mmap_mode="r")
    if not manifest.count == len(items) == len(index) == len(vectors) or index.dim != manifest.dim:
        raise GalleryError(f"The files in {folder} do not belong together: index the gallery again.")
    return Generation(manifest, items, vectors, index, folder / NETWORK if manifest.network_sha256 else None)


def write_thumbnail(directory: Path, sha256: str, jpeg: bytes) -> None:
    """Keep a thumbnail, unless the same picture's is there already."""
    path = thumbnail_path(directory, sha256)
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(jpeg)


def thumbnail_path(directory: Path, sha256: str) -> Path:
    """Where the thumbnail of the picture with that SHA-256 is."""
    return directory / "thumbnails" / sha256[:2] / f"{sha256}.jpg"


def write_generation(
    directory: Path,
    manifest: Manifest,
    items: Sequence[Item],
    vectors: Vectors,
    index: VectorIndex,
    *,
    quantised: Path | None = None,
) -> None:
    """Write the next generation, make it the live one, and drop all but it and the one that was live before.

    That one is kept for readers that are still in it. An int8 network is copied, since no other one, not even one made
    anew from the same pictures on another computer, is sure to give the same embeddings.
    """
    folders = sorted((directory / "generations").glob("[0-9]*"))
    number = 1 + max((int(folder.name) for folder in folders), default=0)
    kept = {f"{number:06d}"} | ({f"{current_generation(directory):06d}"} if exists(directory) else set())
    folder = _generation_folder(directory, number)
    folder.mkdir(parents=True)
    try:
        if quantised:
            shutil.copytree(quantised, folder / NETWORK)
        _write_files(folder, replace(manifest, generation=number), items, vectors, index)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    _make_current(directory, number)
    for old in folders:
        if old.name not in kept:
            shutil.rmtree(old, ignore_errors=True)
    _drop_thumbnails(directory, [directory / "generations" / name for name in kept])


def _drop_thumbnails(directory: Path, generations: list[Path]) -> None:
    """Remove the thumbnails of pictures that are in none of the generations that are left."""
    used: set[str] = set()
    try:
        for folder in generations:
            used.update(_read_items(folder, ["sha256"]).column(0).to_pylist())
    except (OSError, pa.ArrowException):
        return  # a generation that cannot be read may still need them
    for path in (directory / "thumbnails").glob("*/*.jpg"):
        if path.stem not in used:
            path.unlink(missing_ok=True)


def _write_files(folder: Path, manifest: Manifest, items: Sequence[Item], vectors: Vectors, index: VectorIndex) -> None:
    """Fill a generation's folder; the manifest comes last, and the disk has confirmed everything at the end."""
    pq.write_table(pa.Table.from_pylist([_to_row(item) for item in items], schema=ITEMS_SCHEMA), folder / ITEMS)
    np.save(folder / EMBEDDINGS, vectors)
    index.save(folder / INDEX)
    written = sorted(path for path in folder.rglob("*") if path.is_file())
    files = {path.relative_to(folder).as_posix(): _fingerprint(path) for path in written}
    manifest = replace(manifest, files=files)
    (folder / MANIFEST).write_text(json.dumps(asdict(manifest), indent=2, ensure_ascii=False) + "\n", encoding="utf-8")
    for path in [*folder.rglob("*"), folder, folder.parent]:
        _sync(path)


def _read_items(folder: Path, columns: list[str] | None = None) -> pa.Table:
    """The table of a generation's items. Not with `pq.read_table`, which imports pandas: a quarter of a second."""
    with pq.ParquetFile(folder / ITEMS) as file:
        return file.read(columns=columns)


def _make_current(directory: Path, number: int) -> None:
    new = directory / "CURRENT.new"
    new.write_text(f"{number:06d}\n")
    _sync(new)
    new.replace(directory / "CURRENT")
    _sync(directory)


def _generation_folder(directory: Path, number: int) -> Path:
    return directory / "generations" / f"{number:06d}"


def _fingerprint(path: Path) -> dict[str, Any]:
    with path.open("rb") as file:
        return {"size": path.stat().st_size, "sha256": hashlib.file_digest(file, "sha256").hexdigest()}


def _sync(path: Path) -> None:
    """Have the disk confirm a file or a folder."""
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


def _to_row(item: Item) -> dict[str, Any]:
    return asdict(item) | {"metadata": json.dumps(dict(item.metadata), ensure_ascii=False)}


def _to_item(row: dict[str, Any]) -> Item:
    return Item(**row | {"metadata": json.loads(row["metadata"])})

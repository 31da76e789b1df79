"""Opening vectors in any of the forms that are known, which their name or their layout tells apart."""

from collections.abc import Callable, Iterator
from itertools import chain
from pathlib import Path

from similarity.errors import SourceError
from similarity.paths import full_path
from similarity.shards.folder import FACTS
from similarity.shards.vector_files.arrays import is_clip_retrieval, open_clip_retrieval, open_npy
from similarity.shards.vector_files.faiss_files import is_deep_image_search, open_deep_image_search, open_faiss
from similarity.shards.vector_files.parquet import open_parquet
from similarity.shards.vector_files.projector_files import is_projector, open_projector
from similarity.shards.vector_files.vector_file import VectorFile

PICKLES = (".pkl", ".pickle", ".joblib", ".pt", ".pth")
KINDS = (
    "a .npy or .faiss file with a list of its pictures, a .parquet file, or a folder of clip-retrieval, of "
    "DeepImageSearch 3 or for TensorBoard's projector"
)
# The folders of other programs: how each is recognised, and opened.
LAYOUTS: tuple[tuple[Callable[[Path], bool], Callable[[Path], VectorFile]], ...] = (
    (is_clip_retrieval, open_clip_retrieval),
    (is_deep_image_search, open_deep_image_search),
    (is_projector, open_projector),
)


def open_vectors(place: str | Path, items: str | Path | None = None) -> VectorFile:
    """Open vectors; nothing is unpickled.

    Args:
        place: see KINDS.
        items: a CSV or a Parquet file with a row for each vector of a .npy or .faiss file; by default the CSV of the
            same name.

    Raises:
        SourceError: it is none of these, or damaged.
    """
    path = full_path(place)
    if path.is_dir():
        return _open_folder(path)
    suffix = path.suffix.lower()
    if not path.is_file():
        raise SourceError(f"There is no file or folder {place}: give {KINDS}.")
    if suffix in PICKLES:
        raise _pickle_error(path)
    if suffix == ".parquet":
        if items is not None:
            raise SourceError(f"{place} says itself which pictures its vectors are of: leave out the list.")
        return open_parquet(path)
    if suffix not in (".npy", ".faiss"):
        raise SourceError(f"{place} is no file of vectors that is known: give {KINDS}.")
    listed = full_path(items) if items is not None else path.with_suffix(".csv")
    if not listed.is_file():
        raise SourceError(f"{listed} is missing: a list is needed with the id or the path of each vector's picture.")
    return open_npy(path, listed) if suffix == ".npy" else open_faiss(path, listed)


def _open_folder(folder: Path) -> VectorFile:
    for is_layout, open_layout in LAYOUTS:
        if is_layout(folder):
            return open_layout(folder)
    if (folder / FACTS).is_file():
        raise SourceError(f"{folder} was written by `embed`: use --from-embeddings.")
    if pickle := next((path for path in _files(folder) if path.suffix.lower() in PICKLES), None):
        raise _pickle_error(pickle)
    raise SourceError(f"{folder} has no vectors in a known layout: give {KINDS}.")


def _files(folder: Path) -> Iterator[Path]:
    """Yield what is in a folder and in the folders in it."""
    return chain(folder.glob("*"), folder.glob("*/*"))


def _pickle_error(path: Path) -> SourceError:
    return SourceError(
        f"{path} is a pickle, which may run any program when it is read, so it is not: where it was made, write its "
        "vectors with numpy.save, and ids and paths in the same order as a CSV."
    )

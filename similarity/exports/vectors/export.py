"""Writing the vectors of a gallery to a file or a folder, all of its files whole or none."""

import errno
from collections.abc import Mapping
from pathlib import Path
from tempfile import TemporaryDirectory

from similarity.errors import GalleryError
from similarity.exports.replacing import check_replaceable
from similarity.exports.tables import write_rows
from similarity.exports.vectors.kinds import Format
from similarity.exports.vectors.projector import Writer, files_of_projector, is_projector_folder
from similarity.exports.vectors.table import VectorTable
from similarity.paths import full_path
from similarity.vectors.npy_files import write_array

# Columns that a table beside vectors always has, and hardly any other one has all of.
OWN_COLUMNS, HEAD = ("id", "path", "label", "sha256"), 65_536


def export_vectors(table: VectorTable, out: str | Path, kind: Format) -> list[Path]:
    """Write vectors and what is known of their pictures; files of these names are replaced.

    Args:
        out: a file; for tensorboard a folder. A CSV of the pictures lies beside a .npy or FAISS file, under its name.

    Returns:
        The files.

    Raises:
        GalleryError: one of them cannot be written, or the folder has other files.
    """
    place = full_path(out)
    if kind == "tensorboard":
        files = {place / name: write for name, write in files_of_projector(table).items()}
    else:
        files = _files(table, place, kind)
    try:
        if kind == "tensorboard":
            place.mkdir(parents=True, exist_ok=True)
            if not is_projector_folder(place):
                raise GalleryError(f"{out} contains other files: choose a new or empty folder for the vectors.")
        else:
            for path in files:
                check_replaceable(path)
            if len(files) > 1:
                _check_table(next(iter(files)))
        _write_together(files)
    except OSError as error:
        raise GalleryError(f"The vectors could not be written to {out} ({error.strerror or error}).") from error
    return list(files)


def _check_table(path: Path) -> None:
    """Raise OSError if the table beside the vectors is there and is none that an export has written."""
    if not path.exists():
        return
    with path.open("rb") as file:
        head = file.readline(HEAD).decode("utf-8-sig", "replace")
    if not set(OWN_COLUMNS) <= set(head.strip().split(",")):
        raise OSError(errno.EEXIST, f"{path.name} beside it is a table of yours: choose another name")


def _write_together(files: Mapping[Path, Writer]) -> None:
    """Write files that belong together, and put them in their places once all of them are whole."""
    folder = next(iter(files)).parent
    with TemporaryDirectory(prefix=".export-", dir=folder) as unfinished:
        made = {path: Path(unfinished) / path.name for path in files}
        for path, write in files.items():
            with made[path].open("wb") as file:
                write(file)
        for path, new in made.items():
            new.replace(path)


def _files(table: VectorTable, place: Path, kind: Format) -> dict[Path, Writer]:
    """Return the writer of each file of a format that is not a folder, that of the vectors last."""
    if kind == "parquet":
        from similarity.exports.vectors.parquet import write_parquet

        return {place: lambda file: write_parquet(file, table)}
    beside = place.with_suffix(".csv")
    if beside == place:
        raise GalleryError(f"{place} is the name of the table beside the vectors: let its name end in .{kind}.")
    rows = (row for block in table.rows() for row in block)
    values = ([row.get(name) for name in table.columns] for row in rows)
    files: dict[Path, Writer] = {beside: lambda file: write_rows(file, table.columns, values)}
    if kind == "npy":
        shape = (len(table), table.vectors.dim)
        return files | {place: lambda file: write_array(file, shape, table.blocks())}
    from similarity.search.faiss.flat import write_flat

    return files | {place: lambda file: write_flat(file, table.vectors.dim, table.blocks())}

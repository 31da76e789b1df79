"""`index --from-vectors`: a gallery of vectors that were made elsewhere."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from similarity.cli import terminal
from similarity.cli.running import choose, interruptible
from similarity.embedding.precision import Precision

if TYPE_CHECKING:
    from similarity.indexing.options import IndexOptions
    from similarity.storage.manifest import Report

FromVectors = Annotated[
    Path | None,
    typer.Option(
        help="Vectors that were made elsewhere, instead of pictures: .npy, .faiss or .parquet, a folder of "
        "clip-retrieval, of DeepImageSearch 3, or for TensorBoard's projector. Name the --model that made them, or "
        "none."
    ),
]
ItemsOfVectors = Annotated[
    Path | None,
    typer.Option(
        "--items",
        help="With --from-vectors: a CSV or Parquet file of ids, paths, labels ... of a .npy or .faiss file; by "
        "default the CSV of the same name.",
    ),
]
Thumbnails = Annotated[
    bool, typer.Option(help="With --from-vectors: make a small JPEG of each picture that is a file of this computer.")
]


@dataclass(frozen=True, slots=True)
class GivenVectors:
    """Vectors, and what is said of them on the command line."""

    place: Path
    items: Path | None
    thumbnails: bool
    model: str
    weights: Path | None
    precision: Precision
    view: str


def check_source(
    sources: Mapping[str, str | Path | None], *, of_pictures: object, of_models: object, of_vectors: object
) -> None:
    """Raise BadParameter unless there is one source, and no option that it does not have.

    Args:
        sources: what may be indexed, by its name on the command line.
        of_pictures, of_models, of_vectors: whether options were given that are about reading pictures, about the model,
            and about vectors.
    """
    given = [name for name, value in sources.items() if value is not None]
    if len(given) != 1:
        raise typer.BadParameter("give either pictures, --from-embeddings or --from-vectors", param_hint="SOURCE")
    if given == ["--from-embeddings"] and (of_pictures or of_models):
        fixed = "--model, --precision, --view, --quality, --split, --exclude, --gps, --parts"
        raise typer.BadParameter("these were fixed by `embed`", param_hint=fixed)
    if given == ["--from-vectors"] and of_pictures:
        raise typer.BadParameter(
            "these are about pictures that are embedded", param_hint="--quality, --split, --exclude, --gps, --parts"
        )
    if given != ["--from-vectors"] and of_vectors:
        raise typer.BadParameter("these need --from-vectors", param_hint="--items, --no-thumbnails")


def index_given(given: GivenVectors, directory: Path, options: "IndexOptions") -> "Report":
    """Make a gallery of vectors."""
    from similarity.embedding.backbones import get_backbone
    from similarity.shards.vector_files.model import ModelOptions, check_can_be_of
    from similarity.shards.vector_files.opening import open_vectors
    from similarity.shards.vector_files.to_gallery import index_vectors

    if given.precision == "int8":
        raise typer.BadParameter("int8 is calibrated with pictures as they are embedded", param_hint="--precision")
    if given.model not in ("auto", "none"):  # before its weights are downloaded
        check_can_be_of(open_vectors(given.place, given.items), get_backbone(given.model))
    is_named = given.weights or given.model not in ("auto", "none")
    model = choose(given.model, given.weights) if is_named else given.model
    made_by = ModelOptions(model, given.view, given.precision)
    with interruptible(directory, goes_on=False), terminal.indexing() as progress:
        return index_vectors(
            given.place,
            directory,
            made_by,
            options,
            items=given.items,
            thumbnails=given.thumbnails,
            progress=progress,
        )

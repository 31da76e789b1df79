"""`export`: the embeddings of a gallery as files for other programs."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.exports.vectors.kinds import SUFFIXES, Which
from similarity.sample import SAMPLE

FormatName = Annotated[
    Literal["auto", "parquet", "npy", "faiss", "tensorboard"],
    typer.Option(
        "--format",
        help="parquet, npy or faiss, with a CSV of the pictures beside the last two; tensorboard, a folder for its "
        "Embedding Projector; auto is as the name ends.",
    ),
]
VectorsName = Annotated[
    Which,
    typer.Option(
        "--vectors", help="embeddings as the model gave them, or as they are compared, after head and refinement."
    ),
]


def export(
    out: Annotated[Path, typer.Option(help="File to write, or folder for tensorboard.")],
    gallery: GalleryName = SAMPLE,
    kind: FormatName = "auto",
    vectors: VectorsName = "embeddings",
    as_json: AsJson = False,
) -> None:
    """Write a gallery's embeddings with ids, labels and metadata to files that other programs read."""
    from similarity.cli.running import open_or_index

    if kind == "auto" and out.suffix.lower() not in SUFFIXES:
        raise typer.BadParameter(
            f"let the name end in {', '.join(SUFFIXES)}, or give --format tensorboard", param_hint="--out"
        )
    opened = open_or_index(gallery)
    with terminal.indexing() as progress:
        files = opened.export(out, None if kind == "auto" else kind, which=vectors, progress=progress)
    manifest, dim = opened.manifest, (opened.embeddings if vectors == "embeddings" else opened.vectors).dim
    if as_json:
        facts = {"gallery": opened.name, "model": manifest.model, "dim": dim, "count": len(opened)}
        terminal.print_json(facts | {"vectors": vectors, "files": [str(path) for path in files]})
        return
    terminal.print_line(f"{len(opened):,} vectors of {dim:,} numbers each, by {manifest.model}, were written to:")
    for path in files:
        terminal.print_line(str(path))
    if manifest.duplicates:
        terminal.say(f"{manifest.duplicates:,} exact copies are not listed: each shares the row of its picture.")

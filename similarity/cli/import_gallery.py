"""`import`: a gallery from elsewhere is checked and taken in."""

from pathlib import Path
from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import INTERRUPTED, AsJson


def import_gallery(
    folder: Annotated[Path, typer.Argument(help="Of a gallery that was made elsewhere; it has the file CURRENT.")],
    name: Annotated[str | None, typer.Option(help="Of the new gallery; the folder's unless given.")] = None,
    as_json: AsJson = False,
) -> None:
    """Check a gallery from elsewhere file by file, and take it in as a new one. Its pictures are not touched."""
    from similarity.indexing import importing

    try:
        with terminal.indexing() as progress:
            taken = importing.import_gallery(folder, name, progress=progress)
    except KeyboardInterrupt:
        terminal.say("Interrupted: nothing was imported.")
        raise typer.Exit(INTERRUPTED) from None
    manifest = taken.manifest
    if as_json:
        facts = {
            "gallery": taken.directory.name,
            "directory": str(taken.directory),
            "model": manifest.model,
            "dim": manifest.dim,
            "indexed": manifest.count + manifest.duplicates,
            "recipe": manifest.recipe,
            "refinement": manifest.refinement,
            "thumbnails": taken.thumbnails,
            "marks": taken.marks,
            "reindexed": taken.reindexed,
        }
        terminal.print_json(facts)
        return
    terminal.print_line(
        f"{taken.directory.name} has {manifest.count + manifest.duplicates:,} pictures; {taken.thumbnails:,} small "
        f"pictures and {taken.marks:,} marks came along."
    )
    if taken.reindexed:
        terminal.print_line(
            f"It was searched in Milvus. Its index was made anew, in its own folder: {manifest.recipe}."
        )

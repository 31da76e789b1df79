"""`import`: copies a gallery from elsewhere, and checks every file."""

from pathlib import Path
from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import INTERRUPTED, AsJson


def import_gallery(
    folder: Annotated[
        Path, typer.Argument(help="Folder of a gallery that was made elsewhere; it contains the file CURRENT.")
    ],
    name: Annotated[str | None, typer.Option(help="Name of the new gallery; by default that of the folder.")] = None,
    as_json: AsJson = False,
) -> None:
    """Import a gallery that was made elsewhere: check it file by file, and copy it. Its pictures are not touched."""
    from similarity.indexing import importing

    try:
        with terminal.indexing() as progress:
            imported = importing.import_gallery(folder, name, progress=progress)
    except KeyboardInterrupt:
        terminal.say("Interrupted: nothing was imported.")
        raise typer.Exit(INTERRUPTED) from None
    manifest = imported.manifest
    if as_json:
        facts = {
            "gallery": imported.directory.name,
            "directory": str(imported.directory),
            "model": manifest.model,
            "dim": manifest.dim,
            "indexed": manifest.count + manifest.duplicates,
            "recipe": manifest.recipe,
            "refinement": manifest.refinement,
            "thumbnails": imported.thumbnails,
            "marks": imported.feedback,
            "reindexed": imported.reindexed,
        }
        terminal.print_json(facts)
        return
    terminal.print_line(
        f"{imported.directory.name} has {manifest.count + manifest.duplicates:,} pictures; "
        f"{imported.thumbnails:,} small pictures and {imported.feedback:,} marks came along."
    )
    if imported.reindexed:
        terminal.print_line(f"It was searched in Milvus. Its index was rebuilt in its own folder: {manifest.recipe}.")

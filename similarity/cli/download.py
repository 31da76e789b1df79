"""`download`: public datasets of photographs."""

from pathlib import Path
from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import INTERRUPTED, AsJson
from similarity.paths import full_path


def download(
    dataset: Annotated[str, typer.Argument(help="sop (Stanford Online Products) or clothing.")],
    to: Annotated[Path | None, typer.Option(help="Folder for the dataset; by default artifacts/datasets.")] = None,
    url: Annotated[str | None, typer.Option(help="Another address to download from, such as a mirror.")] = None,
    as_json: AsJson = False,
) -> None:
    """Download a public dataset of photographs, and say how to index it."""
    from similarity.sources.datasets import (
        datasets_folder,
        download_dataset,
        get_dataset,
        index_command,
        unpack_dataset,
    )

    chosen = get_dataset(dataset)
    folder = full_path(to or datasets_folder())
    terminal.say(f"{chosen.title}. Licence: {chosen.licence}")
    try:
        with terminal.downloading("Downloading") as progress:
            download_dataset(chosen, folder, url=url, progress=progress)
        with terminal.counting("Unpacking") as progress:
            unpacked = unpack_dataset(chosen, folder, progress=progress)
    except KeyboardInterrupt:
        terminal.say("Interrupted: run the same command again to resume.")
        raise typer.Exit(INTERRUPTED) from None
    command = index_command(chosen, unpacked)
    if as_json:
        terminal.print_json({"dataset": chosen.name, "folder": str(unpacked), "next": command})
        return
    terminal.say(f"It is in {unpacked}. To make a gallery of it, run:")
    terminal.print_line(command)

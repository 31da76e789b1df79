"""Renders the sample: `python -m rendering OUT [--only ID ...]`."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress as ProgressBar

from rendering.catalogue import Photo, photos
from rendering.export import SIZE, render_photos, write_texts

app = typer.Typer(add_completion=False)


def chosen(only: list[str]) -> list[Photo]:
    """The photos whose id, product or category is named; all of them where nothing is."""
    everything = photos()
    if not only:
        return everything
    wanted = set(only)
    selected = [photo for photo in everything if wanted & {photo.id, photo.product, photo.label}]
    unknown = wanted - {name for photo in selected for name in (photo.id, photo.product, photo.label)}
    if unknown:
        names = ", ".join(sorted(unknown))
        raise typer.BadParameter(f"no picture, product or category is called {names}; ids look like mug-03-2")
    return selected


@app.command()
def main(
    out: Annotated[Path, typer.Argument(help="Folder to write gallery/, queries/ and the tables to.")],
    only: Annotated[list[str] | None, typer.Option(help="Render these ids, products or categories only.")] = None,
    size: Annotated[int, typer.Option(help="Pixels along each side.")] = SIZE,
) -> None:
    """Render the sample catalogue; pictures that exist are kept."""
    console = Console()
    selection = chosen(only or [])
    with ProgressBar(console=console) as bar:
        task = bar.add_task("Rendering", total=len(selection))

        def advance(photo: Photo, position: int, total: int) -> None:
            bar.update(task, completed=position, total=total, description=photo.id)

        count = render_photos(selection, out, size=size, progress=advance)
    if not only:  # the tables describe the whole sample; a partial folder gets none
        write_texts(out)
    console.print(f"{count} pictures rendered to {out}, {len(selection) - count} kept.")


if __name__ == "__main__":
    app()

"""`feedback`: the feedback that people gave on a gallery's results in the app."""

from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.sample import SAMPLE

SHOWN = 10


def feedback(
    gallery: GalleryName = SAMPLE,
    forget: Annotated[bool, typer.Option("--forget", help="Delete all marks for good.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the marks that people made on a gallery's results in the app; with --json, export them all."""
    from similarity.gallery import open_gallery
    from similarity.storage.feedback import feedback_to_json, forget_all
    from similarity.storage.inventory import find_gallery

    if forget:
        directory = find_gallery(gallery)
        count = forget_all(directory)
        if as_json:
            terminal.print_json({"gallery": directory.name, "forgotten": count})
            return
        terminal.print_line(f"{count:,} marks of {directory.name} are forgotten.")
        return
    opened = open_gallery(gallery)
    entries = feedback_to_json(opened.directory, opened.items)
    if as_json:
        terminal.print_json({"gallery": opened.name, "marks": entries})
        return
    wanted = sum(entry["wanted"] for entry in entries)
    terminal.print_line(
        f"{opened.name} has {len(entries):,} marks: {wanted:,} more like this, {len(entries) - wanted:,} not like this."
    )
    if entries:
        rows = [
            (
                entry["when"],
                entry["title"],
                "more" if entry["wanted"] else "not",
                entry["path"] or f"{entry['item']} (gone)",
            )
            for entry in entries[-SHOWN:]
        ]
        terminal.print_table(("when", "query", "like this", "picture"), rows)

"""`feedback`: what people said of a gallery's results in the app."""

from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.sample import SAMPLE

SHOWN = 10


def feedback(
    gallery: GalleryName = SAMPLE,
    forget: Annotated[bool, typer.Option("--forget", help="Take all marks back, for good.")] = False,
    as_json: AsJson = False,
) -> None:
    """Show the marks on a gallery's results, more like this and not like this; with --json, export them all."""
    from similarity.gallery import open_gallery
    from similarity.storage.feedback import forget_all, tell_marks
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
    marks = tell_marks(opened.directory, opened.items)
    if as_json:
        terminal.print_json({"gallery": opened.name, "marks": marks})
        return
    wanted = sum(mark["wanted"] for mark in marks)
    terminal.print_line(
        f"{opened.name} has {len(marks):,} marks: {wanted:,} more like this, {len(marks) - wanted:,} not like this."
    )
    if marks:
        rows = [
            (mark["when"], mark["title"], "more" if mark["wanted"] else "not", mark["path"] or f"{mark['item']} (gone)")
            for mark in marks[-SHOWN:]
        ]
        terminal.print_table(("when", "query", "like this", "picture"), rows)

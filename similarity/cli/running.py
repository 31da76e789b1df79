"""Steps that several commands share: choosing a model, opening a gallery, and ending on Ctrl-C."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from similarity.cli import terminal
from similarity.cli.options import INTERRUPTED
from similarity.embedding.view_names import Quality
from similarity.errors import GalleryDamagedError
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from similarity.embedding.backbones.weights import ModelChoice
    from similarity.gallery import Gallery

ONE_VIEW = (
    "Only one view of pictures was measured for {}: in the best quality, pictures are only moved closer to neighbours."
)


def choose(model: str, weights: Path | None, quality: Quality = "standard") -> "ModelChoice":
    """A model with its published weights, downloaded if need be, or with fine-tuned ones; prints its note."""
    from similarity.embedding.backbones.tuned import choose_tuned
    from similarity.embedding.backbones.weights import choose_model

    if weights:
        choice = choose_tuned(weights, model)
    else:
        with terminal.downloading("Downloading weights") as downloaded:
            choice = choose_model(model, quality=quality, progress=downloaded)
    if choice.note:
        terminal.say_notes(choice.note.splitlines())
    if quality == "best" and not choice.backbone.averages_cells:
        terminal.say(ONE_VIEW.format(choice.backbone.title), as_="Note")
    return choice


def open_or_index(gallery: str) -> "Gallery":
    """Open a gallery; the sample is indexed first if it has not been. Prints a note if some of it is missing."""
    opened = _open_or_index(gallery)
    if opened.left_out:
        terminal.say(f"{opened.name} is not whole. {opened.left_out}", as_="Note")
    return opened


def _open_or_index(gallery: str) -> "Gallery":
    from similarity.gallery import open_gallery
    from similarity.sample import ensure_sample, has_sample, is_ready

    if gallery != SAMPLE or not has_sample():
        return open_gallery(gallery)
    try:
        if is_ready():
            return open_gallery(gallery)
    except GalleryDamagedError as error:
        terminal.say(f"{error} It is indexed again now.", as_="Note")
    terminal.say("The sample gallery is indexed first, once.")
    with terminal.indexing() as progress:
        ensure_sample(progress, anew=True)
    opened = open_gallery(SAMPLE)
    if opened.manifest.note:
        terminal.say_notes(opened.manifest.note.splitlines())
    return opened


@contextmanager
def interruptible(directory: Path | None = None, *, goes_on: bool = True) -> Iterator[None]:
    """Turn Ctrl-C into a sentence and an exit status.

    Args:
        directory: of the gallery that is changed, if only one is.
        goes_on: whether the same command resumes where it stopped.
    """
    from similarity.storage.current import live_number

    before = live_number(directory) if directory else None
    try:
        yield
    except KeyboardInterrupt:
        again = " Run the same command again to go on where it stopped." if goes_on else ""
        if directory and live_number(directory) != before:  # it came while the new state was opened
            terminal.say("Interrupted when all was done: the gallery is changed.")
        else:
            terminal.say(f"Interrupted: the gallery is as it was.{again}")
        raise typer.Exit(INTERRUPTED) from None

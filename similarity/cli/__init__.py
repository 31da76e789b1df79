"""The command line: parse, call the library, show. Its names and JSON keys are a contract."""

import logging
import os
import sys
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup

from similarity.cli import bench as bench_commands
from similarity.cli import (
    download,
    embed,
    evaluate,
    feedback,
    finetune,
    galleries,
    import_gallery,
    index,
    models,
    plan,
    search,
    terminal,
)
from similarity.errors import SimilarityError
from similarity.text import plain


class Commands(TyperGroup):
    """All commands. An error of ours ends any of them with one sentence and exit status 1, whoever runs them."""

    def invoke(self, ctx: Any) -> Any:
        """Run the command that was asked for."""
        try:
            return super().invoke(ctx)
        except SimilarityError as error:
            terminal.say(str(error), as_="Error", style="bold red")
            raise typer.Exit(1) from None


app = typer.Typer(
    name="similarity",
    cls=Commands,
    help="Show it a picture, see the most similar pictures of a gallery.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for command in (
    index.index,
    index.add,
    index.sync,
    index.watch,
    index.remove,
    index.rebuild,
    embed.embed,
    search.search,
    search.demo,
    galleries.info,
    galleries.verify,
    galleries.restore,
    galleries.duplicates,
    feedback.feedback,
    finetune.finetune,
    models.models,
    evaluate.evaluate,
    evaluate.compare,
    plan.plan,
    download.download,
):
    app.command()(command)
app.command("list")(galleries.list_galleries)
app.command("import")(import_gallery.import_gallery)
app.add_typer(bench_commands.app, name="bench")


def main() -> None:
    """Run the command line: exit status 0 done, 1 an error of ours in one sentence, 2 wrong usage, 130 interrupted.

    What the whole process needs is set here and nowhere else, so that `app` can be run any number of times in one.
    """
    plain.log(logging.ERROR)
    try:
        app()
    except BrokenPipeError:  # whoever read the output has had enough, as `head` has
        _end()
    except OSError as error:
        terminal.say(f"The output could not be written ({error.strerror or error}).", as_="Error", style="bold red")
        _end()


def _end() -> NoReturn:
    """Exit without a word about what is still to be written and cannot be."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)

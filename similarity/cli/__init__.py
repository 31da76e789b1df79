"""The command line: parse, call the library, show. Its names and JSON keys are a contract."""

import logging
import os
import sys

import typer

from similarity.bench import commands as bench_commands
from similarity.cli import (
    downloading,
    embedding,
    evaluating,
    feedback,
    finetuning,
    galleries,
    indexing,
    models,
    planning,
    searching,
    terminal,
)
from similarity.errors import SimilarityError

app = typer.Typer(
    name="similarity",
    help="Show it a picture, see the most similar pictures of a gallery.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)

for command in (
    indexing.index,
    indexing.add,
    indexing.sync,
    indexing.watch,
    indexing.remove,
    indexing.rebuild,
    embedding.embed,
    searching.search,
    searching.demo,
    galleries.info,
    galleries.verify,
    galleries.restore,
    galleries.duplicates,
    feedback.feedback,
    finetuning.finetune,
    models.models,
    evaluating.evaluate,
    evaluating.compare,
    planning.plan,
    downloading.download,
):
    app.command()(command)
app.command("list")(galleries.list_galleries)
app.add_typer(bench_commands.app, name="bench")


def main() -> None:
    """Run the command line: exit status 0 done, 1 an error of ours in one sentence, 2 wrong usage, 130 interrupted."""
    logging.basicConfig(level=logging.ERROR)
    try:
        app()
    except SimilarityError as error:
        terminal.say(str(error), as_="Error", style="bold red")
        sys.exit(1)
    except BrokenPipeError:  # whoever read the output has had enough, as `head` has
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)
    except OSError as error:
        terminal.say(f"The output could not be written ({error.strerror or error}).", as_="Error", style="bold red")
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        sys.exit(1)

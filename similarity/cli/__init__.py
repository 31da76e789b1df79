"""The command line: parse, call the library, show. Its names and JSON keys are a contract."""

import logging
import os
import sys
from collections import UserDict
from importlib import import_module
from typing import Any, NoReturn

import typer
from typer.core import TyperGroup
from typer.main import get_command_from_info, get_group
from typer.models import CommandInfo

from similarity.cli import terminal
from similarity.errors import SimilarityError
from similarity.text import plain

# Each command, in the order of `--help`, with the function that it runs; `bench` has commands of its own.
COMMANDS = {
    "index": "index:index",
    "add": "index:add",
    "sync": "index:sync",
    "watch": "index:watch",
    "remove": "index:remove",
    "rebuild": "index:rebuild",
    "embed": "embed:embed",
    "search": "search:search",
    "demo": "search:demo",
    "info": "galleries:info",
    "verify": "galleries:verify",
    "restore": "galleries:restore",
    "duplicates": "galleries:duplicates",
    "feedback": "feedback:feedback",
    "finetune": "finetune:finetune",
    "models": "models:models",
    "evaluate": "evaluate:evaluate",
    "compare": "evaluate:compare",
    "plan": "plan:plan",
    "download": "download:download",
    "list": "galleries:list_galleries",
    "import": "import_gallery:import_gallery",
    "bench": "bench:app",
}


class LoadedCommands(UserDict[str, Any]):
    """Commands by name, each loaded when it is looked up: to run one is not to import all."""

    def __getitem__(self, name: str) -> Any:
        """Return a command, loaded now if it has not been."""
        if isinstance(self.data[name], str):
            self.data[name] = _load(name, self.data[name])
        return self.data[name]


def _load(name: str, place: str) -> Any:
    """Import a command from `module:function`."""
    module, _, function = place.partition(":")
    callback = getattr(import_module(f"{__name__}.{module}"), function)
    if isinstance(callback, typer.Typer):
        group = get_group(callback)
        group.name = name
        return group
    info = CommandInfo(name, callback=callback)
    return get_command_from_info(info, pretty_exceptions_short=False, rich_markup_mode=app.rich_markup_mode)


class Commands(TyperGroup):
    """All commands. An error of ours ends any of them with one sentence and exit status 1, whoever runs them."""

    def __init__(self, **settings: Any) -> None:
        """Take the settings of the app; the commands are those above."""
        super().__init__(**settings)
        self.commands = LoadedCommands(COMMANDS)

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


@app.callback()
def start() -> None:
    """Begin any command; with this function the app is a group although its commands are registered nowhere else."""


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

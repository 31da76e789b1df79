"""The command line: parses arguments, calls the library, prints. Its names and JSON keys are a contract."""

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

from similarity.cli import streams, terminal
from similarity.cli.interrupts import Interrupts
from similarity.errors import SimilarityError
from similarity.text import plain

# Idle threads of matrix products sleep after 2^20 cycles, a fraction of a millisecond, instead of 2^26. A search takes
# a quarter less processor time so, and products take no longer. NumPy reads it when it is imported.
NO_SPINNING = ("OPENBLAS_THREAD_TIMEOUT", "20")
# Each command, in the order of `--help`, with the function that it runs; `bench` has commands of its own.
COMMANDS = {
    "index": "index:index",
    "add": "index:add",
    "sync": "index:sync",
    "watch": "watch:watch",
    "remove": "index:remove",
    "relocate": "relocate:relocate",
    "rebuild": "index:rebuild",
    "rebalance": "rebalance:rebalance",
    "embed": "embed:embed",
    "search": "search:search",
    "demo": "search:demo",
    "info": "galleries:info",
    "verify": "galleries:verify",
    "restore": "galleries:restore",
    "duplicates": "duplicates:duplicates",
    "labels": "labels:app",
    "feedback": "feedback:feedback",
    "finetune": "finetune:finetune",
    "models": "models:models",
    "evaluate": "evaluate:evaluate",
    "compare": "evaluate:compare",
    "plan": "plan:plan",
    "download": "download:download",
    "list": "galleries:list_galleries",
    "doctor": "doctor:doctor",
    "import": "import_gallery:import_gallery",
    "export": "export:export",
    "app": "open_app:open_app",
    "serve": "serve:serve",
    "key": "key:app",
    "mcp": "mcp:mcp",
    "bench": "bench:app",
}


class LoadedCommands(UserDict[str, Any]):
    """Commands by name, each imported when it is looked up, so that running one does not import all."""

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
    """The group of all commands; our own errors end a command with one sentence and exit status 1."""

    def __init__(self, **settings: Any) -> None:
        """Take the settings of the app; the commands are those above."""
        super().__init__(**settings)
        self.commands = LoadedCommands(COMMANDS)

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            return super().invoke(ctx)
        except SimilarityError as error:
            if isinstance(ctx.obj, Interrupts) and ctx.obj.came:  # a gallery is not damaged because of Ctrl-C
                raise KeyboardInterrupt from error
            terminal.say(str(error), as_="Error", style="bold red")
            raise typer.Exit(1) from None


app = typer.Typer(
    name="similarity",
    cls=Commands,
    help="Search by image: find the pictures of a gallery that look most like yours.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)


@app.callback()
def start() -> None:
    """Run before each command; this callback makes the app a group, although no command is registered with it."""


def main() -> None:
    """Run the command line: exit status 0 for success, 1 for our own errors, 2 for wrong usage, 130 if interrupted.

    Settings of the whole process are made only here, so that `app` can be run repeatedly in one process.
    """
    os.environ.setdefault(*NO_SPINNING)
    interrupts = Interrupts()
    try:
        interrupts.watch()
        _run(interrupts)
    except KeyboardInterrupt:  # before a command has begun, or after it has ended
        sys.exit(130)
    except Exception:
        if not interrupts.came:
            raise
        sys.exit(130)


def _run(interrupts: Interrupts) -> None:
    try:
        streams.prepare_streams()
        plain.log(logging.ERROR)
        if note := streams.misread_names():
            terminal.say(note, as_="Note")
        app(obj=interrupts)
    except BrokenPipeError:  # the reader of the output has closed it, as `head` does
        _end()
    except OSError as error:
        if interrupts.came:
            raise
        terminal.say(_explain(error), as_="Error", style="bold red")
        _end()


def _explain(error: OSError) -> str:
    """An error of the system as a sentence: one that names no file is about standard output."""
    reason = error.strerror or error
    if error.filename is None:
        return f"The output could not be written ({reason})."
    return f"{os.fsdecode(error.filename)} cannot be used ({reason})."


def _end() -> NoReturn:
    """Exit without an error about buffered output that cannot be written any more."""
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    sys.exit(1)

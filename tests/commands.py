"""The command line in this process: as a person would see it, without the second that a process of its own takes.

What belongs to a process (its streams, signals, exit, imports) is tested in one: see the fixture `run_process`.
"""

import subprocess
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any

from typer.testing import CliRunner

from similarity.cli import app

Done = subprocess.CompletedProcess[str]
Run = Callable[..., Done]


def run_command(*arguments: object, environment: Mapping[str, str] | None = None) -> Done:
    """Run `python -m similarity ARGUMENTS` here; an error that is not told in a sentence is raised."""
    words = list(map(str, arguments))
    result = CliRunner().invoke(app, words, env=environment, prog_name="similarity")
    if result.exception and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Done(words, result.exit_code, result.stdout, result.stderr)


@contextmanager
def started(command: Sequence[str], **options: Any) -> Iterator["subprocess.Popen[str]"]:
    """A process of which nothing is left when the block ends, however that ends; options as Popen's."""
    with subprocess.Popen(command, text=True, **options) as process:
        try:
            yield process
        finally:
            process.kill()

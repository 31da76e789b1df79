"""Output of the command line: results on standard output, remarks and progress on standard error.

Rich is imported where something is drawn, and so is the text of a stage: an answer in JSON does without them.
"""

import json
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from similarity.text.plain import one_line

if TYPE_CHECKING:
    from rich.progress import Progress, ProgressColumn, TextColumn

    from similarity.finetuning.epochs import Epoch, OnEpoch
    from similarity.progress import OnProgress
    from similarity.progress import Progress as IndexingProgress
    from similarity.sources import Skipped

SHOWN_SKIPPED = 20
MEGABYTE = 1_000_000
RIGHT_ALIGNED = {"rank", "score", "likely", "count"}

# Called with how much is done and how much there is in all.
Advance = Callable[[int, int], None]


def print_json(value: dict[str, Any]) -> None:
    """One JSON object on standard output."""
    print_line(json.dumps(value))


def print_line(text: str) -> None:
    """One line on standard output, never broken, in which nothing is a command to the terminal."""
    sys.stdout.write(f"{one_line(text)}\n")
    sys.stdout.flush()


def print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """A table on standard output; in a pipe it is as wide as it needs, so that no line is broken."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=any(columns), header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in RIGHT_ALIGNED else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell), overflow="fold") for cell in row))
    Console(highlight=False, width=None if sys.stdout.isatty() else 1000).print(table)
    sys.stdout.flush()


def say(text: str, *, as_: str = "", style: str = "yellow") -> None:
    """One line on standard error, with a coloured word before it if `as_` gives one, such as Error or Note."""
    from rich.console import Console
    from rich.text import Text

    word = ((f"{as_}:", style), " ") if as_ else ()
    Console(stderr=True, highlight=False).print(Text.assemble(*word, one_line(text)), soft_wrap=True)


def say_skipped(skipped: "Sequence[Skipped]", *, all_in: str = "info --json") -> None:
    """The files that could not be used, each by name; of very many, the first, and what to run to see all."""
    for one in skipped[:SHOWN_SKIPPED]:
        say(f"{one.path}: {one.reason}", as_="Skipped")
    if len(skipped) > SHOWN_SKIPPED:
        say(f"... and {len(skipped) - SHOWN_SKIPPED} more; `{all_in}` lists them all.")


@contextmanager
def counting(text: str) -> Iterator[Advance]:
    """A bar of things done; gives the callback that moves it."""
    from rich.progress import MofNCompleteColumn

    with _bar(MofNCompleteColumn()) as bar:
        task = bar.add_task(one_line(text), total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


@contextmanager
def indexing() -> "Iterator[OnProgress]":
    """Show the current step and, once pictures are counted, a bar with their rate; gives the callback for it."""
    from rich.progress import MofNCompleteColumn

    with _bar(MofNCompleteColumn(), _text("{task.fields[rate]}")) as bar:
        task = bar.add_task("", total=None, visible=False, rate="")

        def show(progress: "IndexingProgress") -> None:
            scale, unit = (MEGABYTE, " MB") if progress.unit == "bytes" else (1, "")
            rate = f"{progress.images_per_second / scale:.0f}{unit} a second" if progress.seconds else ""
            done, total = progress.done // scale, -(-progress.total // scale) or None
            task_name = one_line(progress.task)
            bar.update(task, description=task_name, completed=done, total=total, rate=rate, visible=True)

        yield show


@contextmanager
def training() -> "Iterator[OnEpoch]":
    """A bar of epochs with the loss and what is found of what is held out; gives the callback to tell them."""
    from rich.progress import MofNCompleteColumn

    from similarity.finetuning.epochs import STAGES

    with _bar(MofNCompleteColumn(), _text("{task.fields[metrics]}")) as bar:
        task = bar.add_task("Starting", total=None, metrics="")

        def show(epoch: "Epoch") -> None:
            metrics = f"loss {epoch.loss:.3f}"
            if epoch.recall is not None:
                metrics += f", recall@1 {epoch.recall:.3f} of what is held out"
            text = STAGES[epoch.stage]
            bar.update(task, description=text, completed=epoch.number, total=epoch.of, metrics=metrics)

        yield show


@contextmanager
def tuning() -> "Iterator[tuple[OnEpoch, OnProgress]]":
    """As `indexing`, for training that takes long within an epoch; each epoch leaves a line."""
    with indexing() as progress:

        def show(epoch: "Epoch") -> None:
            recall = "" if epoch.recall is None else f", recall@1 {epoch.recall:.3f} of what is held out"
            say(f"Epoch {epoch.number} of {epoch.of}: loss {epoch.loss:.3f}{recall}")

        yield show, progress


@contextmanager
def downloading(text: str) -> Iterator[Advance]:
    """A bar of bytes; gives the callback that moves it. It is drawn once the first have come."""
    from rich.progress import DownloadColumn

    with _bar(DownloadColumn()) as bar:
        task = bar.add_task(one_line(text), total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total or None, visible=True)


def _text(what: str) -> "TextColumn":
    """A column that shows words as they are."""
    from rich.progress import TextColumn

    return TextColumn(what, markup=False)


def _bar(*amounts: "ProgressColumn") -> "Progress":
    """A bar that is drawn for people only, and gone when it is done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress, TimeRemainingColumn

    console = Console(stderr=True)
    columns = (_text("{task.description}"), BarColumn(), *amounts, TimeRemainingColumn())
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)

"""Output of the command line: results on standard output, remarks and progress on standard error.

Rich, and the text of a stage, are imported only where something is drawn: JSON output does not need them.
"""

import json
import shlex
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from datetime import timedelta
from typing import TYPE_CHECKING, Any

from similarity.text.plain import one_line

if TYPE_CHECKING:
    from pathlib import Path

    from rich.progress import Progress, ProgressColumn, TextColumn

    from similarity.finetuning.epochs import Epoch, OnEpoch
    from similarity.progress import OnProgress
    from similarity.progress import Progress as IndexingProgress
    from similarity.sources import Skipped

SHOWN_SKIPPED = 20
MEGABYTE = 1_000_000
RIGHT_ALIGNED = {"rank", "score", "likely", "count"}

# Called with the amount done, and the total.
Advance = Callable[[int, int], None]


def print_json(value: dict[str, Any]) -> None:
    """Print one JSON object on standard output."""
    print_line(json.dumps(value))


def print_line(text: str) -> None:
    """Print one line on standard output, without wrapping, and without control characters."""
    sys.stdout.write(f"{one_line(text)}\n")
    sys.stdout.flush()


def print_table(columns: tuple[str, ...], rows: Sequence[tuple[str, ...]]) -> None:
    """Print a table on standard output; in a pipe it is not wrapped."""
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, show_header=any(columns), header_style="bold")
    for column in columns:
        table.add_column(column, justify="right" if column in RIGHT_ALIGNED else "left", overflow="fold")
    for row in rows:
        table.add_row(*(Text(one_line(cell), overflow="fold") for cell in row))
    if sys.stdout.isatty():
        Console(highlight=False).print(table)
    else:
        plain = Console(highlight=False, width=1000)
        with plain.capture() as captured:
            plain.print(table)
        # Without the spaces that pad the last column.
        sys.stdout.writelines(f"{line.rstrip()}\n" for line in captured.get().splitlines())
    sys.stdout.flush()


def say(text: str, *, as_: str = "", style: str = "yellow") -> None:
    """Print one line on standard error, after a coloured word such as Error or Note if `as_` is given."""
    from rich.console import Console
    from rich.text import Text

    word = ((f"{as_}:", style), " ") if as_ else ()
    Console(stderr=True, highlight=False).print(Text.assemble(*word, one_line(text)), soft_wrap=True)


def say_notes(notes: Sequence[str]) -> None:
    """Print remarks on a source, a line each."""
    for note in notes:
        say(note, as_="Note")


def say_skipped(skipped: "Sequence[Skipped]", *, all_in: str = "info --json") -> None:
    """Print skipped files by name; if there are many, only the first, and the command that lists all.

    Files of kinds that are not read take one line for each kind.
    """
    from similarity.sources.unread import lines_by_kind, without_unread

    by_name = without_unread(skipped)
    for file in by_name[:SHOWN_SKIPPED]:
        say(f"{file.path}: {file.reason}", as_="Skipped")
    if len(by_name) > SHOWN_SKIPPED:
        say(f"... and {len(by_name) - SHOWN_SKIPPED} more; `{all_in}` lists them all.")
    for line in lines_by_kind(skipped):
        say(line, as_="Skipped")


def say_passed_over(counts: Mapping[str, int]) -> None:
    """Print how many files were left out unread, and why."""
    if counts:
        reasons = ", ".join(f"{count:,} {reason}" for reason, count in counts.items())
        say(f"{sum(counts.values()):,} files were left out unread: {reasons}.", as_="Note")


def say_gone(places: "Sequence[str]", gallery: str, pictures: str = "results") -> None:
    """Print the commands for files that are gone: how to follow them to another place, and how to forget them.

    Args:
        places: paths of files, or of folders and zips of them.
        gallery: name of the gallery, as it was given.
        pictures: what there are to be had more of than one.
    """
    if places:
        quoted, at = shlex.quote(places[0]), f"--gallery {shlex.quote(gallery)}"
        files = f"The files of {len(places):,} {pictures} are gone" if len(places) > 1 else f"{places[0]} is gone"
        say(
            f"{files}. If they have moved, run `python -m similarity sync NEWPLACE {at}`, or `python -m similarity "
            f"relocate OLD NEW {at}` if they are not on this computer now. To forget them, run "
            f"`python -m similarity remove {at} --path {quoted}`.",
            as_="Note",
        )


def say_replaced(count: int, directory: "Path", source: str) -> None:
    """Print how many pictures left a gallery because it was indexed anew, and the commands that keep them."""
    from similarity.paths import galleries_folder

    name = directory.name
    at = f"--gallery {shlex.quote(name if directory.parent == galleries_folder() else str(directory))}"
    pictures = "1 picture" if count == 1 else f"{count:,} pictures"
    undo, keep = (f"`python -m similarity {command} {at}`" for command in ("restore", f"add {shlex.quote(source)}"))
    say(
        f"{pictures} left {name}, since `index` replaces a gallery. To undo that, run {undo}; {keep} then adds what "
        "was indexed now, and keeps the others.",
        as_="Note",
    )


@contextmanager
def counting(text: str) -> Iterator[Advance]:
    """Show a progress bar; yields the callback that moves it."""
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn

    with _bar(MofNCompleteColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task(one_line(text), total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total, visible=True)


@contextmanager
def indexing() -> "Iterator[OnProgress]":
    """Show the current step and, once pictures are counted, a bar with their rate; yields the callback for it.

    The time left is our own: Rich counts what comes before the first picture, too.
    """
    with _bar(_text("{task.fields[count]}"), _text("{task.fields[rate]}"), _text("{task.fields[left]}")) as bar:
        task = bar.add_task("", total=None, visible=False, count="", rate="", left="")

        def show(progress: "IndexingProgress") -> None:
            scale, unit = (MEGABYTE, " MB") if progress.unit == "bytes" else (1, "")
            rate = f"{progress.images_per_second / scale:.0f}{unit} a second" if progress.seconds else ""
            done, total = progress.done // scale, -(-progress.total // scale) or None
            bar.update(
                task,
                description=one_line(progress.task),
                completed=done,
                total=total,
                visible=True,
                count=f"{done}/{total}" if total else "",
                rate=rate,
                left=f"{timedelta(seconds=round(progress.seconds_left))} left" if progress.is_steady else "",
            )

        yield show


@contextmanager
def training() -> "Iterator[OnEpoch]":
    """Show a bar of epochs with loss and held-out recall; yields the callback for them."""
    from rich.progress import MofNCompleteColumn, TimeRemainingColumn

    from similarity.finetuning.epochs import STAGES

    with _bar(MofNCompleteColumn(), _text("{task.fields[metrics]}"), TimeRemainingColumn()) as bar:
        task = bar.add_task("Starting", total=None, metrics="")

        def show(epoch: "Epoch") -> None:
            metrics = f"loss {epoch.loss:.3f}"
            if epoch.recall is not None:
                metrics += f", held-out recall@1 {epoch.recall:.3f}"
            text = STAGES[epoch.stage]
            bar.update(task, description=text, completed=epoch.number, total=epoch.of, metrics=metrics)

        yield show


@contextmanager
def tuning() -> "Iterator[tuple[OnEpoch, OnProgress]]":
    """Show progress within epochs like `indexing`, and print a line after each epoch; yields both callbacks."""
    with indexing() as progress:

        def show(epoch: "Epoch") -> None:
            recall = "" if epoch.recall is None else f", held-out recall@1 {epoch.recall:.3f}"
            say(f"Epoch {epoch.number} of {epoch.of}: loss {epoch.loss:.3f}{recall}")

        yield show, progress


@contextmanager
def downloading(text: str) -> Iterator[Advance]:
    """Show a bar of bytes, once the first have arrived; yields the callback that moves it."""
    from rich.progress import DownloadColumn, TimeRemainingColumn

    with _bar(DownloadColumn(), TimeRemainingColumn()) as bar:
        task = bar.add_task(one_line(text), total=None, visible=False)
        yield lambda done, total: bar.update(task, completed=done, total=total or None, visible=True)


def _text(template: str) -> "TextColumn":
    """Return a column of text without markup."""
    from rich.progress import TextColumn

    return TextColumn(template, markup=False)


def _bar(*amounts: "ProgressColumn") -> "Progress":
    """Return a bar that is only drawn in a terminal, and removed when it is done."""
    from rich.console import Console
    from rich.progress import BarColumn, Progress

    console = Console(stderr=True)
    columns = (_text("{task.description}"), BarColumn(), *amounts)
    return Progress(*columns, console=console, transient=True, disable=not console.is_terminal)

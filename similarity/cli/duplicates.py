"""`duplicates`: groups of copies, which file of each to keep, and lists of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import open_or_index
from similarity.query.thresholds import THRESHOLD
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from similarity.query.near_duplicates import Group
    from similarity.sources import Item

# Of each group, with the file to keep.
Kept = list[tuple["Group", "Item"]]


def duplicates(
    gallery: GalleryName = SAMPLE,
    threshold: Annotated[
        float, typer.Option(help="Pictures with at least this cosine similarity are near duplicates.")
    ] = THRESHOLD,
    keep: Annotated[
        str | None,
        typer.Option(
            metavar="largest|oldest|FOLDER",
            help="Which picture of each group to keep: largest (by pixels; the default), oldest (by the camera's date, "
            "or else the file's time), or those in a folder first.",
        ),
    ] = None,
    csv: Annotated[
        Path | None, typer.Option(help="Also write all groups to this CSV file, with a column that says which to keep.")
    ] = None,
    others: Annotated[
        Path | None,
        typer.Option(
            "--list", help="Also write the paths of the others, which are not kept, to this file, one a line."
        ),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """List groups of exact copies, and of pictures that look nearly the same; nothing is ever deleted from a disk.

    All pictures of a group look nearly the same as all others of it. --keep, --csv and --list only say which to keep,
    and which not: what becomes of the files is up to you.
    """
    from similarity.query.keeping import LARGEST, choose_rule

    opened = open_or_index(gallery)
    choose = choose_rule(keep or LARGEST, opened.items)
    with terminal.indexing() as progress:
        groups = opened.duplicates(threshold, progress=progress)
    kept = [(group, choose(group.files)) for group in groups]
    _write(kept, csv, others)
    if as_json:
        terminal.print_json(
            {"gallery": opened.name, "threshold": threshold, "groups": [_as_json(*pair) for pair in kept]}
        )
    elif kept:
        _show(kept, with_kept=keep is not None)
    else:
        terminal.print_line(f"{opened.name} has no exact copies, and no two pictures with a similarity of {threshold}.")


def _write(kept: Kept, csv: Path | None, others: Path | None) -> None:
    """Write the lists that were asked for."""
    from similarity.exports.duplicates import write_groups, write_others

    if csv:
        write_groups(csv, ((_kind(group), group.score, group.files, keep) for group, keep in kept))
        terminal.say(f"Groups written to {csv}")
    if others:
        left_out = write_others(others, ((group.files, keep) for group, keep in kept))
        terminal.say(f"Paths of the others written to {others}; nothing was deleted.")
        if left_out:
            files = "1 file is" if left_out == 1 else f"{left_out:,} files are"
            terminal.say(
                f"{files} not in it: a path with a line break would read as two, or it leads to a file to keep.",
                as_="Note",
            )


def _show(kept: Kept, *, with_kept: bool) -> None:
    """Print a table with a row for each file, and a column of which to keep if that was asked for."""
    rows = [
        (str(number), _kind(group), f"{group.score:.3f}", *(("yes" if file == keep else "",) * with_kept), file.path)
        for number, (group, keep) in enumerate(kept, start=1)
        for file in group.files
    ]
    terminal.print_table(("group", "kind", "score", *(("keep",) * with_kept), "path"), rows)


def _as_json(group: "Group", keep: "Item") -> dict[str, Any]:
    return {
        "kind": _kind(group),
        "score": round(group.score, 4),
        "files": list(map(_file, group.files)),
        "keep": _file(keep),
    }


def _file(file: "Item") -> dict[str, Any]:
    return {"id": file.id, "path": file.path, "label": file.label}


def _kind(group: "Group") -> str:
    return "exact" if group.is_exact else "near"

"""`duplicates`: groups of copies, which file of each to keep, and lists of them."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import open_or_index
from similarity.query import copy_facts
from similarity.query.presets import EXACT, LOOK_ALIKES, PRESETS, SAME, Preset
from similarity.query.thresholds import THRESHOLD
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from similarity.query.near_duplicates import Group
    from similarity.sources import Item

# Of each group, with the file to keep.
Kept = list[tuple["Group", "Item"]]


def duplicates(
    gallery: GalleryName = SAMPLE,
    preset: Annotated[
        str,
        typer.Option(
            metavar="|".join(PRESETS),
            help="What counts: exact, files with the same bytes; same, also copies of one picture that are turned, "
            "mirrored, cropped, resized or saved again; look-alikes, pictures that look nearly the same.",
        ),
    ] = LOOK_ALIKES,
    threshold: Annotated[
        float | None,
        typer.Option(help=f"Pictures with at least this cosine similarity are look-alikes ({THRESHOLD} if not given)."),
    ] = None,
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

    All look-alikes of a group look nearly the same as all others of it, and all copies of one picture are proven to
    show the same as the first of them. --keep, --csv and --list only say which to keep, and which not: what becomes of
    the files is up to you.
    """
    from similarity.query.keeping import LARGEST, choose_rule

    chosen, lowest = _check_preset(preset, threshold), THRESHOLD if threshold is None else threshold
    opened = open_or_index(gallery)
    choose = choose_rule(keep or LARGEST, opened.items)
    with terminal.indexing() as progress:
        groups = opened.duplicates(lowest, preset=chosen, progress=progress)
    kept = [(group, choose(group.files)) for group in groups]
    _write(kept, csv, others)
    if as_json:
        facts = {"gallery": opened.name, "preset": chosen, "threshold": lowest if chosen == LOOK_ALIKES else None}
        terminal.print_json(facts | {"groups": [_as_json(*pair) for pair in kept]})
    elif kept:
        _show(kept, with_kept=keep is not None, with_copies=chosen == SAME)
    else:
        none = {
            EXACT: "no exact copies",
            SAME: "no copies of one picture",
            LOOK_ALIKES: f"no exact copies, and no two pictures with a similarity of {lowest}",
        }
        terminal.print_line(f"{opened.name} has {none[chosen]}.")


def _check_preset(preset: str, threshold: float | None) -> Preset:
    """Return the preset of this name; raises BadParameter for another, and for a threshold that it would not use."""
    chosen = next((known for known in PRESETS if known == preset), None)
    if chosen is None:
        raise typer.BadParameter(f"{preset!r} is not one of {', '.join(PRESETS)}", param_hint="--preset")
    if threshold is not None and chosen != LOOK_ALIKES:
        raise typer.BadParameter(f"only {LOOK_ALIKES} have one, not {chosen}", param_hint="--threshold")
    return chosen


def _write(kept: Kept, csv: Path | None, others: Path | None) -> None:
    """Write the lists that were asked for."""
    from similarity.exports.duplicates import write_groups, write_others

    if csv:
        groups = ((group.kind, group.score, _with_changes(group), keep) for group, keep in kept)
        write_groups(csv, groups)
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


def _show(kept: Kept, *, with_kept: bool, with_copies: bool) -> None:
    """Print a table with a row for each file, with columns of which to keep, and of what was done to it, if wanted."""
    rows = [
        (
            *(str(number), group.kind, f"{group.score:.3f}"),
            *(("yes" if file == keep else "",) * with_kept),
            *((change,) * with_copies),
            file.path,
        )
        for number, (group, keep) in enumerate(kept, start=1)
        for file, change in _with_changes(group)
    ]
    columns = ("group", "kind", "score", *(("keep",) * with_kept), *(("copy",) * with_copies), "path")
    terminal.print_table(columns, rows)


def _as_json(group: "Group", keep: "Item") -> dict[str, Any]:
    return {
        "kind": group.kind,
        "score": round(group.score, 4),
        "files": [
            _file(file) | {"copy": copy_facts.to_json(copy)}
            for file, copy in zip(group.files, group.copies, strict=True)
        ],
        "keep": _file(keep),
    }


def _with_changes(group: "Group") -> list[tuple["Item", str]]:
    """Each file with what was done to it, seen from the first."""
    return [(file, copy_facts.describe(copy)) for file, copy in zip(group.files, group.copies, strict=True)]


def _file(file: "Item") -> dict[str, Any]:
    return {"id": file.id, "path": file.path, "label": file.label}

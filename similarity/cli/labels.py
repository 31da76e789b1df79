"""`labels`: conflicts between labels, and labels that the owner of a gallery gives in place of those of its source."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.query.thresholds import SAME_TO_THE_EYE
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from similarity.evaluation.label_conflicts import Conflict
    from similarity.sources import Item

app = typer.Typer(no_args_is_help=True, add_completion=False)


@app.callback()
def labels() -> None:
    """Find pictures whose label may be wrong, and change labels."""


@app.command()
def conflicts(
    gallery: GalleryName = SAMPLE,
    threshold: Annotated[
        float, typer.Option(help="Two pictures with at least this cosine similarity look nearly the same.")
    ] = SAME_TO_THE_EYE,
    csv: Annotated[Path | None, typer.Option(help="Also write all conflicts to this CSV file.")] = None,
    as_json: AsJson = False,
) -> None:
    """List pictures whose labels may be wrong, worst first.

    These are exact copies under different labels, pictures that look nearly the same under different labels, and
    pictures whose neighbours nearly all have another label. Pictures whose labels were set or confirmed are left out.
    """
    from similarity.cli.running import open_or_index
    from similarity.evaluation.label_conflicts import files_in, find_label_conflicts
    from similarity.evaluation.label_lists import conflicts_to_csv
    from similarity.exports.tables import write_table

    opened = open_or_index(gallery)
    with terminal.indexing() as progress:
        found = find_label_conflicts(opened, threshold, progress=progress)
    if csv:
        write_table(csv, conflicts_to_csv(opened, found))
        terminal.say(f"Conflicts written to {csv}")
    listed = [(one, files_in(opened, one)) for one in found]
    if as_json:
        terminal.print_json({"gallery": opened.name, "conflicts": [_as_json(*pair) for pair in listed]})
    elif listed:
        rows = [
            (str(number), one.kind, f"{one.score:.3f}", ", ".join(labels), one.suggested, file.path)
            for number, (one, files) in enumerate(listed, start=1)
            for file, labels in files
        ]
        terminal.print_table(("conflict", "kind", "score", "label", "suggested", "path"), rows)
    else:
        terminal.print_line(f"No labels of {opened.name} are in conflict.")


@app.command(name="set")
def set_labels(
    gallery: GalleryName,
    ids: Annotated[list[str] | None, typer.Option("--id", help="A picture's id; may be repeated.")] = None,
    paths: Annotated[
        list[str] | None, typer.Option("--path", help="A picture's path, or that of a folder; may be repeated.")
    ] = None,
    label: Annotated[str | None, typer.Option(help="The label that they have from now on.")] = None,
    reset: Annotated[bool, typer.Option("--reset", help="Go back to the labels of their source instead.")] = False,
    as_json: AsJson = False,
) -> None:
    """Give pictures a label, which counts from then on whatever their source says, also after `sync` and `add`.

    All exact copies of a picture have the label, too. The label that a picture has already is confirmed. `restore`
    undoes it.
    """
    from similarity.cli.running import interruptible
    from similarity.gallery import open_gallery
    from similarity.indexing.relabelling import find_files
    from similarity.paths import full_path
    from similarity.sources.base import files_of

    if (label is None) != reset:
        raise typer.BadParameter("Give the label with --label, or --reset to go back to those of the source.")
    if not (ids or paths):
        raise typer.BadParameter("Name the pictures with --id or --path.")
    opened = open_gallery(gallery)
    places = [path if "://" in path else str(full_path(path)) for path in paths or ()]
    files = find_files(opened.items, ids or (), places)
    with interruptible(opened.directory, goes_on=False):
        changed = opened.relabel({file.sha256: None if reset else label for file in files})
    count = changed.report.relabelled if changed.report else 0
    if as_json:
        contents = {file.sha256 for file in files}
        copies = sum(file.sha256 in contents for file in files_of(opened.items)) - len(files)
        counts = {"named_files": len(files), "further_copies": copies, "relabelled_files": count}
        terminal.print_json({"gallery": changed.name, **counts})
        return
    same = "" if count else " None had another one." if reset else " They had it before, and keep it."
    terminal.print_line(f"{count:,} file{'s have' if count != 1 else ' has'} another label in {changed.name}.{same}")


@app.command()
def export(
    gallery: GalleryName,
    csv: Annotated[Path, typer.Option(help="The CSV file to write: path, id, old and new label of each file.")],
    as_json: AsJson = False,
) -> None:
    """Write all labels that were changed to a CSV file, for the owner of the pictures."""
    from similarity.evaluation.label_lists import changed_labels, changes_to_csv
    from similarity.exports.tables import write_table
    from similarity.gallery import open_gallery

    opened = open_gallery(gallery)
    changes = changed_labels(opened)
    write_table(csv, changes_to_csv(changes))
    if as_json:
        terminal.print_json({"gallery": opened.name, "changed": len(changes), "csv": str(csv)})
        return
    terminal.print_line(f"{len(changes):,} changed label{'s' if len(changes) != 1 else ''} written to {csv}.")


def _as_json(conflict: "Conflict", files: "list[tuple[Item, list[str]]]") -> dict[str, Any]:
    return {
        "kind": conflict.kind,
        "score": round(conflict.score, 4),
        "suggested": conflict.suggested,
        "share": round(conflict.share, 4),
        "pictures": [{"id": file.id, "path": file.path, "labels": labels} for file, labels in files],
    }

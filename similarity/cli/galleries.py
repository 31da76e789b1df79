"""`info`, `list`, `verify` and `restore`: facts about galleries, and checks."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import open_or_index
from similarity.errors import GalleryError
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from similarity.gallery import Gallery

# Measured with `bench embedding --precision int8` and on 341 clothing photographs; see the README.
INT8_FACTS = (
    "int8 embeds 1.4 to 1.8 times as many pictures a second as bf16; scores differ from bf16's (a picture's two "
    "embeddings have a cosine of 0.88 or more), and as many first results were of the right kind."
)


def info(
    gallery: GalleryName = SAMPLE,
    csv: Annotated[
        Path | None, typer.Option(help="Also write skipped files and exact copies to this CSV file.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show facts about a gallery, the changes of its last run, and skipped files."""
    opened = open_or_index(gallery)
    if csv:
        from similarity.exports.results import write_csv

        write_csv(csv, opened.items, opened.manifest.skipped)
        terminal.say(f"Report written to {csv}")
    manifest = asdict(opened.manifest)
    size = sum(file["size"] for file in manifest.pop("files").values())
    facts = {"gallery": opened.name, "directory": str(opened.directory)} | manifest
    facts |= {"bytes": size, "drift": opened.drift}
    if as_json:
        terminal.print_json(facts)
        return
    _show(opened, facts, gallery)


def _show(gallery: "Gallery", facts: dict[str, Any], name: str) -> None:
    """Print facts and report as a table, and the names of skipped files."""
    manifest = gallery.manifest
    facts["skipped"] = len(manifest.skipped)
    facts["preprocessing"] = ", ".join(f"{key} {value}" for key, value in manifest.preprocessing.items())
    if reached := manifest.search.get("recall@10"):
        facts["search"] = ", ".join(f"{level} finds {share:.1%}" for level, share in reached.items())
        facts["search"] += " of the ten nearest pictures (measured)"
    else:
        facts["search"] = "exact"
    facts["store"] = manifest.store.title
    changes = (f"{key} {value}" for key, value in manifest.last_run.counts.items() if value)
    facts["last_run"] = ", ".join((manifest.last_run.task, *changes))
    terminal.print_table(("", ""), [(key, str(value)) for key, value in facts.items() if value not in ("", None)])
    if manifest.precision == "int8":
        terminal.say(INT8_FACTS, as_="Note")
    if gallery.drift:
        command = f"`python -m similarity rebuild --gallery {quote(name)}`"
        terminal.say(f"The index has drifted: {gallery.drift}. To rebuild it, run {command}.", as_="Note")
    terminal.say_skipped(manifest.skipped)


def list_galleries(as_json: AsJson = False) -> None:
    """List the galleries in SIMILARITY_HOME."""
    from similarity.storage.inventory import list_galleries
    from similarity.storage.live import read_live_manifest

    galleries, notes = [], 0
    for directory in list_galleries():
        try:
            manifest = read_live_manifest(directory)
        except GalleryError as error:
            terminal.say(str(error), as_="Note")
            notes += 1
            continue
        facts = {"gallery": directory.name, "model": manifest.model, "count": manifest.count}
        galleries.append(facts | {"created": manifest.created})
    if as_json:
        terminal.print_json({"galleries": galleries})
    elif galleries:
        rows = [tuple(str(value) for value in gallery.values()) for gallery in galleries]
        terminal.print_table(("gallery", "model", "count", "created"), rows)
    elif not notes:
        terminal.say("There are no galleries yet: make one with `python -m similarity index FOLDER --gallery NAME`.")


def verify(
    gallery: GalleryName = SAMPLE,
    uri: Annotated[
        str | None,
        typer.Option(help="Address of its Milvus, to be trusted from now on."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Read all files of a gallery and compare them with their checksums; exit with status 1 if any is damaged."""
    from similarity.gallery import verify as verify_gallery
    from similarity.storage.inventory import find_gallery

    directory = find_gallery(gallery)
    manifest = verify_gallery(directory, uri=uri)
    checked = len(manifest.files) + 1  # with the manifest
    if as_json:
        facts = {"gallery": directory.name, "generation": manifest.generation, "sound": True}
        terminal.print_json(facts | {"checked_files": checked})
        return
    terminal.print_line(f"{directory.name} is sound: generation {manifest.generation}, {checked} files checked.")


def restore(gallery: GalleryName, as_json: AsJson = False) -> None:
    """Return a gallery to its last undamaged earlier state: after damage, or to undo the last change."""
    from similarity.gallery import restore as go_back
    from similarity.storage.inventory import find_gallery, goes_forward

    directory = find_gallery(gallery)
    done = "Redone" if goes_forward(directory) else "Restored"
    manifest = go_back(directory).manifest
    if as_json:
        terminal.print_json({"gallery": gallery, "generation": manifest.generation, "count": manifest.count})
        return
    terminal.print_line(
        f"{done}: {gallery} is at generation {manifest.generation} again, made {manifest.created}: "
        f"{manifest.count:,} pictures."
    )

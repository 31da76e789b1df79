"""`info`, `list`, `verify` and `restore`: facts about galleries, and checks."""

from dataclasses import asdict
from pathlib import Path
from shlex import quote
from typing import TYPE_CHECKING, Annotated, Any

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson, GalleryName
from similarity.cli.running import open_or_index
from similarity.sample import SAMPLE

if TYPE_CHECKING:
    from similarity.gallery import Gallery
    from similarity.storage.manifest import Manifest

# Measured with `bench embedding --precision int8` and on 341 clothing photographs; see `docs/benchmarks.md`.
INT8_FACTS = (
    "int8 embeds 1.3 times as many pictures a second as bf16 and 2.1 times as many as f32; scores differ from theirs "
    "(a picture's two embeddings have a cosine of 0.99 mostly, and once of 0.89), and as many first results were right."
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
    size += sum(shard.bytes for shard in opened.manifest.shards)
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
    facts["shards"] = len(manifest.shards) or None
    facts.pop("is_shard")
    facts["note"] = " ".join(facts["note"].splitlines())
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
    from similarity.storage.inventory import list_galleries, look_at

    galleries, notes = [], 0
    for directory in list_galleries():
        entry = look_at(directory)
        if entry is None or entry.manifest is None:
            terminal.say(entry.fault if entry else f"The gallery {directory.name} has just gone.", as_="Note")
            notes += 1
            continue
        manifest = entry.manifest
        if entry.missing_shards:
            of = f"{entry.missing_shards} of its {len(manifest.shards)} shards are missing"
            terminal.say(f"{directory.name} is not whole: {of}. `sync` with its source makes them again.", as_="Note")
        facts = {"gallery": directory.name, "model": manifest.model, "count": manifest.count}
        galleries.append(facts | {"created": manifest.created} | of_shards(manifest))
    if as_json:
        terminal.print_json({"galleries": galleries})
    elif galleries:
        has_sets = any("shards" in gallery for gallery in galleries)
        shown = ("gallery", "model", "count", "created", *(["shards"] if has_sets else []))
        rows = [tuple(str(gallery.get(name, "")) for name in shown) for gallery in galleries]
        terminal.print_table(shown, rows)
    elif not notes:
        terminal.say("There are no galleries yet: make one with `python -m similarity index FOLDER --gallery NAME`.")


def of_shards(manifest: "Manifest") -> dict[str, int]:
    """Return the number of shards of a set; nothing of another gallery."""
    return {"shards": len(manifest.shards)} if manifest.shards else {}


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
    from similarity.storage.live import read_shard_manifests

    directory = find_gallery(gallery)
    manifest = verify_gallery(directory, uri=uri)
    manifests = [manifest, *read_shard_manifests(directory, manifest)]
    checked = sum(len(one.files) + 1 for one in manifests)  # with the manifest
    if as_json:
        facts = {"gallery": directory.name, "generation": manifest.generation, "sound": True}
        terminal.print_json(facts | {"checked_files": checked} | of_shards(manifest))
        return
    terminal.print_line(f"{directory.name} is sound: generation {manifest.generation}, {checked} files checked.")


def restore(
    gallery: GalleryName,
    to: Annotated[int | None, typer.Option(min=1, help="Number of the state to go to, see --list.")] = None,
    is_list: Annotated[bool, typer.Option("--list", help="List the states that it can go to.")] = False,
    is_forgetting: Annotated[
        bool, typer.Option("--forget", help="Delete all other states for good, with what only they have.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Return a gallery to its last undamaged earlier state: after damage, or to undo the last change."""
    from similarity.gallery import restore as go_back
    from similarity.storage.inventory import find_gallery, goes_forward

    directory = find_gallery(gallery)
    if sum((to is not None, is_list, is_forgetting)) > 1:
        raise typer.BadParameter("choose one of --to, --list and --forget.")
    if is_list or is_forgetting:
        (_list_states if is_list else _forget_states)(directory, as_json=as_json)
        return
    done = "Redone" if to is None and goes_forward(directory) else "Restored"
    manifest = go_back(directory, to=to).manifest
    if as_json:
        terminal.print_json({"gallery": gallery, "generation": manifest.generation, "count": manifest.count})
        return
    terminal.print_line(
        f"{done}: {gallery} is at generation {manifest.generation} again, made {manifest.created}: "
        f"{manifest.count:,} pictures."
    )


def _forget_states(directory: Path, *, as_json: bool) -> None:
    """Delete the states of a gallery but the live one."""
    from similarity.storage.cleanup import forget_other_states

    forget_other_states(directory)
    if as_json:
        terminal.print_json({"gallery": directory.name, "forgotten": True})
    else:
        terminal.print_line(f"{directory.name} has no other state any more.")


def _list_states(directory: Path, *, as_json: bool) -> None:
    """Print the states of a gallery that are on the disk, the newest first."""
    from similarity.storage.current import live_state
    from similarity.storage.history import list_states

    live_state(directory)  # there is a gallery
    states = [
        {
            "state": state.number,
            "created": state.created,
            "change": state.report.task,
            "count": state.count,
            "bytes": state.bytes,
            "live": state.place == 0,
        }
        for state in list_states(directory)
    ]
    if as_json:
        terminal.print_json({"gallery": directory.name, "states": states})
        return
    rows = [
        tuple("live" if value is True else "" if value is False else str(value) for value in one.values())
        for one in states
    ]
    terminal.print_table(("state", "created", "change", "pictures", "bytes", ""), rows)

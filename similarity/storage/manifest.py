"""The manifest of a generation: a JSON file that describes it, with its checksum beside it."""

import hashlib
import json
import re
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field, fields, replace
from datetime import datetime
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from similarity.embedding.view_names import VIEWS, View
from similarity.errors import GalleryDamagedError, GalleryError
from similarity.files import parse_json, read_own
from similarity.paths import CHECKSUM, EMBEDDINGS, MANIFEST, replace_start
from similarity.search.stores import EMBEDDED, Store
from similarity.sources import Skipped
from similarity.storage.shard_places import MOST_SHARDS, Shard
from similarity.storage.unreadable import unreadable_or_damaged
from similarity.vectors.methods import POWER, Method

if TYPE_CHECKING:
    from pydantic import TypeAdapter

# The newest version, and the oldest that is read. Version 2 has exact search only; refinement, heads, Milvus
# EXIF and the power of neighbours came with versions 4, 5, 6, 7 and 8. REFINED is the first version with refinement.
# Only sets and their shards are of version 9: all else is written as version 8, which programs of before read, too.
FORMAT, OLDEST, REFINED, UNSHARDED = 9, 2, 4, 8
MOST_BYTES = 200_000_000  # of a manifest, which lists all skipped files

# Bounds on pictures and dimensions: more than anybody has, and too few for arithmetic to overflow.
MOST_PICTURES, MOST_NUMBERS, MOST_POWER = 1 << 40, 1 << 20, 100
# Model of a gallery of vectors that were given without one, which nothing can be embedded for.
NO_MODEL = "none"
NAME = re.compile(r"[\w.:/@+-]{1,300}")  # of a model


@dataclass(frozen=True, slots=True)
class Report:
    """The result of a run: the changes that it made to a gallery, or would make.

    Attributes:
        task: index, add, sync, remove, relocate, relabel, rebuild or collect.
        source: the name of the source of the pictures.
        added: files that are new in the gallery.
        changed: files whose content has changed.
        moved: files that were in the gallery under another path.
        relabelled: files whose label or metadata have changed.
        removed: files that left the gallery.
        unchanged: files of the source that have not changed.
        embedded: pictures that went through the network.
        resumed: pictures that an interrupted run had embedded.
        skipped: files of the source that cannot be used.
        seconds: duration of the run.
        notes: remarks on the source as a whole.
        passed_over: number of files of the source that are left out unread, by the reason: the name of a folder that is
            never indexed, hidden, or a pattern that excludes them.
    """

    task: str
    source: str = ""
    added: int = 0
    changed: int = 0
    moved: int = 0
    relabelled: int = 0
    removed: int = 0
    unchanged: int = 0
    embedded: int = 0
    resumed: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    seconds: float = 0.0
    notes: list[str] = field(default_factory=list)
    passed_over: dict[str, int] = field(default_factory=dict)

    @property
    def counts(self) -> dict[str, int]:
        """The counts of files and pictures, by field name."""
        return {field.name: getattr(self, field.name) for field in fields(self) if field.type in (int, "int")}

    @property
    def changes(self) -> bool:
        """Whether the gallery has changed, or would change."""
        return any((self.added, self.changed, self.moved, self.relabelled, self.removed))

    @property
    def images_per_second(self) -> float:
        """Embedded pictures per second of the run."""
        return round(self.embedded / self.seconds, 1) if self.seconds else 0.0


@dataclass(frozen=True, slots=True)
class Manifest:
    """The description of a generation.

    Attributes:
        model, weights_sha256, preprocessing: the model that embedded the pictures, and must embed queries.
        precision: number format that the network computed in: f32, bf16, f16 or int8.
        network_sha256: SHA-256 of the int8 network, if one was used; the generation's folder has a copy of it.
        head_sha256: SHA-256 of the head that transforms embeddings before they are compared, if there is one; the
            generation's folder has a copy of it.
        recipe: the kind of index, see `search.recipes`.
        recipe_asked: the recipe that was requested, such as auto.
        recipe_reason: the reason for the choice, as a sentence.
        refinement: the refinement of the embeddings, see `refinement.py`.
        refinement_asked: the refinement that was requested, such as auto.
        refinement_reason: the reason for the choice, as a sentence.
        store: the store of the index.
        search: facts of the index that are not in its file.
        note: if the preferred model was not available, two lines: why, and the remedy.
        count: number of pictures, each with an embedding.
        duplicates: number of further files that are exact copies of one of them.
        created: ISO 8601, UTC.
        source: the first source that was indexed.
        seconds: duration of the last run.
        last_run: the changes that the last run made.
        skipped: files of all its sources that cannot be used.
        excluded: patterns of files that are left out of a source, by its name; see `sources.excluding`.
        written_in: the gallery's folder when the generation was written; see `storage.copied_disk`.
        gps: whether places where pictures were taken are kept.
        parts: whether the regions of pictures were embedded, too; see `embedding.regions`.
        neighbour_power: the power of similarities by which pictures are moved towards neighbours; see `refined`.
        collected_from: the name of the gallery that a collection was chosen from; empty for another gallery.
        shards: of a set, the galleries that its pictures are in; see `shard_places`.
        is_shard: whether it is one of those.
        files: size and SHA-256 of every other file of the generation.
    """

    model: str
    weights_sha256: str
    preprocessing: dict[str, Any]
    precision: str
    dim: int
    source: str
    count: int = 0
    created: str = ""
    seconds: float = 0.0
    last_run: Report = field(default_factory=lambda: Report("index"))
    duplicates: int = 0
    note: str = ""
    network_sha256: str | None = None
    head_sha256: str | None = None
    recipe: str = "flat"
    recipe_asked: str = "auto"
    recipe_reason: str = ""
    refinement: Method = "none"
    refinement_asked: str = "auto"
    refinement_reason: str = ""
    store: Store = EMBEDDED
    search: dict[str, Any] = field(default_factory=dict)
    metric: str = "inner_product"
    format: int = UNSHARDED
    generation: int = 0
    skipped: list[Skipped] = field(default_factory=list)
    excluded: dict[str, list[str]] = field(default_factory=dict)
    written_in: str = ""
    gps: bool = False
    parts: bool = False
    neighbour_power: float = POWER
    collected_from: str = ""
    shards: list[Shard] = field(default_factory=list)
    is_shard: bool = False
    files: dict[str, dict[str, Any]] = field(default_factory=dict)

    @property
    def has_model(self) -> bool:
        """Whether pictures can be embedded for it; else it is searched by item and by vector only."""
        return self.model != NO_MODEL

    @property
    def view(self) -> View:
        """The view of a picture that was embedded; older galleries have the crop, see `embedding.views`."""
        return next((view for view in VIEWS if view == self.preprocessing.get("view")), "crop")

    @property
    def identity(self) -> dict[str, Any]:
        """All values that an embedding depends on, beside the picture."""
        names = ("model", "weights_sha256", "preprocessing", "precision", "network_sha256")
        return {name: getattr(self, name) for name in names}

    @property
    def embeddings_sha256(self) -> str:
        """A hash that other embeddings do not have; of a set, that of the states of its shards."""
        if not self.shards:
            return str(self.files[EMBEDDINGS]["sha256"])
        return hashlib.sha256("\n".join(shard.state for shard in self.shards).encode()).hexdigest()

    def moved(self, sources: Mapping[str, str], old: str, new: str) -> "Manifest":
        """Return the same manifest with new names of some sources, and of their files that cannot be used.

        Args:
            sources: the new name of each.
            old, new: first parts of paths, of which the second replaces the first.
        """
        skipped = [
            replace(file, path=replace_start(file.path, old, new), source=sources[file.source])
            if file.source in sources
            else file
            for file in self.skipped
        ]
        excluded = {sources.get(name, name): patterns for name, patterns in self.excluded.items()}
        return replace(self, source=sources.get(self.source, self.source), excluded=excluded, skipped=skipped)


def write_manifest(folder: Path, manifest: Manifest) -> str:
    """Write a manifest and its checksum into a generation's folder; returns the checksum, SHA-256 in hex."""
    version = FORMAT if manifest.shards or manifest.is_shard else UNSHARDED
    data = (json.dumps(asdict(replace(manifest, format=version)), indent=2, ensure_ascii=False) + "\n").encode()
    checksum = hashlib.sha256(data).hexdigest()
    (folder / MANIFEST).write_bytes(data)
    (folder / CHECKSUM).write_text(_checksum_line(checksum), newline="\n")
    return checksum


def read_manifest(folder: Path) -> tuple[Manifest, str]:
    """Read the manifest of a generation, and its checksum.

    Raises:
        GalleryDamagedError: the manifest has changed since it was written, or is missing. GalleryError: it is of
            another version.
    """
    path = folder / MANIFEST
    try:
        data = read_own(path, MOST_BYTES)
        checksum = hashlib.sha256(data).hexdigest()
        read = parse_json(data)
        version = read["format"]
        # Only the first version had no checksum.
        has_checksum = version != 1 or (folder / CHECKSUM).exists()
        if has_checksum and read_own(folder / CHECKSUM, MOST_BYTES) != _checksum_line(checksum).encode():
            raise GalleryDamagedError(path)
        if version < OLDEST:
            raise GalleryError(f"The gallery in {folder.parents[1]} was made by an older version: index it again.")
        if version > FORMAT:
            raise GalleryError(f"The gallery in {folder.parents[1]} was made by a newer version: update this program.")
        return _from_json(read), checksum
    except (OSError, ValueError, LookupError, TypeError, AttributeError) as error:
        raise unreadable_or_damaged(path, error) from error


def _from_json(read: dict[str, Any]) -> Manifest:
    """Make a manifest of JSON; raises ValueError, LookupError or TypeError if it is not valid."""
    known = {field.name: read[field.name] for field in fields(Manifest) if field.name in read}
    if read["format"] < REFINED:  # such a gallery is not refined before somebody chooses to
        known |= {"refinement_asked": "none", "refinement_reason": "It was made before there was any."}
    manifest = _reader().validate_json(json.dumps(known), strict=True)
    if not (0 <= manifest.count <= MOST_PICTURES and 0 < manifest.dim <= MOST_NUMBERS and manifest.generation >= 0):
        raise ValueError("its size is out of range")
    if not 0 < manifest.neighbour_power <= MOST_POWER:
        raise ValueError("its power of neighbours is out of range")
    counts = (*manifest.last_run.counts.values(), manifest.duplicates, manifest.generation)
    if not all(0 <= count <= MOST_PICTURES for count in counts) or not manifest.last_run.seconds >= 0:
        raise ValueError("its counts are out of range")
    if not NAME.fullmatch(manifest.model) or not all(map(_is_inside, manifest.files)):
        raise ValueError("it has an invalid name of a model or a file")
    if not all(map(_is_fingerprint, manifest.files.values())) or not _are_facts(manifest.search):
        raise ValueError("its facts of files or of the index are invalid")
    if len(manifest.shards) > MOST_SHARDS or not all(shard.is_valid for shard in manifest.shards):
        raise ValueError("it has invalid shards")
    datetime.fromisoformat(manifest.created or "2000-01-01")
    return manifest


@cache
def _reader() -> "TypeAdapter[Manifest]":
    """Validator that checks the types in a manifest."""
    from pydantic import TypeAdapter

    return TypeAdapter(Manifest)


def _is_fingerprint(facts: dict[str, Any]) -> bool:
    """Whether these are facts that `checksums.fingerprint` can return."""
    size, sha256 = facts.get("size"), facts.get("sha256")
    return type(size) is int and 0 <= size < 1 << 62 and isinstance(sha256, str)


def _are_facts(search: dict[str, Any]) -> bool:
    """Whether these can be facts of an index: texts, numbers, and numbers by level of accuracy."""
    scalars: tuple[type, ...] = (str, int, float)
    levels = [value for value in search.values() if not isinstance(value, scalars)]
    numbers = [number for level in levels if isinstance(level, dict) for number in level.values()]
    are_levels = all(isinstance(level, dict) for level in (*levels, search.get("recall@10", {})))
    return are_levels and all(isinstance(number, int | float) for number in numbers)


def _is_inside(name: str) -> bool:
    """Whether a file name is a path within its folder."""
    path = PurePosixPath(name)
    return not (path.is_absolute() or ".." in path.parts or any(sign in name for sign in "\\:\0"))


def _checksum_line(checksum: str) -> str:
    """Return the line of a checksum file, which `sha256sum --check` can read."""
    return f"{checksum}  {MANIFEST}\n"

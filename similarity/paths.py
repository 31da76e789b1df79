"""Paths on disk: SIMILARITY_HOME and the folders in it, and the files of a gallery.

By default SIMILARITY_HOME is `artifacts/` beside the code, so that a clone keeps all of its files to itself.
"""

import os
import stat
from pathlib import Path

from similarity.errors import SimilarityError
from similarity.text.unicode import forms

LONGEST_PATH = 4_096  # the limit of Linux


def home() -> Path:
    """The folder that holds galleries, models and caches; read at each call, so that tests can change it.

    Raises:
        SimilarityError: SIMILARITY_HOME is set to something that cannot be a folder.
    """
    configured = os.environ.get("SIMILARITY_HOME")
    if not configured:
        return Path(__file__).resolve().parent.parent / "artifacts"
    try:
        folder = Path(configured).expanduser().resolve()
        is_file = not stat.S_ISDIR(folder.stat().st_mode)
    except FileNotFoundError:  # it is made when something is written
        return folder
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise SimilarityError(f"SIMILARITY_HOME is {configured}, which cannot be used ({reason}).") from error
    if is_file:
        raise SimilarityError(
            f"SIMILARITY_HOME is {configured}, which is not a folder: set it to one, or leave it out."
        )
    return folder


def full_path(place: str | Path) -> Path:
    """An absolute path, with `~` and links resolved; raises SimilarityError if it is not valid."""
    if len(str(place)) > LONGEST_PATH:
        raise SimilarityError(f"A path can have {LONGEST_PATH:,} characters at most; this one has {len(str(place)):,}.")
    try:
        return on_disk(Path(place).expanduser().resolve())
    except (OSError, ValueError, RuntimeError) as error:
        raise SimilarityError(f"{place} is not a valid path ({error}).") from error


def on_disk(path: Path) -> Path:
    """A path in the form of Unicode that the disk has it in, composed or decomposed; as it is if it is not there."""
    if str(path).isascii() or os.path.exists(path):  # noqa: PTH110 - never raises
        return path
    found = Path(path.anchor)
    for part in path.parts[len(found.parts) :]:
        found = next((found / form for form in forms(part) if os.path.lexists(found / form)), found / part)
    return found


def replace_start(place: str, old: str, new: str) -> str:
    """A path or an address with its first part replaced, or as it is if it neither is `old` nor lies in it."""
    if place == old:
        return new
    start = f"{old.rstrip('/')}/"
    return f"{new.rstrip('/')}/{place[len(start) :]}" if place.startswith(start) else place


def galleries_folder() -> Path:
    """The folder of galleries that have a name."""
    return home() / "galleries"


def models_folder() -> Path:
    """The folder of downloaded weights, which is searched first."""
    return home() / "models"


def heads_folder() -> Path:
    """The folder for new heads."""
    return home() / "heads"


def cache_folder() -> Path:
    """The folder of files that can be deleted at any time: converted networks and remembered failures."""
    return home() / "cache"


# Folders of a gallery.
GENERATIONS, THUMBNAILS, UNFINISHED = "generations", "thumbnails", "unfinished"
# Files in the folder of a generation.
MANIFEST, CHECKSUM = "manifest.json", "manifest.json.sha256"
ITEMS, EMBEDDINGS, LABELS = "items.parquet", "embeddings.npy", "labels.json"
HEAD, PROJECTED = "head.safetensors", "projected.npy"
CENTRE, NEIGHBOURS = "centre.npy", "neighbours.npy"
PARTS = "parts.npy"
INDEX, KEYS = "index.faiss", "keys.npy"
NETWORK, NETWORK_FILES = "network", ("model.xml", "model.bin", "sha256")

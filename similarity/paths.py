"""Paths on disk: SIMILARITY_HOME and the folders in it, and the files of a gallery.

By default SIMILARITY_HOME is `artifacts/` beside the code, so that a clone keeps all of its files to itself.
"""

import os
from pathlib import Path

from similarity.errors import SimilarityError

LONGEST_PATH = 4_096  # the limit of Linux


def home() -> Path:
    """The folder that holds galleries, models and caches; read at each call, so that tests can change it."""
    configured = os.environ.get("SIMILARITY_HOME")
    return (
        Path(configured).expanduser().resolve() if configured else Path(__file__).resolve().parent.parent / "artifacts"
    )


def full_path(place: str | Path) -> Path:
    """An absolute path, with `~` and links resolved; raises SimilarityError if it is not valid."""
    if len(str(place)) > LONGEST_PATH:
        raise SimilarityError(f"A path can have {LONGEST_PATH:,} characters at most; this one has {len(str(place)):,}.")
    try:
        return Path(place).expanduser().resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise SimilarityError(f"{place} is not a valid path ({error}).") from error


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
ITEMS, EMBEDDINGS = "items.parquet", "embeddings.npy"
HEAD, PROJECTED = "head.safetensors", "projected.npy"
CENTRE, NEIGHBOURS = "centre.npy", "neighbours.npy"
INDEX, KEYS = "index.faiss", "keys.npy"
NETWORK, NETWORK_FILES = "network", ("model.xml", "model.bin", "sha256")

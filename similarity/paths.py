"""Where things live on disk: SIMILARITY_HOME and the folders in it.

Without the variable it is `artifacts/` beside the code, so that a clone keeps everything it makes to itself.
"""

import os
from pathlib import Path

from similarity.errors import SimilarityError

LONGEST_PATH = 4_096  # which Linux takes


def home() -> Path:
    """The folder that holds galleries, models and caches (read anew at each call, so tests can move it)."""
    configured = os.environ.get("SIMILARITY_HOME")
    return (
        Path(configured).expanduser().resolve() if configured else Path(__file__).resolve().parent.parent / "artifacts"
    )


def full_path(place: str | Path) -> Path:
    """A path in full, `~` and links resolved; raises SimilarityError if it cannot be one."""
    if len(str(place)) > LONGEST_PATH:
        raise SimilarityError(f"A path has {LONGEST_PATH:,} characters at most, and this one {len(str(place)):,}.")
    try:
        return Path(place).expanduser().resolve()
    except (OSError, ValueError, RuntimeError) as error:
        raise SimilarityError(f"{place} is not a path that can be used ({error}).") from error


def galleries_folder() -> Path:
    """Where a gallery that is known by a name is kept."""
    return home() / "galleries"


def models_folder() -> Path:
    """Where weights are looked for first, and downloaded to."""
    return home() / "models"


def heads_folder() -> Path:
    """Where heads are put when they are made."""
    return home() / "heads"


def cache_folder() -> Path:
    """What can be deleted at any time: converted networks and remembered failures."""
    return home() / "cache"


GENERATIONS, THUMBNAILS, UNFINISHED = "generations", "thumbnails", "unfinished"


# And in the folder of a generation.
MANIFEST, CHECKSUM = "manifest.json", "manifest.json.sha256"


ITEMS, EMBEDDINGS = "items.parquet", "embeddings.npy"


HEAD, PROJECTED = "head.safetensors", "projected.npy"


CENTRE, NEIGHBOURS = "centre.npy", "neighbours.npy"


INDEX, KEYS = "index.faiss", "keys.npy"


NETWORK, NETWORK_FILES = "network", ("model.xml", "model.bin", "sha256")

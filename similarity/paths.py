"""Paths on disk: SIMILARITY_HOME and the folders in it, and the files of a gallery.

By default SIMILARITY_HOME is `artifacts/` of a clone, which keeps all of its files to itself; of a program that was
installed elsewhere, it is the user's folder for data of programs.
"""

import os
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from similarity.errors import PathError, SimilarityError
from similarity.text.plain import one_line
from similarity.text.unicode import forms

# The parts of addresses and of names in zips have a slash between them on every system.
SEPARATORS = tuple(dict.fromkeys(("/", os.sep)))
LONGEST_PATH = 4_096  # the limit of Linux
EMPTY_PATH = "The path is empty: give the path of a file or a folder."
PACKAGE = Path(__file__).resolve().parent
# The script of the app, which lies beside the package in a clone, and among BUNDLED where the program was installed.
APP = "streamlit_app.py"
BUNDLED = "bundled"
_resolved: dict[str, Path] = {}  # what SIMILARITY_HOME was set to, and the folder that it led to


def is_clone() -> bool:
    """Whether the program runs from a clone, installed as editable or not at all."""
    return (PACKAGE.parent / APP).is_file()


def program_folder() -> Path:
    """The folder of what comes with the program beside its modules: the app's script and settings, and the sample."""
    return PACKAGE.parent if is_clone() else PACKAGE / BUNDLED


def home() -> Path:
    """The folder that holds galleries, models and caches; read at each call, so that tests can change it.

    Raises:
        SimilarityError: SIMILARITY_HOME is set to something that cannot be a folder.
    """
    configured = os.environ.get("SIMILARITY_HOME")
    if not configured:
        return program_folder() / "artifacts" if is_clone() else _data_folder()
    try:
        folder, is_file = _resolve(configured)
    except FileNotFoundError:  # it is made when something is written
        return Path(configured).expanduser().resolve()
    except (OSError, ValueError, RuntimeError) as error:
        reason = str(getattr(error, "strerror", None) or error).rstrip(".")
        raise SimilarityError(f"SIMILARITY_HOME is {configured}, which cannot be used ({reason}).") from error
    if is_file:
        raise SimilarityError(
            f"SIMILARITY_HOME is {configured}, which is not a folder: set it to one, or leave it out."
        )
    return folder


def _resolve(configured: str) -> tuple[Path, bool]:
    """A folder by its full path, and whether it is a file instead; raises as `Path.stat` and `Path.resolve`."""
    named = str(Path(configured).expanduser()) if configured.startswith("~") else configured
    found = os.stat(named)  # noqa: PTH116 - it is asked for several times by each search
    folder = _resolved.get(configured)
    # To resolve a path takes ten times as long as to see that it still leads to the same folder.
    if folder is None or not _leads_to(folder, found):
        folder = _resolved[configured] = Path(named).resolve()
    return folder, not stat.S_ISDIR(found.st_mode)


def _leads_to(folder: Path, found: os.stat_result) -> bool:
    try:
        return os.path.samestat(found, os.stat(folder))  # noqa: PTH116
    except OSError:
        return False


def _data_folder() -> Path:
    from platformdirs import user_data_path

    return user_data_path("similarity", appauthor=False)


def full_path(place: str | Path) -> Path:
    """An absolute path, with `~` and links resolved; raises PathError if it is not valid."""
    with _valid(place):
        return on_disk(Path(place).expanduser().resolve())


def absolute_path(place: str | Path) -> Path:
    """An absolute path, with `~` resolved, and links as they are; raises PathError if it is not valid."""
    with _valid(place):
        if b"\0" in os.fsencode(place):  # which nothing else here looks at
            raise ValueError("embedded null byte")
        return Path(place).expanduser().absolute()


@contextmanager
def _valid(place: str | Path) -> Iterator[None]:
    """Raise PathError if a path is empty or too long, or for what is raised in the block."""
    if not str(place):  # which would be the current folder: what a script that lacks a value asks for
        raise PathError(EMPTY_PATH)
    if len(str(place)) > LONGEST_PATH:
        raise PathError(f"A path can have {LONGEST_PATH:,} characters at most; this one has {len(str(place)):,}.")
    try:
        yield
    except (OSError, ValueError, RuntimeError) as error:
        raise PathError(f"{one_line(str(place))} is not a valid path ({error}).") from error


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
    return f"{without_end(new)}{place[len(without_end(old)) :]}" if is_in(place, old) else place


def is_in(place: str, folder: str) -> bool:
    """Whether a path or an address lies in another one, by its text alone."""
    start = without_end(folder)
    return place.startswith(tuple(f"{start}{separator}" for separator in SEPARATORS))


def without_end(place: str) -> str:
    """A path or an address without separators at its end."""
    return place.rstrip("".join(SEPARATORS))


def split_name(place: str) -> tuple[str, str]:
    """What comes before the last separator of a path or an address, empty without one, and what comes after it."""
    at = max(map(place.rfind, SEPARATORS))
    return place[: max(at, 0)], place[at + 1 :]


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
# Beside the folder of a generation on Windows: what its readers lock.
PIN_SUFFIX = ".pin"
SHARDS = "shards"  # of a set: the galleries that its pictures are in
# Files in the folder of a generation.
MANIFEST, CHECKSUM = "manifest.json", "manifest.json.sha256"
ITEMS, EMBEDDINGS, LABELS = "items.parquet", "embeddings.npy", "labels.json"
HEAD, PROJECTED = "head.safetensors", "projected.npy"
CENTRE, NEIGHBOURS, REFINED = "centre.npy", "neighbours.npy", "refined.npy"
PARTS = "parts.npy"
INDEX, KEYS = "index.faiss", "keys.npy"
NETWORK, NETWORK_FILES = "network", ("model.xml", "model.bin", "sha256")

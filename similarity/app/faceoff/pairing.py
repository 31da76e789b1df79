"""Galleries that can be compared: mostly the same pictures, and different models."""

from collections.abc import Collection
from pathlib import Path

import streamlit as st

from similarity.errors import SimilarityError
from similarity.paths import ITEMS
from similarity.storage.current import live_number, live_state
from similarity.storage.inventory import Entry, take_inventory
from similarity.storage.items import read_contents
from similarity.storage.layout import generation_folder
from similarity.storage.manifest import Manifest

# The share of the pictures of the larger gallery that the other one has, too.
SHARED = 0.5


def find_comparable(first: str | None, names: Collection[str]) -> list[str]:
    """Return a gallery and those that can be compared with it; without one, the first that any can be compared with."""
    entries = [entry for entry in take_inventory() if entry.manifest and entry.name in names]
    for entry in [entry for entry in entries if first in (None, entry.name)]:
        if others := [other.name for other in entries if _can_be_compared(entry, other)]:
            return [entry.name, *others]
    return [first] if first is not None and first in names else []


def _can_be_compared(one: Entry, other: Entry) -> bool:
    if one.manifest is None or other.manifest is None or _model(one.manifest) == _model(other.manifest):
        return False
    fewer, more = sorted((one.manifest.count, other.manifest.count))
    if fewer < SHARED * more:
        return False
    try:
        contents = [_contents(entry.directory, live_state(entry.directory)) for entry in (one, other)]
    except (SimilarityError, OSError, ValueError, LookupError):  # who chooses it is told what is wrong with it
        return False
    return len(contents[0] & contents[1]) >= SHARED * more


def _model(manifest: Manifest) -> tuple[str | None, ...]:
    """Return what embeds the pictures of a gallery and moves them, which a head does, too."""
    return manifest.model, manifest.weights_sha256, manifest.head_sha256


@st.cache_resource(max_entries=8, show_spinner=False)
def _contents(directory: Path, state: str) -> frozenset[str]:  # noqa: ARG001 - part of the key
    """Return the SHA-256 of each picture of a gallery."""
    return frozenset(read_contents(generation_folder(directory, live_number(directory) or 0) / ITEMS))

"""The manifest of the live generation, read without loading anything else."""

from pathlib import Path

from similarity.errors import GalleryDamagedError
from similarity.storage.current import CURRENT, live_state, parse
from similarity.storage.layout import generation_folder
from similarity.storage.manifest import Manifest, read_manifest


def read_live_manifest(directory: Path) -> Manifest:
    """Read the manifest of the live generation, without loading the generation."""
    return read_vouched(directory, live_state(directory))


def read_vouched(directory: Path, state: str) -> Manifest:
    """Read the manifest that a state of CURRENT vouches for; raises GalleryDamagedError if it is another."""
    number, checksum = parse(directory, state)
    manifest, found = read_manifest(generation_folder(directory, number))
    if found != checksum or manifest.generation != number:
        raise GalleryDamagedError(
            directory / CURRENT, f"and the manifest of generation {number} do not belong together"
        )
    return manifest

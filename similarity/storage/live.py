"""The manifest of the live generation, read without loading anything else."""

from pathlib import Path

from similarity.errors import GalleryDamagedError
from similarity.storage.current import CURRENT, State, read_state
from similarity.storage.layout import generation_folder
from similarity.storage.manifest import Manifest, read_manifest


def read_live_manifest(directory: Path) -> Manifest:
    """Read the manifest of the live generation, without loading the generation."""
    return read_manifest_of(directory, read_state(directory))


def read_shard_manifests(directory: Path, manifest: Manifest) -> list[Manifest]:
    """Read the manifests of the shards of a set; none of another gallery. Raises as `read_live_manifest`."""
    return [read_live_manifest(shard.folder(directory)) for shard in manifest.shards if shard.place]


def read_manifest_of(directory: Path, state: State) -> Manifest:
    """Read the manifest of a state of CURRENT; raises GalleryDamagedError if its checksum differs."""
    manifest, checksum = read_manifest(generation_folder(directory, state.number))
    if State(manifest.generation, checksum) != state:
        raise GalleryDamagedError(
            directory / CURRENT, f"and the manifest of generation {state.number} do not belong together"
        )
    return manifest

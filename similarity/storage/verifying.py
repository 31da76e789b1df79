"""Verifying a gallery: every file is read and compared with its checksum."""

from pathlib import Path

from similarity.storage.generations import read_generation
from similarity.storage.manifest import Manifest


def verify_live(directory: Path) -> Manifest:
    """Read all files of the live generation, and all local features; see `read_generation` for what is raised.

    A gallery is whole without local features. Damaged ones are no fault of it, and are deleted, to be found again.

    Returns:
        The manifest of the generation, which is sound.
    """
    manifest = read_generation(directory, thorough=True).manifest
    # OpenCV is loaded only where it is needed.
    from similarity.storage.keypoint_files import drop_unsound_keypoints

    drop_unsound_keypoints(directory)
    return manifest

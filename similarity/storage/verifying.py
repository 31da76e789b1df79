"""Verifying a gallery: every file is read and compared with its checksum."""

from contextlib import nullcontext
from pathlib import Path

from similarity.paths import full_path
from similarity.search.engines import giving
from similarity.storage.generations import read_generation
from similarity.storage.live import read_live_manifest
from similarity.storage.manifest import Manifest


def verify(directory: str | Path, *, uri: str | None = None) -> Manifest:
    """Read all files of a gallery's live generation, and all local features, and compare them with their checksums.

    A gallery is whole without local features. Damaged ones are no fault of it, and are deleted, to be found again.

    Args:
        directory: where it lies.
        uri: of its Milvus, as a person gave it: it is used from then on.

    Returns:
        The manifest of the gallery, which is sound.

    Raises:
        GalleryNotFoundError: there is none. GalleryDamagedError: a file is missing or damaged.
        StoreError: its store lacks vectors, or `uri` is not the address of its store.
    """
    directory = full_path(directory)
    with giving(read_live_manifest(directory).store, uri) if uri else nullcontext():
        manifest = read_generation(directory, thorough=True).manifest
    # OpenCV is loaded only where it is needed.
    from similarity.storage.keypoint_files import drop_unsound_keypoints

    drop_unsound_keypoints(directory)
    return manifest

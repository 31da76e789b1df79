"""Modules that are processes of their own, run in this one, where torch and its kin are imported once for all tests.

What belongs to such a process (its start, its death, what it says meanwhile) is tested with real ones.
"""

import importlib
import io
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from pathlib import Path
from types import SimpleNamespace
from unittest.mock import patch


def run_here(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """As `processes.run_module`; what it does not turn into an exit status is raised."""
    words, out, err = [module, *map(str, arguments)], io.StringIO(), io.StringIO()
    with patch.object(sys, "argv", words), redirect_stdout(out), redirect_stderr(err):
        try:
            importlib.import_module(module).main()
        except SystemExit as ended:
            return subprocess.CompletedProcess(words, int(ended.code or 0), out.getvalue(), err.getvalue())
    return subprocess.CompletedProcess(words, 0, out.getvalue(), err.getvalue())


@contextmanager
def running_here(module: str, *arguments: str | Path) -> Iterator[SimpleNamespace]:
    """As `processes.running_module`, but what it says is heard when it is done."""
    done = run_here(module, *arguments)
    yield SimpleNamespace(stdout=done.stdout.splitlines(keepends=True), wait=lambda: done.returncode)

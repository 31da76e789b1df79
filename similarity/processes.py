"""Modules of this package that are run as processes of their own, so that what they import stays out of this one."""

import os
import subprocess
import sys
from pathlib import Path


def run_module(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m module arguments`, wait for it, and keep what it prints; it is killed if this is interrupted."""
    package_root = str(Path(__file__).resolve().parent.parent)
    search_path = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH"))))
    return subprocess.run(
        [sys.executable, "-m", module, *map(str, arguments)],
        env=os.environ | {"PYTHONPATH": search_path},
        capture_output=True,
        text=True,
        check=False,
    )

"""Running modules of this package as separate processes, so that their imports stay out of this one."""

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

# Idle threads of torch sleep instead of spinning. If other programs need the same two cores, an epoch of a head takes
# 0.2 s that way instead of 1.5 s; otherwise it makes no difference.
PATIENT = {"OMP_WAIT_POLICY": "PASSIVE"}
# What the GPU of Apple silicon lacks, torch computes on the CPU.
COMPLETE = {"PYTORCH_ENABLE_MPS_FALLBACK": "1"}


def run_module(module: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
    """Run `python -m module arguments`, wait for it, and capture its output; an interrupt kills it."""
    return subprocess.run(_command(module, *arguments), env=_environment(), capture_output=True, text=True, check=False)


@contextmanager
def running_module(module: str, *arguments: str | Path) -> Iterator[subprocess.Popen[str]]:
    """Start `python -m module arguments` with pipes for lines of text; it is killed at the end."""
    with subprocess.Popen(
        _command(module, *arguments),
        env=_environment(),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as process:
        try:
            yield process
        finally:
            process.kill()
            if process.stdin:
                with suppress(BrokenPipeError):  # input that it has not read
                    process.stdin.close()


def _command(module: str, *arguments: str | Path) -> list[str]:
    return [sys.executable, "-m", module, *map(str, arguments)]


def _environment() -> dict[str, str]:
    """This process's environment, with the package on the search path."""
    package_root = str(Path(__file__).resolve().parent.parent)
    search_path = os.pathsep.join(filter(None, (package_root, os.environ.get("PYTHONPATH"))))
    return PATIENT | COMPLETE | os.environ | {"PYTHONPATH": search_path}

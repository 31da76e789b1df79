"""The machine of a benchmark."""

import os
import platform
import sys
from typing import Any

import psutil

from similarity.embedding.openvino_models import openvino


def describe_machine() -> dict[str, Any]:
    """Processor, cores, the kinds of arithmetic that it computes, memory, and the versions that matter."""
    core = openvino().Core()
    return {
        "processor": core.get_property("CPU", "FULL_DEVICE_NAME").strip(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "computes": [name for name in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") if name.isupper()],
        "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "openvino": openvino().__version__.split("-")[0],
    }


def peak_rss_mb() -> float:
    """Peak memory of this process, in megabytes."""
    used = psutil.Process().memory_info()
    if peak := getattr(used, "peak_wset", None):  # on Windows, which has no module `resource`
        return round(int(peak) / 1e6, 1)
    import resource

    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS, in kibibytes elsewhere
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)

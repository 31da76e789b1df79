"""The machine of a benchmark."""

import os
import platform
import resource
import sys
from typing import Any

from similarity.embedding.openvino_models import openvino


def describe_machine() -> dict[str, Any]:
    """Processor, cores, the kinds of arithmetic that it computes, memory, and the versions that matter."""
    core = openvino().Core()
    return {
        "processor": core.get_property("CPU", "FULL_DEVICE_NAME").strip(),
        "cores": len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count(),
        "computes": [name for name in core.get_property("CPU", "OPTIMIZATION_CAPABILITIES") if name.isupper()],
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9, 1),
        "system": f"{platform.system()} {platform.machine()}",
        "python": platform.python_version(),
        "openvino": openvino().__version__.split("-")[0],
    }


def peak_rss_mb() -> float:
    """Peak memory of this process, in megabytes."""
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss  # in bytes on macOS, in kibibytes elsewhere
    return round(peak / 1e6 if sys.platform == "darwin" else peak * 1024 / 1e6, 1)

"""Networks as compiled for this processor, kept beside their converted files, so that a new process need not compile.

    compiled-0f3a….blob      SHA-256 of what follows, 32 bytes; the network as OpenVINO writes it

Compiling EfficientNet-Lite2 takes 0.2 to 0.27 s of processor time, a fifth of a search on the command line, and reading
it 0.08 s. A file is of one processor, version of OpenVINO and set of options. One that is damaged is made again. The
folder that it is in is named after all that the network depends on.
"""

import hashlib
import json
import logging
from collections.abc import Callable, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any

import numpy as np

from similarity.embedding.openvino_models import openvino
from similarity.files import read_own, write_atomically
from similarity.paths import cache_folder

# Most bytes of a file; larger networks are compiled each time.
MOST_BYTES = 1 << 28
DIGEST_BYTES = 32

logger = logging.getLogger(__name__)


def read_or_compile(core: Any, network: Path, options: Mapping[str, Any], compile_network: Callable[[], Any]) -> Any:
    """Return a compiled network: read from its file, or compiled, and then written to one if it can be.

    Args:
        core: OpenVINO's.
        network: folder of the converted network. Beside one that is not in the cache nothing is written.
        options: what it is compiled with, beside the network.
        compile_network: compiles it.
    """
    if not network.is_relative_to(cache_folder()):
        return compile_network()
    path = _place(core, network, options)
    with suppress(OSError):
        try:
            data = read_own(path, MOST_BYTES)
            written = np.frombuffer(data, np.uint8)[DIGEST_BYTES:]
            if hashlib.sha256(memoryview(data)[DIGEST_BYTES:]).digest() == data[:DIGEST_BYTES]:
                # It takes the precision from these, not from the file.
                return core.import_model(openvino().Tensor(written), "CPU", dict(options))
            logger.warning("%s is damaged and is made again", path)
        except RuntimeError as error:  # OpenVINO's
            logger.warning("%s was not read: %s", path, error)
    compiled = compile_network()
    with suppress(OSError, RuntimeError):  # it is there to save time alone
        exported = compiled.export_model().getvalue()
        if len(exported) < MOST_BYTES - DIGEST_BYTES:
            write_atomically(path, hashlib.sha256(exported).digest() + exported)
    return compiled


def _place(core: Any, network: Path, options: Mapping[str, Any]) -> Path:
    """The file of a network that was compiled with these options by this processor."""
    processor = [core.get_property("CPU", name) for name in ("FULL_DEVICE_NAME", "OPTIMIZATION_CAPABILITIES")]
    facts = [openvino().__version__, *processor, dict(options)]
    key = hashlib.sha256(json.dumps(facts, sort_keys=True).encode()).hexdigest()[:16]
    return network / f"compiled-{key}.blob"

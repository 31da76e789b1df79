"""Networks are loaded once for all tests of a process, however often a gallery is opened: it takes a tenth of a second.

Only those that are kept in pytest's cache: whoever makes a network of its own, or damages one, gets what it made.
"""

from pathlib import Path
from typing import Any

from similarity.embedding.backbones import Backbone
from similarity.embedding.engines import OpenVinoEngine
from similarity.embedding.openvino_models import BIN

loaded: dict[tuple[object, ...], OpenVinoEngine] = {}


class Once(type):
    """Makes a class stand where `OpenVinoEngine` does: to call it loads a network, or gives the one that was loaded."""

    kept: Path

    def __call__(cls, network: Path, backbone: Backbone, **options: Any) -> OpenVinoEngine:
        if network.resolve().parent != cls.kept.resolve():
            return OpenVinoEngine(network, backbone, **options)
        file = (network / BIN).stat()
        key = (network.resolve(), file.st_mtime_ns, file.st_size, backbone, *sorted(options.items()))
        if key not in loaded:
            loaded[key] = OpenVinoEngine(network, backbone, **options)
        return loaded[key]

    def __instancecheck__(cls, instance: object) -> bool:
        return isinstance(instance, OpenVinoEngine)


def engines(kept: Path) -> type:
    """What is to stand where the class does; `kept` is the folder of networks that are loaded once."""
    return Once("OpenVinoEngine", (), {"kept": kept})

"""For processes that have this folder on their search path: a decoder that crashes at some pictures.

It ends its process as a fault in native code does, or as the operating system does when memory runs out. The pictures
are JPEGs whose comment says which of both.
"""

import faulthandler
import os
import signal
from typing import Any

from PIL import JpegImagePlugin

FAULT, KILLED = b"a segmentation fault", b"killed for its memory"

_load = JpegImagePlugin.JpegImageFile.load


def _crash(self: JpegImagePlugin.JpegImageFile) -> Any:
    if self.info.get("comment") == FAULT:
        faulthandler._sigsegv()  # type: ignore[attr-defined]
    if self.info.get("comment") == KILLED:
        os.kill(os.getpid(), signal.SIGKILL)
    return _load(self)


JpegImagePlugin.JpegImageFile.load = _crash  # type: ignore[method-assign]

"""Ctrl-C that a library turns into an error of its own, which happens while it loads its parts."""

import signal
from types import FrameType


class Interrupts:
    """Remembers whether Ctrl-C was pressed.

    Attributes:
        came: whether it was.
    """

    def __init__(self) -> None:
        self.came = False

    def watch(self) -> None:
        """Begin, unless somebody else handles Ctrl-C, or it is ignored."""
        if signal.getsignal(signal.SIGINT) is signal.default_int_handler:
            signal.signal(signal.SIGINT, self._handle)

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        signal.default_int_handler(number, frame)

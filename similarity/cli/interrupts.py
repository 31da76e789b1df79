"""Ctrl-C that a library turns into an error of its own, which happens while it loads its parts."""

import _thread
import signal
import sys
import threading
from types import FrameType
from typing import Any

# Seconds until Ctrl-C is repeated that came where Python can raise nothing.
AGAIN_S = 0.02


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
            sys.unraisablehook = self._repeat

    def _handle(self, number: int, frame: FrameType | None) -> None:
        self.came = True
        signal.default_int_handler(number, frame)

    def _repeat(self, lost: Any) -> None:
        """Press Ctrl-C again if it came while Python was tidying up, where errors are told and forgotten."""
        if lost.exc_type is KeyboardInterrupt and self.came:
            threading.Timer(AGAIN_S, _press).start()
        else:
            sys.__unraisablehook__(lost)


def _press() -> None:
    """Press Ctrl-C, where that can be done so that it ends what the main thread waits for."""
    main = threading.main_thread().ident
    if main is not None and hasattr(signal, "pthread_kill"):
        signal.pthread_kill(main, signal.SIGINT)
    else:
        _thread.interrupt_main()

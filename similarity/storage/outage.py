"""Outages: what fails again and again is an error in the log when that begins, and not each time that it is tried."""

import logging


class Outage:
    """Something that may stop working for a while. Safe to share between threads.

    Args:
        logger: has it in its log.
    """

    def __init__(self, logger: logging.Logger) -> None:
        self._logger = logger
        self._lasts = False

    def failed(self, trouble: str) -> None:
        """Log that it does not work: as an error at the first time since it did, as a warning after that."""
        self._logger.log(logging.WARNING if self._lasts else logging.ERROR, "%s", trouble)
        self._lasts = True

    def worked(self) -> None:
        """Note that it works."""
        self._lasts = False

"""Waiting for what a server does by itself, such as building an index."""

from collections.abc import Callable

from tenacity import retry, retry_if_result, stop_after_delay, wait_exponential

# Seconds that building an index, or reading a file, may take.
LONGEST = 3600.0


def wait_while(is_pending: Callable[[], bool]) -> None:
    """Ask again and again whether something is still pending, for as long as it may take."""
    retry(
        retry=retry_if_result(bool),
        stop=stop_after_delay(LONGEST),
        wait=wait_exponential(0.05, max=0.5),
        retry_error_callback=lambda _: None,
    )(is_pending)()

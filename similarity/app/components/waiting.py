"""A progress bar for a slow result that is computed in the background, while the visitor waits for it."""

import logging
import time
from concurrent.futures import CancelledError, wait
from typing import Any, TypeVar

import streamlit as st

from similarity.app.serving import access
from similarity.app.serving.single_flight import Computation
from similarity.app.wording import wording
from similarity.app.wording.messages import sentence_as_markdown
from similarity.errors import SimilarityError

# Seconds between two looks at a computation; a result that comes before the first has no bar.
TICK = 0.5
CANCELLED = "cancelled_computations"

T = TypeVar("T")

logger = logging.getLogger(__name__)


def was_cancelled(name: str) -> bool:
    """Whether the visitor has cancelled the computation of a name, which then only starts on request."""
    return name in st.session_state.get(CANCELLED, ())


def wait_with_bar(computation: Computation[T], task: str, gallery: str, *, name: str) -> T | None:
    """Wait for a result, with a bar on the page; None after an unexpected error, which is in the log.

    It can be cancelled by whoever manages galleries, since others wait for it, too.

    Args:
        task: what is said until progress is reported, such as `Evaluating`.
        gallery: its name, for the log.
        name: that of the computation, see `was_cancelled`.

    Raises:
        SimilarityError: the computation has ended with it, or was cancelled by somebody else.
    """
    wait([computation.result], timeout=TICK)
    place, stop = st.empty(), st.empty()
    if not computation.result.done() and access.may_manage():
        stop.button("Cancel", key=f"cancel-{task}", icon=":material/close:", on_click=_cancel, args=(computation, name))
    while not computation.result.done():
        progress = computation.progress
        share = progress.done / progress.total if progress and progress.total else 0.0
        elapsed = time.monotonic() - computation.started
        text = wording.progress(progress) if progress else f"{task} … {elapsed:.0f} s"
        # Streamlit stops a script where it draws, so this lets the visitor leave; the computation goes on.
        place.progress(min(1.0, share), sentence_as_markdown(text))
        wait([computation.result], timeout=TICK)
    place.empty()
    stop.empty()
    try:
        return computation.result.result()
    except SimilarityError:
        raise
    except CancelledError:
        raise SimilarityError("This was cancelled. Open the page again to start anew.") from None
    except Exception:
        logger.exception("%s: %s has failed", gallery, task)
        return None


def _cancel(computation: Computation[Any], name: str) -> None:
    computation.cancel()
    st.session_state.setdefault(CANCELLED, set()).add(name)

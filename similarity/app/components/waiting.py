"""A progress bar for a slow result that is computed in the background, while the visitor waits for it."""

import logging
import time
from concurrent.futures import wait
from typing import TypeVar

import streamlit as st

from similarity.app.serving.single_flight import Computation
from similarity.app.wording import wording
from similarity.app.wording.messages import sentence_as_markdown
from similarity.errors import SimilarityError

# Seconds between two looks at a computation; a result that comes before the first has no bar.
TICK = 0.5

T = TypeVar("T")

logger = logging.getLogger(__name__)


def wait_with_bar(computation: Computation[T], task: str, gallery: str) -> T | None:
    """Wait for a result, with a bar on the page; None after an unexpected error, which is in the log.

    Args:
        task: what is said until progress is reported, such as `Evaluating`.
        gallery: its name, for the log.

    Raises:
        SimilarityError: the computation has ended with it.
    """
    wait([computation.result], timeout=TICK)
    place = st.empty()
    while not computation.result.done():
        progress = computation.progress
        share = progress.done / progress.total if progress and progress.total else 0.0
        elapsed = time.monotonic() - computation.started
        text = wording.progress(progress) if progress else f"{task} … {elapsed:.0f} s"
        # Streamlit stops a script where it draws, so this lets the visitor leave; the computation goes on.
        place.progress(min(1.0, share), sentence_as_markdown(text))
        wait([computation.result], timeout=TICK)
    place.empty()
    try:
        return computation.result.result()
    except SimilarityError:
        raise
    except Exception:
        logger.exception("%s: %s has failed", gallery, task)
        return None

"""The gallery that indexing replaces: what of it is used again, and which labels outlive it."""

import logging
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from similarity.errors import GalleryError
from similarity.indexing.run import Run
from similarity.storage.current import exists
from similarity.storage.generations import Generation, read_generation
from similarity.storage.given_labels import NONE_GIVEN, GivenLabels
from similarity.storage.rescued_labels import rescue_given_labels

logger = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Replaced:
    """A gallery that is made anew.

    Attributes:
        generation: its live generation; None if there is none that can be opened.
        given: the labels that its owner gave.
        notes: what cannot be taken along, as sentences.
    """

    generation: Generation | None = None
    given: GivenLabels = NONE_GIVEN
    notes: Sequence[str] = ()

    def hand_over(self, run: Run) -> None:
        """Let a run know what it replaces."""
        run.replaced = self.generation.items if self.generation else ()
        run.given, run.notes = self.given, [*run.notes, *self.notes]


def read_replaced(directory: Path) -> Replaced:
    """Read the gallery in a folder, or its labels alone if it cannot be opened."""
    try:
        live = read_generation(directory) if exists(directory) else None
        if live:
            return Replaced(live, live.given)
    except GalleryError as error:
        logger.warning("Nothing of the gallery that is replaced but its labels can be used again, because: %s", error)
    try:
        rescued = rescue_given_labels(directory)
    except GalleryError as error:
        logger.warning("Nor can its labels: %s", error)
        return Replaced()
    return Replaced(None, rescued.given, [rescued.note] if rescued.note else [])

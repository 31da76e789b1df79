"""Loading the model of a new gallery."""

from pathlib import Path

from similarity.embedding.backbones.weights import ModelChoice, weights_sha256
from similarity.embedding.calibration import CALIBRATION_PICTURES, read_pixels
from similarity.embedding.embedder import Embedder
from similarity.embedding.precision import Precision
from similarity.embedding.view_names import View
from similarity.errors import SourceError
from similarity.indexing.int8 import try_int8, worth_trying
from similarity.progress import OnProgress, Progress
from similarity.sources import Source
from similarity.storage.embedders import restore_embedder
from similarity.storage.generations import Generation


def load_embedder(
    choice: ModelChoice,
    precision: Precision,
    view: View,
    source: Source,
    progress: OnProgress | None,
    directory: Path,
    live: Generation | None,
) -> Embedder:
    """Load a model; an int8 network is calibrated on the pictures that it will embed.

    With `auto` a large gallery gets int8 if that proves to be faster and to lose nothing; see `int8.py`. A gallery that
    is made anew keeps the int8 network that it has of this model, with all that it embedded.

    Args:
        live: the generation of the gallery in the folder, if it has one.

    Raises:
        ModelError: it cannot be loaded. SourceError: no picture can be read to calibrate it with.
    """
    report_task(progress, f"Preparing the model {choice.backbone.title}")
    if live and precision in ("auto", "int8") and _has_int8_of(choice, live):
        return restore_embedder(directory.name, live, Embedder.restore).with_view(view)
    if precision != "int8":
        plain = Embedder.load(choice, precision=precision, view=view)
        is_tried = precision == "auto" and worth_trying(plain, source, directory)
        return try_int8(choice, plain, view, source, progress) if is_tried else plain
    one_window: View = "fit" if view == "both" else view
    pixels = read_pixels(source, choice.backbone.preprocessing, CALIBRATION_PICTURES, one_window)
    if not len(pixels):
        raise SourceError(
            f"The network cannot be calibrated: none of the pictures tried from {source.name} can be read."
        )
    report_task(progress, f"Quantising {choice.backbone.title} with {len(pixels)} of the pictures")
    return Embedder.quantise(choice, pixels).with_view(view)


def _has_int8_of(choice: ModelChoice, live: Generation) -> bool:
    made_by = live.manifest.model, live.manifest.weights_sha256
    return live.quantised is not None and made_by == (choice.backbone.name, weights_sha256(choice.weights))


def report_task(progress: OnProgress | None, task: str) -> None:
    """Report the beginning of a step that has no count."""
    if progress:
        progress(Progress(task))

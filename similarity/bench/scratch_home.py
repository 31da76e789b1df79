"""A temporary SIMILARITY_HOME for a benchmark: with real or random weights of a model, or with all models."""

import os
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from similarity.bench.baseline import make_random_weights
from similarity.embedding.backbones import get_backbone
from similarity.embedding.backbones.weights import AUTO, ModelChoice, choose_model, find_weights
from similarity.paths import cache_folder, galleries_folder, models_folder


@contextmanager
def scratch_home(model: str) -> Iterator[tuple[ModelChoice, bool]]:
    """Set SIMILARITY_HOME to a temporary folder.

    Yields:
        The model, and whether its weights are real.
    """
    if model == AUTO:
        model = choose_model(AUTO, may_download=False).backbone.name
    backbone = get_backbone(model)
    weights, networks = find_weights(backbone), cache_folder() / "networks"
    with tempfile.TemporaryDirectory(prefix="similarity-bench-") as folder, _home(folder):
        models_folder().mkdir()
        file = models_folder() / backbone.weights.file
        if weights:
            file.symlink_to(weights)
            _share(networks)
        else:
            make_random_weights(model, file)
        yield ModelChoice(backbone, file), weights is not None


@contextmanager
def scratch_galleries() -> Iterator[Path]:
    """Set SIMILARITY_HOME to a temporary folder that has the models of the present one, and no galleries.

    Yields:
        The folder of its galleries; they and all that is remembered of them are deleted at the end.
    """
    models, networks = models_folder(), cache_folder() / "networks"
    with tempfile.TemporaryDirectory(prefix="similarity-bench-") as folder, _home(folder):
        _share(networks)
        if models.is_dir():
            models_folder().symlink_to(models)
        yield galleries_folder()


def _share(networks: Path) -> None:
    """Use a folder of converted networks in this home."""
    networks.mkdir(parents=True, exist_ok=True)
    cache_folder().mkdir()
    (cache_folder() / "networks").symlink_to(networks)


@contextmanager
def _home(folder: str) -> Iterator[None]:
    before = os.environ.get("SIMILARITY_HOME")
    os.environ["SIMILARITY_HOME"] = str(Path(folder).resolve())
    try:
        yield
    finally:
        if before is None:
            del os.environ["SIMILARITY_HOME"]
        else:
            os.environ["SIMILARITY_HOME"] = before

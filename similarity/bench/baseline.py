"""The obvious loop to compare with: PIL, torchvision's transforms, torch, batches of 32. A process of its own.

python -m similarity.bench.baseline rate MODEL WEIGHTS PICTURE...      prints images per second
python -m similarity.bench.baseline random-weights MODEL FILE
"""

import sys
import time
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from similarity.errors import SimilarityError
from similarity.models import Preprocessing, build_network, get_backbone
from similarity.processes import run_module

if TYPE_CHECKING:
    from torch import nn

BATCH = 32


def run_baseline(*arguments: str | Path) -> str:
    """Run this module in a process of its own, so that torch's memory and threads are not measured with ours."""
    done = run_module(__name__, *arguments)
    if done.returncode:
        last_line = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise SimilarityError(f"The comparison with torch could not be run ({last_line}).")
    return done.stdout


def images_per_second(model: str, weights: Path, pictures: list[Path]) -> float:
    """How fast torch embeds pictures, from disk to vectors, after one batch that is not counted."""
    network: Any = build_network(get_backbone(model), weights)
    transform = _transform(get_backbone(model).preprocessing)
    _embed(network.features, transform, pictures[:BATCH])
    started = time.perf_counter()
    for first in range(0, len(pictures), BATCH):
        _embed(network.features, transform, pictures[first : first + BATCH])
    return len(pictures) / (time.perf_counter() - started)


def write_random_weights(model: str, path: Path) -> None:
    """Weights in the published layout, for measuring how long a network takes."""
    import torch

    torch.manual_seed(0)
    torch.save(get_backbone(model).build().state_dict(), path)


def _embed(features: "nn.Module", transform: Any, pictures: list[Path]) -> None:
    import torch

    batch = torch.stack([transform(Image.open(path).convert("RGB")) for path in pictures])
    with torch.inference_mode():
        torch.nn.functional.normalize(features(batch))


def _transform(how: Preprocessing) -> Any:
    from torchvision import transforms

    return transforms.Compose(
        [
            transforms.Resize(how.resize, interpolation=transforms.InterpolationMode(how.interpolation)),
            transforms.CenterCrop(how.crop),
            transforms.ToTensor(),
            transforms.Normalize(how.mean, how.std),
        ]
    )


def main() -> None:
    """Do what the command line says."""
    task, model, weights, *pictures = sys.argv[1:]
    if task == "rate":
        sys.stdout.write(f"{images_per_second(model, Path(weights), [Path(picture) for picture in pictures])}\n")
    else:
        write_random_weights(model, Path(weights))


if __name__ == "__main__":
    main()

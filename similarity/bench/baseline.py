"""The obvious loop to compare with: PIL, torchvision's transforms, torch, batches of 32. A process of its own.

python -m similarity.bench.baseline rounds MODEL WEIGHTS PICTURE...    embeds them all for each line that it is sent
python -m similarity.bench.baseline random-weights MODEL FILE
"""

import subprocess
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any

from PIL import Image

from similarity.embedding.backbones import Preprocessing, build_network, get_backbone
from similarity.errors import SimilarityError
from similarity.processes import run_module, running_module

if TYPE_CHECKING:
    from torch import nn

BATCH = 32
DONE = "done"


@contextmanager
def torch_loop(model: str, weights: Path, pictures: Sequence[str]) -> Iterator[Callable[[], None]]:
    """Torch in a process of its own, so that its memory and threads are not measured with ours.

    Yields:
        A function that has it embed the pictures, from disk to vectors, and waits until it has.
    """
    with running_module(__name__, "rounds", model, weights, *pictures) as process:
        yield lambda: _one_round(process)


def make_random_weights(model: str, path: Path) -> None:
    """Weights in the published layout, made without torch in this process."""
    done = run_module(__name__, "random-weights", model, path)
    if done.returncode:
        last_line = (done.stderr.strip().splitlines() or [f"exit status {done.returncode}"])[-1]
        raise SimilarityError(f"Random weights for {model} could not be made ({last_line}).")


def _one_round(process: "subprocess.Popen[str]") -> None:
    if not process.stdin or not process.stdout:
        raise ValueError("The process must have been started with pipes.")
    try:
        process.stdin.write("\n")
        process.stdin.flush()
        answer = process.stdout.readline()
    except BrokenPipeError:
        answer = ""
    if answer.strip() != DONE:
        raise SimilarityError("The comparison with torch failed: is torch installed, and is there enough memory?")


def embed_in_rounds(model: str, weights: Path, pictures: list[Path]) -> None:
    """Embed pictures once for each line on standard input, and say so on standard output."""
    network: Any = build_network(get_backbone(model), weights)
    transform = _transform(get_backbone(model).preprocessing)
    for _ in sys.stdin:
        for first in range(0, len(pictures), BATCH):
            _embed(network.features, transform, pictures[first : first + BATCH])
        sys.stdout.write(f"{DONE}\n")
        sys.stdout.flush()


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
    """Run the benchmark that the command line names."""
    task, model, weights, *pictures = sys.argv[1:]
    if task == "rounds":
        embed_in_rounds(model, Path(weights), [Path(picture) for picture in pictures])
    else:
        write_random_weights(model, Path(weights))


if __name__ == "__main__":
    main()

"""Entries of the registry: the weights of a backbone, its preprocessing, and the building of its network."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import numpy.typing as npt

if TYPE_CHECKING:
    from torch import Tensor, nn

    StateDict = dict[str, Tensor]

TokenIds = npt.NDArray[np.int64]
Tokenizer = Callable[[Sequence[str]], TokenIds]


@dataclass(frozen=True, slots=True)
class Preprocessing:
    """The preprocessing of an RGB image, as in the network's training.

    Attributes:
        resize: pixels of the shorter side after resizing.
        crop: side of the square that is cut from the centre then.
        interpolation: the filter for resizing, with antialiasing.
        mean, std: per channel, of values in 0..1.
        fit: `shorter` as described above; `squash` resizes both sides to `resize`.
    """

    resize: int
    crop: int
    interpolation: Literal["bilinear", "bicubic"]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    # Not in the repr, of which the names of converted networks are made: networks do not depend on it.
    fit: Literal["shorter", "squash"] = field(default="shorter", repr=False)

    def facts(self) -> dict[str, Any]:
        """The values as a gallery's manifest keeps them, in JSON's own types."""
        facts = asdict(self) | {"mean": list(self.mean), "std": list(self.std)}
        if self.fit == "shorter":  # which older galleries lack
            del facts["fit"]
        return facts


@dataclass(frozen=True, slots=True)
class WeightsFile:
    """The source of a backbone's weights: a package that ships them, or an address that publishes them.

    Attributes:
        file: its name on this computer.
        package: the importable package that has it in its folder `models`.
        distribution: the name of that package for pip.
        url: the address to download it from.
        sha256_prefix: the leading hex digits of its SHA-256, as its publisher puts them into the file's name.
        hub: the repository on the Hugging Face hub that publishes it, and the file's name there, which is not unique;
            None if it is published elsewhere.
    """

    file: str
    package: str | None = None
    distribution: str | None = None
    url: str | None = None
    sha256_prefix: str = ""
    hub: tuple[str, str] | None = None

    @classmethod
    def on_hub(cls, repository: str, published_as: str, file: str) -> WeightsFile:
        """A file of a repository on the Hugging Face hub, and its name on this computer."""
        url = f"https://huggingface.co/{repository}/resolve/main/{published_as}"
        return cls(file=file, url=url, hub=(repository, published_as))


@dataclass(frozen=True, slots=True)
class TextTower:
    """The text tower of a backbone that was trained on pictures with captions; it embeds words in the same space.

    Attributes:
        context: number of token ids of a text; longer texts are cut off.
        build: makes the network with random weights: int64 (n, context) -> float32 (n, dim).
        adapt: as that of the backbone, for the same state dict.
        tokenizer: loads the tokenizer, texts -> int64 (n, context).
    """

    context: int
    build: Callable[[], nn.Module]
    adapt: Callable[[StateDict, nn.Module], StateDict]
    tokenizer: Callable[[], Tokenizer]


@dataclass(frozen=True, slots=True)
class Backbone:
    """A pretrained network that turns a picture into a feature vector.

    Attributes:
        name: the value of `--model`.
        title: the name that people see.
        dim: length of the feature vector.
        licence: the licence of the weights.
        build: makes the network with random weights: float32 (n, 3, crop, crop) -> (n, dim), pooled as is usual for it.
        adapt: renames a published state dict to the keys of the built network.
        averages_cells: whether its features are the mean over the cells of its last feature map.
        also: further files of weights, of a network made of several. They need a SHA-256 prefix, since only the first
            file, `weights`, identifies the weights in a gallery. `adapt` is given the tensors of all files, with the
            number of the file and a dot before each key: 0. for `weights`, 1. for the first of these.
        exact_convolutions: number of its first convolutions and matrix products, in each branch, that OpenVINO computes
            in float32 where it uses bfloat16 elsewhere, for a network whose features suffer from the rounding in its
            first layers.
        text: its text tower, if it was trained with one.
        requires: the optional library that its network comes from.
        sop_recall_at_1: published recall@1 of its features on Stanford Online Products, in percent.
    """

    name: str
    title: str
    dim: int
    licence: str
    preprocessing: Preprocessing
    weights: WeightsFile
    build: Callable[[], nn.Module]
    adapt: Callable[[StateDict, nn.Module], StateDict]
    averages_cells: bool = False
    also: tuple[WeightsFile, ...] = ()
    exact_convolutions: int = 0
    text: TextTower | None = None
    requires: str | None = None
    sop_recall_at_1: float | None = None

    @property
    def files(self) -> tuple[WeightsFile, ...]:
        """All files of its weights, the one that identifies them first."""
        return (self.weights, *self.also)

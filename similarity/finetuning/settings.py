"""Settings of training a head."""

from collections.abc import Mapping
from dataclasses import asdict, dataclass, fields
from typing import Any, Literal, get_args

from similarity.errors import HeadError

Loss = Literal["multi-similarity", "triplet", "contrastive", "proxy-anchor"]
Split = Literal["item", "label"]
From = Literal["labels", "marks"]
LOSSES, SPLITS = get_args(Loss), get_args(Split)
MOST_DIM, MOST_EPOCHS = 2048, 1000
# Other defaults for feedback. There is little of it, one batch or two, so epochs are short; the head stays closer to
# the backbone; and with a dozen held-out queries it is chance which epoch was best. Measured with feedback that agrees
# with the labels of photographs of clothing: `docs/teaching.md`.
FEEDBACK_DEFAULTS = {"keep": 0.5, "epochs": 100, "patience": 0}


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of training a head; the same settings and pictures give the same head.

    The defaults from `members` on were chosen by measurements on photographs of clothing; see
    `docs/teaching.md`.

    Attributes:
        source: the training examples: labels of a gallery's pictures, or feedback ("marks") on its results.
        loss: see `losses.py`.
        layers: 1 for a linear projection, 2 for one with a hidden layer.
        dim: number of learned dimensions; the same number of principal components is added if `keep` is not 0.
        keep: the share of the cosine similarity that comes from those components, in 0..1; see `heads.py`.
        split: the held-out pictures: some items of each label, or some whole labels.
        folds: number of folds of the cross-validation.
        seed: seed of all random draws.
        epochs: length of the cycle of learning rates. Training stops earlier if held-out recall@1 has been below its
            best for `patience` epochs, and the best epoch is taken; with a patience of 0, the last.
        members: number of networks that are finally trained on all pictures and joined, which averages out chance.
        hidden: units of the hidden layer, if there are two layers.
        components: number of principal components of the embeddings that are the inputs.
        noise: normal noise that is added to inputs, in standard deviations of an embedding's numbers.
        dropout: the share of hidden units (of inputs, with one layer) that is dropped for each example.
        batch: examples in a batch.
        learning_rate, weight_decay: those of AdamW; the learning rate is the highest of the cycle.
    """

    source: From = "labels"
    loss: Loss = "multi-similarity"
    layers: int = 2
    dim: int = 128
    keep: float = 0.35
    split: Split = "item"
    folds: int = 4
    seed: int = 0
    epochs: int = 25
    patience: int = 10
    members: int = 4
    hidden: int = 1024
    components: int = 512
    noise: float = 0.9
    dropout: float = 0.2
    batch: int = 240
    learning_rate: float = 1e-3
    weight_decay: float = 0.1

    def __post_init__(self) -> None:
        """Raise HeadError if they are not valid."""
        wrong = [
            (self.loss not in LOSSES, f"The loss {self.loss!r} is not one of {', '.join(LOSSES)}."),
            (self.split not in SPLITS, f"The split {self.split!r} is not one of {', '.join(SPLITS)}."),
            (self.layers not in (1, 2), f"A head has 1 or 2 layers, not {self.layers}."),
            (not 2 <= self.dim <= MOST_DIM, f"A head learns 2 to {MOST_DIM:,} numbers, not {self.dim}."),
            (not 0 <= self.keep < 1, f"The share to keep is from 0 to below 1, not {self.keep}."),
            (not 2 <= self.folds <= 20, f"There can be 2 to 20 folds, not {self.folds}."),
            (
                min(self.members, self.hidden, self.components, self.batch) < 1,
                "A head needs one of everything at least.",
            ),
            (self.seed < 0, f"The seed is a number from 0 on, not {self.seed}."),
            (not (self.noise >= 0 and 0 <= self.dropout < 1), "Noise is 0 or more, and dropout a share below 1."),
            (not (self.learning_rate > 0 and self.weight_decay >= 0), "The learning rate must be more than 0."),
            (self.patience < 0, f"The patience is 0 or more epochs, not {self.patience}."),
            (not 1 <= self.epochs <= MOST_EPOCHS, f"There can be 1 to {MOST_EPOCHS:,} epochs, not {self.epochs}."),
        ]
        for is_wrong, sentence in wrong:
            if is_wrong:
                raise HeadError(sentence)

    @classmethod
    def choose(cls, source: From = "labels", **given: Any) -> "Settings":
        """Return the default settings for labels or feedback, with given ones in their place; None is not given."""
        others = FEEDBACK_DEFAULTS if source == "marks" else {}
        return cls(source=source, **(others | {name: value for name, value in given.items() if value is not None}))

    def to_json(self) -> dict[str, Any]:
        """Return the settings as JSON."""
        return asdict(self)

    @classmethod
    def from_json(cls, facts: Mapping[str, Any]) -> "Settings":
        """Read the value of `to_json`."""
        return cls(**{setting.name: facts[setting.name] for setting in fields(cls) if setting.name in facts})

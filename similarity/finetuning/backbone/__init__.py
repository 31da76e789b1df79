"""Fine-tuning of a backbone on a gallery's labelled pictures; takes time, or a GPU.

settings           the options
dataset            the pictures, decoded once, and random views of them
layers, precision  the trained weights, and the precision of training
training           the loop, in torch
worker, launcher   a separate process that does all of this

The result is another file of weights for the same backbone; see `embedding/backbones/tuned.py`.
"""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.finetuning.backbone.launcher import reindex, tune_backbone
    from similarity.finetuning.backbone.settings import PARTS, Part, TuneSettings
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "PARTS": "similarity.finetuning.backbone.settings",
            "Part": "similarity.finetuning.backbone.settings",
            "TuneSettings": "similarity.finetuning.backbone.settings",
            "reindex": "similarity.finetuning.backbone.launcher",
            "tune_backbone": "similarity.finetuning.backbone.launcher",
        },
    )

__all__ = ["PARTS", "Part", "TuneSettings", "reindex", "tune_backbone"]

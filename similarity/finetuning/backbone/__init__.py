"""Teaching a backbone itself, from a gallery's pictures and their labels; for those with time, or a GPU.

settings           what is asked for
pictures           what is learned from, decoded once, and views of it
parts, arithmetic  which of its weights are learned, and in which numbers
training           the loop, in torch
worker, process    all that in a process of its own

What comes of it is another file of weights for the same backbone; see `tuned.py`.
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

"""Teaching: from a gallery's labels, or from marks on its results, to a head that it is compared through.

settings           what is asked for
examples, marked   what is learned from, labels or marks, and what is held out; passing    either of them
lessons, losses    of metric learning
training           the loop, in torch
worth              what a head is worth, before and after
worker, process    all that in a process of its own
backbone           the same for the network itself, from pictures
"""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.finetuning.epochs import Epoch, OnEpoch
    from similarity.finetuning.launcher import finetune
    from similarity.finetuning.settings import LOSSES, SPLITS, From, Loss, Settings, Split
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "LOSSES": "similarity.finetuning.settings",
            "SPLITS": "similarity.finetuning.settings",
            "Epoch": "similarity.finetuning.epochs",
            "From": "similarity.finetuning.settings",
            "Loss": "similarity.finetuning.settings",
            "OnEpoch": "similarity.finetuning.epochs",
            "Settings": "similarity.finetuning.settings",
            "Split": "similarity.finetuning.settings",
            "finetune": "similarity.finetuning.launcher",
        },
    )

__all__ = ["LOSSES", "SPLITS", "Epoch", "From", "Loss", "OnEpoch", "Settings", "Split", "finetune"]

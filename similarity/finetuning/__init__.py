"""Training: from a gallery's labels, or from feedback on its results, to a head that transforms its embeddings.

settings                     the options
examples, feedback_examples  the training examples and their folds; example_files gathers and stores either kind
batches, losses              of metric learning
training                     the loop, in torch
validation                   metrics before and after training
worker, launcher             a separate process that does all of this
backbone                     the same for the network itself, from pictures
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

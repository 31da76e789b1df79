"""Teaching: from a gallery's labels, or from marks on its results, to a head that it is compared through.

settings           what is asked for
examples, marked   what is learned from, labels or marks, and what is held out; passing    either of them
lessons, losses    of metric learning
training           the loop, in torch
worth              what a head is worth, before and after
worker, process    all that in a process of its own
backbone           the same for the network itself, from pictures
"""

from similarity.finetuning.epochs import Epoch, OnEpoch
from similarity.finetuning.launcher import finetune
from similarity.finetuning.settings import LOSSES, SPLITS, From, Loss, Settings, Split

__all__ = ["LOSSES", "SPLITS", "Epoch", "From", "Loss", "OnEpoch", "Settings", "Split", "finetune"]

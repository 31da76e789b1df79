"""Fine-tuning of a backbone on a gallery's labelled pictures; takes time, or a GPU.

settings           the options
dataset            the pictures, decoded once, and random views of them
layers, precision  the trained weights, and the precision of training
training           the loop, in torch
worker, launcher   a separate process that does all of this

The result is another file of weights for the same backbone; see `embedding/backbones/tuned.py`.
"""

from similarity.finetuning.backbone.launcher import reindex, tune_backbone
from similarity.finetuning.backbone.settings import PARTS, Part, TuneSettings

__all__ = ["PARTS", "Part", "TuneSettings", "reindex", "tune_backbone"]

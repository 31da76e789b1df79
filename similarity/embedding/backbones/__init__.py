"""Pretrained networks: what there is, and how one is built with its weights."""

from similarity.embedding.backbones.backbone import Backbone, Preprocessing, TextTower, TokenIds, Tokenizer, WeightsFile
from similarity.embedding.backbones.building import build_network, build_text_network, check_installed
from similarity.embedding.backbones.registry import BACKBONES, get_backbone, understands_text

__all__ = [
    "BACKBONES",
    "Backbone",
    "Preprocessing",
    "TextTower",
    "TokenIds",
    "Tokenizer",
    "WeightsFile",
    "build_network",
    "build_text_network",
    "check_installed",
    "get_backbone",
    "understands_text",
]

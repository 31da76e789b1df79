"""Pretrained networks: the registry, and building them with their weights."""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.embedding.backbones.backbone import (
        Backbone,
        Preprocessing,
        TextTower,
        TokenIds,
        Tokenizer,
        WeightsFile,
    )
    from similarity.embedding.backbones.building import build_network, build_text_network, check_installed
    from similarity.embedding.backbones.registry import BACKBONES, get_backbone, understands_text
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "BACKBONES": "similarity.embedding.backbones.registry",
            "Backbone": "similarity.embedding.backbones.backbone",
            "Preprocessing": "similarity.embedding.backbones.backbone",
            "TextTower": "similarity.embedding.backbones.backbone",
            "TokenIds": "similarity.embedding.backbones.backbone",
            "Tokenizer": "similarity.embedding.backbones.backbone",
            "WeightsFile": "similarity.embedding.backbones.backbone",
            "build_network": "similarity.embedding.backbones.building",
            "build_text_network": "similarity.embedding.backbones.building",
            "check_installed": "similarity.embedding.backbones.building",
            "get_backbone": "similarity.embedding.backbones.registry",
            "understands_text": "similarity.embedding.backbones.registry",
        },
    )

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

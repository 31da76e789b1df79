"""Building networks and reading weights with the libraries they come from, each imported when it is needed."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any

from similarity.embedding.backbones.backbone import TextTower, TokenIds

if TYPE_CHECKING:
    from torch import Tensor, nn

    from similarity.embedding.backbones.backbone import StateDict

    Build = Callable[[], nn.Module]
    Adapt = Callable[[StateDict, nn.Module], StateDict]


def resnet50() -> nn.Module:
    """torchvision's, without its classification layer."""
    from torch import nn
    from torchvision.models import resnet50

    network: nn.Module = resnet50(weights=None)
    network.fc = nn.Identity()
    return network


def vit_b16() -> nn.Module:
    """torchvision's, whose feature is the class token after the last normalisation."""
    from torch import nn
    from torchvision.models import vit_b_16

    network: nn.Module = vit_b_16(weights=None)
    network.heads = nn.Identity()
    return network


def without(layer: str) -> Adapt:
    """Keep the keys of a state dict, without a classification layer of that name."""

    def adapt(state: StateDict, _: nn.Module) -> StateDict:
        return {key: value for key, value in state.items() if not key.startswith(f"{layer}.")}

    return adapt


def by_position(state: StateDict, network: nn.Module) -> StateDict:
    """Match tensors by position: other names, same order and shapes; the classifier's two come last and are dropped."""
    own = network.state_dict()
    if len(state) != len(own) + 2:
        raise ValueError("another number of tensors")
    return dict(zip(own, state.values(), strict=False))


def timm_features(name: str, **options: Any) -> Build:
    """timm's network of that name, with timm's own pooling of features."""

    def build() -> nn.Module:
        import timm

        network: nn.Module = timm.create_model(name, num_classes=0, **options)
        return network

    return build


def timm_state(name: str, **options: Any) -> Adapt:
    """Load a published state dict with timm, which knows older keys, and resamples position embeddings to another
    size of picture. The classification layer is removed afterwards, since timm checks for missing tensors only in a
    network that has it.
    """

    def adapt(state: StateDict, _: nn.Module) -> StateDict:
        import timm

        overlay = {"state_dict": state}
        network: Any = timm.create_model(name, pretrained=True, pretrained_cfg_overlay=overlay, **options)
        network.reset_classifier(0)
        features: StateDict = network.state_dict()
        return features

    return adapt


def clip(architecture: str) -> Any:
    """OpenCLIP's network of that name, both towers, with the activation that OpenAI trained with."""
    import open_clip

    return open_clip.CLIP(**open_clip.get_model_config(architecture), quick_gelu=True)


def clip_pictures(architecture: str) -> Build:
    """The tower for pictures, with the projection into the shared space."""

    def build() -> nn.Module:
        visual: nn.Module = clip(architecture).visual
        return visual

    return build


def of_pictures(state: StateDict, network: nn.Module) -> StateDict:
    """Select the tower for pictures from a CLIP's state dict, whose keys begin with `visual.`."""
    return {key: state[f"visual.{key}"] for key in network.state_dict()}


def clip_text(architecture: str, context: int) -> TextTower:
    """The tower for words, with OpenCLIP's tokenizer, whose vocabulary comes with it."""

    def build() -> nn.Module:
        from torch import nn

        class Words(nn.Module):
            """The text half of a CLIP."""

            def __init__(self) -> None:
                super().__init__()
                self.clip = clip(architecture)
                del self.clip.visual

            def forward(self, tokens: Tensor) -> Any:
                return self.clip.encode_text(tokens)

        return Words()

    def tokenizer() -> Callable[[Sequence[str]], TokenIds]:
        import open_clip

        tokenize = open_clip.get_tokenizer(architecture)
        return lambda texts: tokenize(list(texts)).numpy()

    return TextTower(context=context, build=build, adapt=_of_words, tokenizer=tokenizer)


def _of_words(state: StateDict, network: nn.Module) -> StateDict:
    return {key: state[key.removeprefix("clip.")] for key in network.state_dict()}

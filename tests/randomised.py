"""Random weights in the layout in which a backbone's real ones are published, and what its own library makes of them.

The real ones cannot be had in a test. Random networks map all pictures to nearly one point, where any two networks
would agree, so these are stirred until they tell pictures apart.

Chance is the same in every run, so that networks that were converted in another run are found again. Weights that the
default tier needs are kept beside those, and torch, which takes seconds to import, is imported only where it is used.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import filelock
import numpy as np
from PIL import Image

from similarity.embedding.backbones import BACKBONES, Backbone
from similarity.embedding.backbones.building import read_state_dict
from similarity.embedding.backbones.weights import find_weights

if TYPE_CHECKING:
    import torch
    from torch import nn

TIMM = {
    "dino-s16": "vit_small_patch16_224.dino",
    "dino-b8": "vit_base_patch8_224.dino",
    "dinov2-s14": "vit_small_patch14_dinov2.lvd142m",
    "dinov2-b14": "vit_base_patch14_dinov2.lvd142m",
    "dinov3-s16": "vit_small_patch16_dinov3.lvd1689m",
    "dinov3-b16": "vit_base_patch16_dinov3.lvd1689m",
    "siglip2-b16": "vit_base_patch16_siglip_224.v2_webli",
}
LITE = {"efficientnet-lite0": "tf_efficientnet_lite0", "efficientnet-lite2": "tf_efficientnet_lite2"}
# One backbone of two networks, whose real weights are bundled as well.
JOINED, JOINED_OF = "efficientnet-lite2+lite0", ("efficientnet-lite2", "efficientnet-lite0")
BUNDLED = {*LITE, JOINED}
CLIP = {"clip-b32": "ViT-B-32", "clip-b16": "ViT-B-16", "clip-l14": "ViT-L-14"}

# A CLIP as OpenCLIP builds it from a description of its own, with little in it: for what is not about one of the above.
SMALL_CLIP = "ViT-B-32-small"
SMALL_CLIP_CONFIG = {
    "embed_dim": 512,
    "vision_cfg": {"image_size": 224, "layers": 1, "width": 64, "head_width": 32, "patch_size": 32},
    "text_cfg": {"context_length": 77, "vocab_size": 49408, "width": 64, "heads": 2, "layers": 2},
}
# Weights of the default tier, which are small enough to be kept from run to run.
KEPT = ("resnet50", SMALL_CLIP)

if TYPE_CHECKING:
    Features = Callable[[torch.Tensor], torch.Tensor]
    Transform = Callable[[Image.Image], torch.Tensor]


def publish(name: str, home: Path, images: Sequence[Image.Image], architecture: str = "") -> Any:
    """Put weights where those of a backbone are looked for; returns the network of its library that they are from, or
    both networks.

    Args:
        architecture: by which it is known to its library, if it is not the one in the registry.
    """
    if name == JOINED:
        return [publish(each, home, images) for each in JOINED_OF]
    network = whole_network(name, architecture).eval()
    if name in LITE and (shipped := find_weights(BACKBONES[name])):  # real ones, which nothing comes before
        state = read_state_dict(shipped)
        network.load_state_dict(dict(zip(network.state_dict(), state.values(), strict=True)))
        return network
    network.load_state_dict(read_state_dict(publish_weights(name, home, images, architecture)))
    return network


def publish_weights(name: str, home: Path, images: Sequence[Image.Image], architecture: str = "") -> Path:
    """Put random weights where those of a backbone are looked for; returns where that is.

    Those that are not kept can be gigabytes, and so can be what is converted from them: the home gets networks of its
    own, which are not kept either.
    """
    path = home / "models" / BACKBONES[name].weights.file
    path.parent.mkdir(parents=True, exist_ok=True)
    if (architecture or name) in KEPT:
        kept = kept_folder(home) / f"{architecture}{path.name}"
        with filelock.FileLock(kept.with_suffix(".lock")):
            if not kept.exists():
                new = kept.with_name(f"new-{kept.name}")
                _write_weights(whole_network(name, architecture), new, images)
                new.replace(kept)
        path.symlink_to(kept)
    else:
        (home / "cache" / "networks").unlink()
        (home / "cache" / "networks").mkdir()
        _write_weights(whole_network(name, architecture), path, images)
    return path


def kept_folder(home: Path) -> Path:
    """Where weights are kept from one run to the next: beside the converted networks that a home shares with others."""
    networks = (home / "cache" / "networks").resolve()
    key = hashlib.sha256(Path(__file__).read_bytes()).hexdigest()[:12]
    folder = networks.with_name(f"weights-{key}-{networks.name}")
    folder.mkdir(exist_ok=True)
    return folder


def _write_weights(network: nn.Module, path: Path, images: Sequence[Image.Image]) -> None:
    """Of a network just made; the same for the same pictures."""
    import torch
    from safetensors.torch import save_file

    stir(network.eval())  # by the seed with which it was made
    if any(isinstance(module, torch.nn.BatchNorm2d) for module in network.modules()):
        settle(network, images)
    if path.suffix == ".safetensors":
        save_file(network.state_dict(), path)
    else:
        torch.save(network.state_dict(), path)


def publish_bytes(path: Path, content: bytes) -> None:
    """A file that is no weights."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)


def forget(home: Path) -> None:
    """Delete what can be gigabytes: published weights, and networks, unless they are kept."""
    shutil.rmtree(home / "models")
    networks = home / "cache" / "networks"
    if not networks.is_symlink():
        shutil.rmtree(networks)


def whole_network(name: str, architecture: str = "") -> Any:
    """The network as it is published, random by seed: with its classifier, for the pictures that it was trained on."""
    import torch

    torch.manual_seed(0)
    if name in CLIP:
        import open_clip

        return open_clip.CLIP(**open_clip.get_model_config(architecture or CLIP[name]), quick_gelu=True)
    import timm
    from torchvision import models

    if name in TIMM | LITE:
        return timm.create_model((TIMM | LITE)[name])
    return (models.vit_b_16 if name == "vit-b16" else models.resnet50)(weights=None)


def know_small_clip(folder: Path) -> None:
    """Tell OpenCLIP of the small one, for the rest of this process; nothing else knows its name."""
    import open_clip

    if SMALL_CLIP not in open_clip.list_models():
        file = folder / f"{SMALL_CLIP}.json"
        file.write_text(json.dumps(SMALL_CLIP_CONFIG))
        open_clip.add_model_config(file)


def stir(network: nn.Module) -> None:
    """Larger weights, and scales and shifts that are not all the same."""
    import torch

    with torch.no_grad():
        for parameter in network.parameters():
            if parameter.ndim == 1:
                parameter.add_(torch.randn_like(parameter), alpha=0.2)
            elif parameter.ndim == 2:
                parameter.mul_(2)


def settle(network: nn.Module, images: Sequence[Image.Image]) -> None:
    """Running statistics of some pictures, without which activations grow from layer to layer."""
    import torch

    pixels = np.stack([np.asarray(image.resize((224, 224))) for image in images])
    network.train()
    with torch.no_grad():
        for _ in range(2):
            network(torch.from_numpy(pixels).permute(0, 3, 1, 2) / 64 - 2)
    network.eval()


def features_of(name: str, network: Any) -> Features:
    """The library's own features: what it gives without a classifier, or `encode_image`."""
    import timm
    from torch import nn

    if name == JOINED:
        return joined_features_of(*(features_of(*one) for one in zip(JOINED_OF, network, strict=True)))
    if name in CLIP:
        encode: Features = network.encode_image
        return encode
    if name in TIMM:
        side = BACKBONES[name].preprocessing.crop
        smaller = timm.create_model(TIMM[name], num_classes=0, img_size=side).eval()
        adapt = sys.modules[type(smaller).__module__].checkpoint_filter_fn  # resamples the position embeddings
        smaller.load_state_dict(adapt(network.state_dict(), smaller), strict=False)
        return smaller
    if name in LITE:
        network.reset_classifier(0)
    elif name == "vit-b16":
        network.heads = nn.Identity()
    else:
        network.fc = nn.Identity()
    features: Features = network
    return features


def joined_features_of(first: Features, second: Features) -> Features:
    """Features of two networks beside each other; the second is given a smaller picture and counts less."""
    import torch
    from torch.nn import functional

    def features(pixels: torch.Tensor) -> torch.Tensor:
        small = functional.interpolate(pixels, (224, 224), mode="bilinear", antialias=True)
        return torch.cat([first(pixels), 0.6 * second(small)], dim=1)

    return features


def transform_of(backbone: Backbone) -> Transform:
    """The library's own way to prepare a picture for a network."""
    import open_clip
    import timm
    from torchvision import models

    name, transform = backbone.name, None
    if name in CLIP:
        config = open_clip.get_pretrained_cfg(CLIP[name], "openai")
        kept = ("mean", "std", "interpolation", "resize_mode")
        size = open_clip.get_model_config(CLIP[name])["vision_cfg"]["image_size"]
        transform = open_clip.image_transform(size, is_train=False, **{key: config[key] for key in kept})
    elif name in TIMM or name.startswith("timm:"):
        pretrained = timm.get_pretrained_cfg(TIMM.get(name, name.removeprefix("timm:"))).to_dict()
        smaller = {"img_size": 224} if name.startswith("dinov2") else {}
        data = timm.data.resolve_data_config(smaller, pretrained_cfg=pretrained)
        transform = timm.data.create_transform(**data)
    elif name == "vit-b16":
        transform = models.ViT_B_16_Weights.IMAGENET1K_V1.transforms()
    elif name.startswith("resnet50"):
        weights = models.ResNet50_Weights
        transform = (weights.IMAGENET1K_V2 if name.endswith("v2") else weights.IMAGENET1K_V1).transforms()
    if transform is None:
        raise ValueError(f"{name} is prepared for as its weights' package says")
    result: Transform = transform
    return result


def cosines_about_the_mean(ours: np.ndarray, theirs: np.ndarray) -> np.ndarray:
    """For each row the cosine of two embeddings of a picture, after what all pictures have in common is taken away."""
    centred = [one - theirs.mean(axis=0) for one in (ours, theirs)]
    ours, theirs = (one / np.linalg.norm(one, axis=1, keepdims=True) for one in centred)
    return (ours * theirs).sum(axis=1)

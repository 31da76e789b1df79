"""Networks of timm by their own names, such as `timm:convnext_tiny.fb_in22k`, with timm's own preprocessing.

Facts from timm are cached under SIMILARITY_HOME/cache, since importing timm and torch takes seconds.
"""

from __future__ import annotations

import difflib
import importlib.metadata
import logging
import math
import re
from functools import cache
from typing import Any

from similarity.cache import read_notes, write_note
from similarity.embedding.backbones.backbone import Backbone, Preprocessing, WeightsFile
from similarity.embedding.backbones.libraries import timm_features, timm_state
from similarity.errors import ModelError

PREFIX = "timm:"
NOTES = "timm-names.json"
SUGGESTIONS = 3
# A file's address that ends like this has the leading digits of its SHA-256 in it, by torch.hub's convention.
DIGITS = re.compile(r"-([0-9a-f]{8,})\.\w+$")

logger = logging.getLogger(__name__)


@cache
def timm_backbone(name: str) -> Backbone:
    """The backbone of a name that begins with `timm:`; one without its weights' tag gets those that timm prefers.

    Raises:
        ModelError: timm has no weights of that name, or pictures cannot be prepared for that network here.
    """
    wanted = name.removeprefix(PREFIX)
    key = f"{wanted}, timm {importlib.metadata.version('timm')}"
    try:
        return _entry(read_notes(NOTES)[key])
    except (KeyError, TypeError, ValueError, AttributeError):  # not noted, or not by this version
        facts = _ask_timm(wanted)
        write_note(NOTES, key, facts)
        return _entry(facts)


def _entry(facts: dict[str, Any]) -> Backbone:
    """The backbone with these noted facts."""
    name, how, source = facts["name"], facts["preprocessing"], facts["weights"]
    if source["repository"]:
        weights = WeightsFile.on_hub(source["repository"], source["file"], f"{name}.safetensors")
    else:
        digits = DIGITS.search(source["url"])
        file = source["url"].rsplit("/", 1)[1]
        weights = WeightsFile(file=file, url=source["url"], sha256_prefix=digits[1] if digits else "")
    return Backbone(
        name=PREFIX + name,
        title=f"{name} (timm)",
        dim=int(facts["dim"]),
        licence=facts["licence"],
        preprocessing=Preprocessing(**how | {"mean": tuple(how["mean"]), "std": tuple(how["std"])}),
        weights=weights,
        build=timm_features(name),
        adapt=timm_state(name),
    )


def _ask_timm(name: str) -> dict[str, Any]:
    """Look a network up in timm; its facts in JSON's own types."""
    import timm
    from timm.data.config import resolve_model_data_config

    try:
        config = timm.get_pretrained_cfg(name, allow_unregistered=False)
    except RuntimeError:
        config = None
    if config is None or not (config.hf_hub_id or config.url):
        close = difflib.get_close_matches(name, timm.list_models(pretrained=True), n=SUGGESTIONS, cutoff=0)
        raise ModelError(
            f"timm has no pretrained network named {name!r}: perhaps {', '.join(close[:-1])} or {close[-1]}."
        )
    full_name = ".".join(part for part in (config.architecture, config.tag) if part)
    network = _build_cheaply(full_name)
    data: dict[str, Any] = resolve_model_data_config(network)  # type: ignore[no-untyped-call]
    _check_supported(full_name, data)
    side = data["input_size"][1]
    return {
        "name": full_name,
        "dim": _count_features(network, side),
        "licence": config.license or "not stated by timm",
        "preprocessing": {
            "resize": math.floor(side / data["crop_pct"]),
            "crop": side,
            "interpolation": data["interpolation"],
            "mean": list(data["mean"]),
            "std": list(data["std"]),
            "fit": "squash" if data["crop_mode"] == "squash" else "shorter",
        },
        "weights": {
            "repository": config.hf_hub_id,
            "file": config.hf_hub_filename or "model.safetensors",
            "url": config.url,
        },
    }


def _check_supported(name: str, data: dict[str, Any]) -> None:
    """Raise ModelError for a network whose preprocessing is not supported."""
    channels, height, width = data["input_size"]
    if channels != 3 or len(data["mean"]) != 3 or len(data["std"]) != 3:
        raise ModelError(
            f"{name} cannot be used: it takes pictures of {channels} channels, not of red, green and blue."
        )
    if height != width:
        raise ModelError(
            f"{name} cannot be used: it takes pictures of {width} x {height} pixels, and only squares are supported."
        )
    if data["crop_mode"] not in ("center", "squash") or data.get("crop_border_pixels"):
        raise ModelError(f"{name} cannot be used: it takes pictures with a border around them, which is not supported.")
    if data["interpolation"] not in ("bilinear", "bicubic"):
        raise ModelError(f"{name} cannot be used: it takes pictures that are resized by {data['interpolation']}.")


def _build_cheaply(name: str) -> Any:
    """The network without memory for its weights, or with it if its code cannot do without."""
    import torch

    build = timm_features(name)
    try:
        with torch.device("meta"):
            return build().eval()
    except (RuntimeError, NotImplementedError) as error:
        logger.debug("%s is built for real: %s", name, error)
        return build().eval()


def _count_features(network: Any, side: int) -> int:
    """Length of the vector that a network makes of a picture."""
    import torch

    device = next(network.parameters()).device
    with torch.inference_mode():
        shape = network(torch.zeros(1, 3, side, side, device=device)).shape
    if len(shape) != 2:
        raise ModelError(
            f"{network.default_cfg['architecture']} cannot be used: it does not output one vector for a picture."
        )
    return int(shape[1])

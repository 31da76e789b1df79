"""Fine-tuning of backbones, on timm's smallest networks; their weights are random ones that the tests put in place."""

import hashlib
import json
import shlex
import shutil
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL, draw
from mps import have_mps, play_mps
from typer.testing import CliRunner
from workers import run_here, running_here

from similarity import Embedder, Gallery
from similarity.cli import app
from similarity.embedding.backbones import build_network, get_backbone
from similarity.embedding.backbones.building import read_state_dict
from similarity.embedding.backbones.tuned import Tuned, choose_tuned, find_tuned, keep_tuned, read_tuned, tuned_path
from similarity.embedding.backbones.weights import ModelChoice, weights_sha256
from similarity.embedding.openvino_models import find_network
from similarity.errors import GalleryError, HeadError, ModelError, WeightsError
from similarity.finetuning import Epoch
from similarity.finetuning.backbone import TuneSettings, reindex, tune_backbone
from similarity.finetuning.backbone.dataset import Pictures, read_pictures
from similarity.finetuning.backbone.layers import batch_norms, choose_weights, find_blocks
from similarity.finetuning.backbone.precision import Arithmetic, arithmetic_here, choose_arithmetic
from similarity.finetuning.backbone.training import Tuner
from similarity.finetuning.backbone.worker import main, teach
from similarity.indexing.operations import update
from similarity.indexing.options import IndexOptions
from similarity.paths import models_folder
from similarity.processes import running_module
from similarity.progress import Progress
from similarity.sources import Item, open_source
from similarity.vectors.heads import Card
from similarity.vectors.methods import CLOSER, POWER

TINY = "timm:test_resnet.r160_in1k"
# A step that is seen at once.
QUICK = TuneSettings(epochs=1, batch=12, learning_rate=0.01)


@pytest.fixture(scope="module", autouse=True)
def in_this_process() -> Iterator[None]:
    """Networks are converted and fine-tuned in this process, where torch is loaded once."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("similarity.embedding.openvino_models.run_module", run_here)
        patch.setattr("similarity.finetuning.backbone.launcher.running_module", running_here)
        yield


@pytest.fixture(scope="module")
def weights(home: Path) -> Iterator[Path]:
    """Random weights where those of the tiny network are looked for."""
    import torch
    from safetensors.torch import save_file

    torch.manual_seed(0)
    backbone = get_backbone(TINY)
    path = models_folder() / backbone.weights.file
    path.parent.mkdir(exist_ok=True)
    save_file(backbone.build().state_dict(), path)
    assert path.is_relative_to(home)
    yield path
    path.unlink()


@pytest.fixture(scope="module")
def gallery(weights: Path, pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    choice = ModelChoice(get_backbone(TINY), weights)
    return Gallery.build(pictures, tmp_path_factory.mktemp("tuning") / "tiny", model=choice)


@pytest.fixture(scope="module")
def heard() -> list[Any]:
    """What was told while `tuned` was made."""
    return []


@pytest.fixture(scope="module")
def tuned(gallery: Gallery, heard: list[Any]) -> Tuned:
    return tune_backbone(gallery, QUICK, on_epoch=heard.append, progress=heard.append)


@pytest.fixture(scope="module")
def remade(gallery: Gallery, tuned: Tuned, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """The gallery with its tuned weights."""
    return reindex(gallery, tuned.path, tmp_path_factory.mktemp("tuning") / "remade")


@pytest.fixture(scope="module")
def decoded(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Pictures:
    items = open_source(pictures).items
    codes = np.repeat(np.arange(3, dtype=np.int32), 5)
    return read_pictures(items, codes, get_backbone(TINY).preprocessing, tmp_path_factory.mktemp("decoded"))


def make_tuner(pictures: Pictures, weights: Path, settings: TuneSettings = QUICK, model: str = TINY) -> Tuner:
    backbone, arithmetic = get_backbone(model), Arithmetic("cpu", None)
    return Tuner(build_network(backbone, weights), pictures, np.arange(15), backbone.dim, settings, arithmetic)


def norm_keys(features: Any) -> set[str]:
    """What a network's layers that normalise by batches have in its state dict, statistics and weights."""
    norms = set(batch_norms(features))
    names = [name for name, module in features.named_modules() if module in norms]
    assert names
    return {key for key in features.state_dict() if key.rpartition(".")[0] in names}


def silent(_: object) -> None:
    """Nobody listens."""


@pytest.mark.exhaustive
def test_tuned_weights_are_kept_by_their_digest_with_a_card(tuned: Tuned, gallery: Gallery, weights: Path) -> None:
    sha256 = weights_sha256(tuned.path)
    assert tuned.path == models_folder() / "tuned" / f"timm-test_resnet.r160_in1k-{sha256[:12]}.safetensors"
    assert find_tuned(TINY, sha256) == tuned.path
    card = tuned.card
    assert (card.model, card.weights_sha256, card.loss) == (TINY, weights_sha256(weights), "multi-similarity")
    assert card.data["gallery"] == gallery.name
    assert (card.data["pictures"], card.data["labels"], card.data["unreadable"]) == (15, 3, 0)
    assert {"recall@1", "map@r"} == set(card.before) == set(card.after)
    assert card.settings["part"] == "last"
    assert card.settings["precision"] == "float32"
    assert card.seconds > 0
    assert {"torch", "torchvision", "timm"} <= set(card.versions)
    assert read_tuned(tuned.path) == tuned


@pytest.mark.exhaustive
def test_it_is_learned_in_a_process_of_its_own(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.finetuning.backbone.launcher.running_module", running_module)
    epochs: list[Epoch] = []
    made = tune_backbone(gallery, replace(QUICK, seed=1), on_epoch=epochs.append)
    assert [epoch.number for epoch in epochs] == [1]
    assert made.path.exists()


def test_it_tells_how_it_goes(tuned: Tuned, heard: list[Any]) -> None:
    (epoch,) = [one for one in heard if isinstance(one, Epoch)]
    assert (epoch.number, epoch.of) == (1, 1)
    assert epoch.recall is not None
    told = [one for one in heard if isinstance(one, Progress)]
    assert {one.task for one in told} == {"Reading pictures", "Comparing", "Epoch 1 of 1"}
    assert (told[-1].done, told[-1].total) == (15, 15)
    assert not list((models_folder().parent / "cache").glob("tuning-*")), "what was only needed meanwhile is gone"
    assert tuned.path.exists()


def test_a_tuned_file_is_the_whole_network_and_only_the_last_part_is_another(tuned: Tuned, weights: Path) -> None:
    import torch

    backbone = get_backbone(TINY)
    before, after = read_state_dict(weights), read_state_dict(tuned.path)
    assert sorted(after) == sorted(backbone.build().state_dict())
    changed = {key for key in before if not torch.equal(before[key], after[key])}
    assert changed
    assert all(key.startswith(("layer3", "layer4")) for key in changed)
    features = build_network(backbone, tuned.path).get_submodule("features")
    assert not changed & norm_keys(features), "what is known of batches stays as it was"
    loaded = features.state_dict()
    assert all(torch.equal(loaded[key], after[key]) for key in after)


def test_all_can_be_learned_with_any_loss_but_never_the_statistics_of_batches(decoded: Pictures, weights: Path) -> None:
    import torch

    settings = TuneSettings(part="all", loss="proxy-anchor", epochs=1, batch=12)
    tuner = make_tuner(decoded, weights, settings)
    before = {key: value.clone() for key, value in tuner.features.state_dict().items()}
    assert np.isfinite(tuner.learn(1, silent))
    after = tuner.features.state_dict()
    same = {key for key, value in after.items() if torch.equal(value, before[key])}
    assert same == norm_keys(tuner.features)


def test_going_back_gives_what_it_was_at_its_best(decoded: Pictures, weights: Path) -> None:
    tuner = make_tuner(decoded, weights)
    state, vectors = tuner.state(), tuner.embed(silent)
    tuner.learn(1, silent)
    assert not np.array_equal(tuner.embed(silent), vectors)
    tuner.restore(state)
    assert np.array_equal(tuner.embed(silent), vectors)


@pytest.mark.exhaustive
def test_the_same_seed_makes_the_same_weights(pictures: Path, weights: Path, tmp_path: Path) -> None:
    import torch

    items, codes = open_source(pictures).items, [0] * 5 + [1] * 5 + [2] * 5
    made = []
    for number, seed in enumerate((0, 0, 1)):
        folder = tmp_path / str(number)
        folder.mkdir()
        settings, card = replace(QUICK, seed=seed), Card(TINY, weights_sha256(weights), "multi-similarity")
        teach(items, codes, settings, card, weights, "none", POWER, folder / "made.safetensors")
        made.append(read_state_dict(folder / "made.safetensors"))
    assert all(torch.equal(made[0][key], made[1][key]) for key in made[0])
    assert not all(torch.equal(made[0][key], made[2][key]) for key in made[0])


@pytest.mark.exhaustive
def test_a_gallery_is_made_with_tuned_weights_and_stays_in_step_with_its_source(
    tuned: Tuned, gallery: Gallery, remade: Gallery, pictures: Path
) -> None:
    assert remade.manifest.weights_sha256 == weights_sha256(tuned.path)
    assert (remade.manifest.model, remade.manifest.source) == (TINY, gallery.manifest.source)
    assert [item.label for item in remade.items] == [item.label for item in gallery.items]
    assert not np.allclose(remade.embeddings[:], gallery.embeddings[:])
    hit = remade.search(remade.items[3].path, k=1)[0]
    assert (hit.item.id, hit.score > 0.999) == (remade.items[3].id, True)
    report = update("sync", open_source(pictures), remade.directory, Embedder.restore)
    assert report.counts["unchanged"] == 15
    assert report.embedded == 0


def test_the_gallery_of_tuned_weights_has_the_view_and_the_quality_of_the_one_before(
    weights: Path, tuned: Tuned, own_pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = IndexOptions(ModelChoice(get_backbone(TINY), weights), view="both", quality="best", gps=True)
    long = Gallery.build(own_pictures, tmp_path / "long", options)
    made = reindex(long, tuned.path, tmp_path / "made").manifest
    assert (made.view, made.neighbour_power, made.gps) == ("both", CLOSER, True)
    assert made.weights_sha256 == weights_sha256(tuned.path)
    assert task_of(long, monkeypatch)["neighbour_power"] == CLOSER, "its trial is measured with them, too"
    monkeypatch.setattr("similarity.finetuning.backbone.tune_backbone", lambda *_, **__: tuned)
    done = CliRunner().invoke(app, ["finetune", "--gallery", str(long.directory), "--backbone", "last"])
    told = shlex.split(done.stdout.split("To use them: `")[1].split("`")[0])
    assert told[3:7] == ["index", str(own_pictures), "--gallery", "NEW"]
    assert told[7:] == ["--view", "both", "--quality", "best", "--weights", str(tuned.path), "--gps"]


def task_of(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the process that fine-tunes is told of a gallery; it is not started."""
    told: dict[str, Any] = {}

    def stop(_: str, task: Path, __: Path) -> None:
        told.update(json.loads(task.read_text()))
        raise HeadError("enough")

    monkeypatch.setattr("similarity.finetuning.backbone.launcher.running_module", stop)
    with pytest.raises(HeadError, match="enough"):
        tune_backbone(gallery, QUICK)
    return told


def test_the_command_line_indexes_with_tuned_weights(tuned: Tuned, remade: Gallery, pictures: Path) -> None:
    command = ["index", str(pictures), "--gallery", str(remade.directory), "--weights", str(tuned.path)]
    done = CliRunner().invoke(app, [*command, "--model", TINY, "--json"])
    told = json.loads(done.stdout)
    assert (told["model"], told["indexed"], told["embedded"]) == (TINY, 15, 0), "they are those that it has"
    done = CliRunner().invoke(app, [*command, "--model", MODEL])
    assert done.exit_code == 1
    assert f"was fine-tuned from {TINY} and does not fit {MODEL}" in " ".join(done.stderr.split())


def test_it_embeds_as_the_training_did(tuned: Tuned, decoded: Pictures) -> None:
    embedder = Embedder.load(choose_tuned(tuned.path), precision="f32")
    by_training = make_tuner(decoded, tuned.path).embed(silent)
    own = next(embedder.embed_stream([decoded.middle(np.arange(4))]))
    assert np.allclose(own, by_training[:4], atol=1e-4)
    assert np.allclose(embedder.embed([draw("dots", 0)]), by_training[:1], atol=0.05)  # which never was a JPEG


@pytest.mark.exhaustive
def test_a_tuned_gallery_opens_again_when_the_network_cache_is_gone(
    tuned: Tuned, remade: Gallery, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIMILARITY_HOME", str(tmp_path / "home"))  # with nothing in it
    kept = tmp_path / "elsewhere.safetensors"
    shutil.copyfile(tuned.path, kept)
    assert choose_tuned(kept).weights == tmp_path / "home" / "models" / "tuned" / tuned.path.name
    again = Gallery.open(remade.directory)
    hit = again.search(remade.items[2].path, k=1)[0]
    assert (hit.item.id, hit.score > 0.999) == (remade.items[2].id, True)


def test_a_tuned_gallery_without_its_weights_says_which_file_is_missing(
    gallery: Gallery, remade: Gallery, weights: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    network = find_network(get_backbone(TINY), gallery.manifest.weights_sha256)
    assert network
    home = tmp_path / "home"
    shutil.copytree(network, home / "cache" / "networks" / network.name)  # that of the published weights
    (home / "models").mkdir()
    shutil.copyfile(weights, home / "models" / weights.name)
    monkeypatch.setenv("SIMILARITY_HOME", str(home))
    digits = remade.manifest.weights_sha256[:12]
    with pytest.raises(GalleryError, match=rf"SHA-256 begins with {digits}: put those back, into /.*/models/tuned"):
        _ = Gallery.open(remade.directory).embedder


def test_published_weights_that_cannot_be_the_ones_are_not_downloaded(
    empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from similarity.embedding.backbones.tuned import find_choice

    monkeypatch.setattr(
        "similarity.embedding.backbones.tuned.obtain_weights", lambda _: pytest.fail("they were downloaded")
    )
    with pytest.raises(WeightsError, match=r"put resnet50-abababababab\.safetensors back into /.*/models/tuned"):
        find_choice(get_backbone("resnet50"), "ab" * 32)
    assert not (empty_home / "models").exists()


def test_files_that_are_no_tuned_weights_are_refused_by_name(tuned: Tuned, weights: Path, tmp_path: Path) -> None:
    whole = tuned.path.read_bytes()
    cut, junk, changed = tmp_path / "cut.safetensors", tmp_path / "junk.safetensors", tmp_path / tuned.path.name
    cut.write_bytes(whole[: len(whole) // 2])
    junk.write_bytes(b"no weights at all")
    changed.write_bytes(whole[:-1] + bytes([whole[-1] ^ 1]))
    for path in (cut, junk, weights):
        with pytest.raises(WeightsError, match=rf"{path.name} is damaged, or does not contain weights that were fine-"):
            choose_tuned(path)
    with pytest.raises(WeightsError, match="is damaged: its content does not match its name"):
        choose_tuned(changed)
    with pytest.raises(WeightsError, match="could not be read"):
        choose_tuned(tmp_path / "gone.safetensors")
    with pytest.raises(WeightsError, match="could not be read"):
        choose_tuned(tmp_path)


def test_weights_of_another_model_are_refused(tuned: Tuned, tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    with pytest.raises(WeightsError, match=f"was fine-tuned from {TINY} and does not fit {MODEL}"):
        choose_tuned(tuned.path, MODEL)
    with pytest.raises(WeightsError, match=f"was fine-tuned from {TINY} and does not fit EfficientNet-Lite2"):
        build_network(get_backbone(MODEL), tuned.path)
    for model in ("resnet51", MODEL):
        header = {"format": "tuned-1", "model": model, "card": json.dumps(Card(model, "0" * 64, "triplet").to_json())}
        save_file({"conv1.weight": np.zeros(3, np.float32)}, tmp_path / f"{model}.safetensors", header)
    with pytest.raises(WeightsError, match="from an unknown model: There is no model named 'resnet51'"):
        choose_tuned(tmp_path / "resnet51.safetensors")
    with pytest.raises(WeightsError, match="is damaged or does not contain the weights of EfficientNet-Lite2"):
        build_network(get_backbone(MODEL), tmp_path / f"{MODEL}.safetensors")


def test_weights_with_an_unreadable_card_are_refused(tmp_path: Path) -> None:
    from safetensors.numpy import save_file

    path = tmp_path / "odd.safetensors"
    for card in ("[1", "{}", "[]", "3"):
        save_file({"x": np.zeros(1, np.float32)}, path, {"format": "tuned-1", "model": MODEL, "card": card})
        with pytest.raises(WeightsError, match="the description of its weights cannot be read"):
            read_tuned(path)


def test_weights_that_cannot_be_kept_are_an_error(tuned: Tuned, empty_home: Path) -> None:
    (empty_home / "models").write_text("no folder")
    with pytest.raises(WeightsError, match="could not be written to"):
        keep_tuned(tuned.path, TINY)
    assert tuned_path(TINY, "0" * 64).name == "timm-test_resnet.r160_in1k-000000000000.safetensors"


def test_a_model_that_understands_words_is_refused(gallery: Gallery) -> None:
    opened = Gallery.open(gallery.directory)
    opened.manifest = replace(opened.manifest, model="clip-b32")
    with pytest.raises(HeadError, match="would not understand words any more"):
        tune_backbone(opened)


def test_a_model_whose_library_is_missing_names_it(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    missing = replace(get_backbone(MODEL), requires="no-such-library")
    monkeypatch.setattr("similarity.finetuning.backbone.launcher.get_backbone", lambda _: missing)
    with pytest.raises(ModelError, match="run `pip install no-such-library`"):
        tune_backbone(gallery)


@pytest.mark.exhaustive
def test_a_gallery_with_one_label_is_refused(weights: Path, pictures: Path, tmp_path: Path) -> None:
    choice = ModelChoice(get_backbone(TINY), weights)
    shutil.copytree(pictures / "dots", tmp_path / "of" / "dots")
    one = Gallery.build(tmp_path / "of", tmp_path / "one", model=choice)
    with pytest.raises(HeadError, match="training needs at least two labels"):
        tune_backbone(one)


def test_a_gallery_whose_weights_are_others_by_now_is_refused(gallery: Gallery) -> None:
    opened = Gallery.open(gallery.directory)
    opened.manifest = replace(opened.manifest, weights_sha256="ab" * 32)
    with pytest.raises(WeightsError, match="whose SHA-256 begins with abababababab"):
        tune_backbone(opened)


def test_a_process_that_dies_is_an_error_with_a_remedy(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    def dying(_: str, *__: object) -> Any:
        return running_module("similarity.embedding.converter")  # which needs arguments

    monkeypatch.setattr("similarity.finetuning.backbone.launcher.running_module", dying)
    with pytest.raises(HeadError, match="try again with a smaller batch"):
        tune_backbone(gallery, QUICK)


def test_pictures_that_are_gone_or_others_by_now_are_left_out(own_pictures: Path, tmp_path: Path) -> None:
    items = [replace(item, sha256=_digest(item)) for item in open_source(own_pictures).items]
    codes = np.repeat(np.arange(3, dtype=np.int32), 5)
    how = get_backbone(TINY).preprocessing
    Path(items[0].path).unlink()
    Path(items[6].path).write_bytes(b"no picture")
    draw("dots", 9).save(items[7].path)
    for item in items[10:]:
        Path(item.path).unlink()
    kept = read_pictures(items, codes, how, tmp_path)
    assert kept.codes.tolist() == [0, 0, 0, 0, 1, 1, 1]
    expected = [1, 2, 3, 4, 5, 8, 9]
    for place, number in enumerate(expected):
        alone = read_pictures([items[number]], codes[:1], how, _made(tmp_path / str(number)))
        assert (alone.pixels[0] == kept.pixels[place]).all()
    with pytest.raises(HeadError, match="None of the pictures can be read any more"):
        read_pictures(items[10:], codes[10:], how, _made(tmp_path / "none"))


def test_a_disk_that_is_too_small_is_an_error_before_it_is_full(
    pictures: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    usage = shutil.disk_usage(tmp_path)._replace(free=1000)
    monkeypatch.setattr("similarity.finetuning.backbone.dataset.shutil.disk_usage", lambda _: usage)
    items = open_source(pictures).items
    with pytest.raises(HeadError, match=r"take 0\.0 GB, and there are 0\.0 GB in"):
        read_pictures(items, np.zeros(15, np.int32), get_backbone(TINY).preprocessing, tmp_path)


def test_the_middle_of_a_decoded_picture_is_what_a_gallery_embeds(pictures: Path, tmp_path: Path) -> None:
    from similarity.embedding.views import preprocess
    from similarity.images.decoding import decode_scaled

    items = open_source(pictures).items[:4]
    for name in (MODEL, "resnet50", "resnet50-v2", "dino-s16", "dinov2-s14", TINY):
        how = get_backbone(name).preprocessing
        made = read_pictures(items, np.zeros(4, np.int32), how, _made(tmp_path / str(how.resize) / name))
        for row, item in enumerate(items):
            image = decode_scaled(Path(item.path).read_bytes(), item.path, side=how.resize).image
            # Where a pixel lies exactly between two values, either may come of it.
            differs = np.abs(made.middle(np.array([row]))[0].astype(int) - preprocess(image, how))
            assert differs.max() <= 3, name
            assert differs.mean() < 0.5, name


def test_views_differ_from_each_other_and_are_the_same_for_the_same_seed(decoded: Pictures) -> None:
    batches = [np.array([0, 0, 1]), np.array([2]), np.array([3, 4])]
    once, again, other = (list(decoded.views(batches, seed)) for seed in ([0, 1], [0, 1], [0, 2]))
    assert [rows.tolist() for rows, _ in once] == [batch.tolist() for batch in batches]
    assert all((a == b).all() for (_, a), (_, b) in zip(once, again, strict=True))
    first = once[0][1]
    assert (first.shape, first.dtype) == ((3, 160, 160, 3), np.uint8)
    assert (first[0] != first[1]).any()
    assert (first != other[0][1]).any()


@pytest.mark.parametrize(
    ("model", "count", "first_learned"),
    [
        ("resnet50", 18, "layer3.3"),
        ("efficientnet-lite2", 25, "blocks.5.0"),
        ("vit-b16", 14, "encoder.layers.encoder_layer_9"),
        ("dino-s16", 14, "blocks.9"),
    ],
)
def test_the_last_part_is_the_last_third_of_the_blocks(model: str, count: int, first_learned: str) -> None:
    import torch

    with torch.device("meta"):
        features = get_backbone(model).build()
    names = {id(module): name for name, module in features.named_modules()}
    assert len(list(find_blocks(features))) == count
    everything = {id(one) for norm in batch_norms(features) for one in norm.parameters()}
    learned = choose_weights(features, "last")
    assert learned.before == []
    assert {name for name, one in features.named_parameters() if one.requires_grad} == {
        name
        for name, one in features.named_parameters()
        if id(one) not in everything and id(one) in {id(each) for each in learned.last}
    }
    first = list(find_blocks(features))[-(count // 3)]
    assert names[id(first)] == first_learned
    both = choose_weights(features, "all")
    assert len(both.last) == len(learned.last)
    assert len(both.before) > 0


def test_of_two_networks_the_last_part_is_that_of_each() -> None:
    import torch

    learned = []
    for model in ("efficientnet-lite2+lite0", "efficientnet-lite2", "efficientnet-lite0"):
        with torch.device("meta"):
            features = get_backbone(model).build()
        choose_weights(features, "last")
        learned.append({name for name, one in features.named_parameters() if one.requires_grad})
    both, *each = learned
    assert both == {f"branches.{number}.{name}" for number, names in enumerate(each) for name in names}


@pytest.mark.parametrize(
    ("has_cuda", "has_bfloat16", "device", "half", "scales"),
    [
        (False, False, "cpu", None, False),
        (False, True, "cpu", None, False),
        (True, True, "cuda", "bfloat16", False),
        (True, False, "cuda", "float16", True),
    ],
)
def test_half_precision_is_for_gpus_and_float16_has_its_gradients_scaled(
    has_cuda: bool, has_bfloat16: bool, device: str, half: str | None, scales: bool
) -> None:
    chosen = choose_arithmetic(has_cuda=has_cuda, has_bfloat16=has_bfloat16)
    assert (chosen.device, chosen.half, chosen.scales) == (device, half, scales)


def test_apple_silicon_is_trained_on_in_float32_unless_there_is_cuda() -> None:
    chosen = [choose_arithmetic(has_cuda=has_cuda, has_bfloat16=True, has_mps=True) for has_cuda in (False, True)]
    assert [(one.device, one.half, one.scales) for one in chosen] == [("mps", None, False), ("cuda", "bfloat16", False)]


def test_this_computer_trains_on_apple_silicon_if_it_says_that_it_has_it(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("torch.cuda.is_available", lambda: False)
    have_mps(monkeypatch)
    assert arithmetic_here() == Arithmetic("mps", None)


def test_training_on_apple_silicon_is_that_of_the_cpu(
    decoded: Pictures, weights: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    backbone, rows = get_backbone(TINY), np.arange(15)
    sent = play_mps(monkeypatch)
    on_cpu, on_mps = (
        Tuner(build_network(backbone, weights), decoded, rows, backbone.dim, QUICK, Arithmetic(device, None))
        for device in ("cpu", "mps")
    )
    assert sent[0] == "network"
    assert on_mps.learn(1, silent) == pytest.approx(on_cpu.learn(1, silent), rel=0.01)
    assert (on_mps.embed(silent) * on_cpu.embed(silent)).sum(axis=1).min() > 0.99
    assert sent.count("numbers") > 2


@pytest.mark.exhaustive
@pytest.mark.parametrize("half", ["bfloat16", "float16"])
def test_half_precision_learns_about_the_same(half: Any, decoded: Pictures, weights: Path) -> None:
    """On a CPU, which is told to do as a GPU would: there may be none."""
    backbone, rows = get_backbone(TINY), np.arange(15)
    whole, other = (
        Tuner(build_network(backbone, weights), decoded, rows, backbone.dim, QUICK, arithmetic)
        for arithmetic in (Arithmetic("cpu", None), Arithmetic("cpu", half))
    )
    losses = [tuner.learn(1, silent) for tuner in (whole, other)]
    assert losses[0] == pytest.approx(losses[1], rel=0.05)
    before, state = read_state_dict(weights), other.state()
    assert all(weight.dtype == before[name.removeprefix("features.")].dtype for name, weight in state.items())
    assert not all((weight == before[name.removeprefix("features.")]).all() for name, weight in state.items())


def test_a_want_of_memory_is_told_with_a_remedy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def want(*_: object) -> None:
        raise RuntimeError("[enforce fail at alloc_cpu.cpp:121] DefaultCPUAllocator: can't allocate memory")

    task = {"items": [], "codes": [], "settings": {}, "card": Card(TINY, "", "triplet").to_json(), "weights": ""}
    (tmp_path / "task.json").write_text(json.dumps(task | {"refinement": "none", "neighbour_power": POWER}))
    monkeypatch.setattr("similarity.finetuning.backbone.worker.teach", want)
    monkeypatch.setattr("sys.argv", ["worker", str(tmp_path / "task.json"), str(tmp_path / "made")])
    main()
    assert "too little memory for this batch" in json.loads(capsys.readouterr().out)["error"]


def test_labels_of_one_picture_each_cannot_be_learned_from(decoded: Pictures, weights: Path) -> None:
    alone = replace(decoded, codes=np.arange(15, dtype=np.int32))
    with pytest.raises(HeadError, match="no label has two left to learn from"):
        make_tuner(alone, weights).learn(1, silent)


@pytest.mark.parametrize(
    ("wrong", "sentence"),
    [
        ({"part": "first"}, "'first' is not one of last, all"),
        ({"loss": "none"}, "'none' is not one of multi-similarity"),
        ({"split": "half"}, "'half' is not one of item, label"),
        ({"epochs": 0}, "1 to 1,000 epochs"),
        ({"seed": -1}, "A seed is 0 or more"),
        ({"batch": 2}, "A batch has 4 to 1,024 pictures"),
        ({"learning_rate": 0.0}, "between 0 and 1"),
    ],
)
def test_settings_that_make_no_sense_are_errors(wrong: dict[str, Any], sentence: str) -> None:
    with pytest.raises(HeadError, match=sentence):
        TuneSettings(**wrong)
    assert TuneSettings.from_json(QUICK.to_json() | {"more": 1}) == QUICK


def _digest(item: Item) -> str:
    return hashlib.sha256(Path(item.path).read_bytes()).hexdigest()


def _made(folder: Path) -> Path:
    folder.mkdir(parents=True)
    return folder

import hashlib
import os
import shutil
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL, draw, make_home
from openvino import opset13
from PIL import Image
from randomised import publish_weights

from similarity import Embedder
from similarity.embedding.backbones import BACKBONES, build_network
from similarity.embedding.backbones.weights import obtain_weights
from similarity.embedding.embedder import EmbedderId
from similarity.embedding.engines import OpenVinoEngine, TorchEngine
from similarity.embedding.openvino_models import _picture_folder, find_network
from similarity.embedding.views import preprocess
from similarity.errors import ModelError, WeightsError
from similarity.images.decoding import read_image
from similarity.vectors.arrays import normalise


@pytest.fixture(scope="module")
def drawn() -> list[Image.Image]:
    return [draw(kind, seed) for kind in ("dots", "rings", "stripes") for seed in range(4)]


def test_embeddings_are_float32_rows_of_unit_length(embedder: Embedder, drawn: list[Image.Image]) -> None:
    vectors = embedder.embed(drawn)
    assert vectors.dtype == np.float32
    assert vectors.shape == (12, 1280) == (len(drawn), embedder.dim)
    np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1, atol=1e-5)


def test_nothing_in_is_nothing_out(embedder: Embedder) -> None:
    assert embedder.embed([]).shape == (0, 1280)


def test_a_picture_has_the_same_embedding_alone_and_among_others(embedder: Embedder, drawn: list[Image.Image]) -> None:
    together = embedder.embed(drawn)
    for image, vector in zip(drawn, together, strict=True):
        assert (embedder.embed([image])[0] == vector).all()


def test_the_fast_way_for_many_gives_what_a_query_gets(embedder: Embedder, drawn: list[Image.Image]) -> None:
    pixels = np.stack([embedder.prepare(image) for image in drawn])
    sizes = [4, 1, 0, 3, 4]
    batches = np.split(pixels, np.cumsum(sizes)[:-1])
    streamed = list(embedder.embed_stream(iter(batches)))
    assert [len(vectors) for vectors in streamed] == sizes
    assert (np.concatenate(streamed) * embedder.embed(drawn)).sum(axis=1).min() > 0.9999
    assert list(embedder.embed_stream([])) == []


@pytest.mark.exhaustive
@pytest.mark.parametrize("wrong", [1, 3])
def test_a_network_that_answers_wrongly_in_batches_is_compiled_anew_or_not_used(
    wrong: int, embedder: Embedder, drawn: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    compiled, compile_it = [], OpenVinoEngine.compile

    def compile_wrongly(engine: OpenVinoEngine, model: Any, hint: str) -> Any:
        compiled.append(hint)
        if len(compiled) <= wrong:
            model = model.clone()
            for node in model.get_ops():
                if node.get_type_name() == "Convolution":
                    weights = node.input_value(1).get_node()
                    shape = [*weights.get_output_shape(0)]
                    node.input(1).replace_source_output(opset13.constant(np.ones(shape, np.float32)).output(0))
        return compile_it(engine, model, hint)

    monkeypatch.setattr(OpenVinoEngine, "compile", compile_wrongly)
    engine = embedder._engine
    assert isinstance(engine, OpenVinoEngine)
    pixels = np.stack([embedder.prepare(image) for image in drawn[:4]])
    monkeypatch.delattr(engine, "_for_many", raising=False)
    if wrong == 3:
        with pytest.raises(ModelError, match="other features in a batch than alone"):
            list(embedder.embed_stream([pixels]))
    else:
        assert (next(embedder.embed_stream([pixels])) * embedder.embed(drawn[:4])).sum(axis=1).min() > 0.9999
    assert compiled == ["THROUGHPUT"] * min(wrong + 1, 3)


def test_threads_get_the_answers_that_one_thread_gets(embedder: Embedder, drawn: list[Image.Image]) -> None:
    alone = [embedder.embed([image])[0] for image in drawn]
    with ThreadPoolExecutor(8) as pool:
        shared = list(pool.map(lambda image: embedder.embed([image])[0], drawn * 4))
    for number, vector in enumerate(shared):
        assert (vector == alone[number % len(drawn)]).all()


def test_the_two_engines_agree(drawn: list[Image.Image]) -> None:
    backbone = BACKBONES[MODEL]
    in_torch = TorchEngine(build_network(backbone, obtain_weights(backbone)), device="cpu", precision="f32")
    in_openvino = Embedder.load(MODEL, precision="f32", device="cpu")
    assert (in_torch.precision, in_openvino.precision) == ("f32", "f32")
    pixels = np.stack([in_openvino.prepare(image) for image in drawn])
    cosines = (normalise(in_torch.run(pixels)) * in_openvino.embed(drawn)).sum(axis=1)
    assert cosines.min() > 0.9999


def test_rows_of_zeros_stay_zero() -> None:
    assert (normalise(np.zeros((2, 3))) == 0).all()


@pytest.mark.many
@pytest.mark.parametrize("size", [(400, 533), (640, 360), (224, 224), (1200, 300), (257, 900), (90, 60)])
@pytest.mark.parametrize("name", list(BACKBONES))
def test_preprocessing_is_torchvisions_resize_and_centre_crop(name: str, size: tuple[int, int]) -> None:
    from torchvision import transforms

    how = BACKBONES[name].preprocessing
    noise = np.random.default_rng(3).integers(0, 256, (*size[::-1], 3), dtype=np.uint8)
    image = Image.fromarray(noise).resize((size[0] // 4, size[1] // 4)).resize(size)
    theirs = transforms.Compose(
        [
            transforms.Resize(how.resize, interpolation=transforms.InterpolationMode(how.interpolation)),
            transforms.CenterCrop(how.crop),
        ]
    )(image)
    difference = np.abs(np.asarray(theirs, int) - preprocess(image, how))
    assert difference.mean() < 0.25
    assert difference.max() <= 8


@pytest.mark.parametrize("size", [(1, 1), (1, 60_000), (60_000, 1), (3, 9_000)])
def test_extreme_shapes_cost_no_more_than_others(size: tuple[int, int]) -> None:
    pixels = preprocess(Image.new("RGB", size, (10, 200, 30)), BACKBONES["resnet50"].preprocessing)
    assert pixels.shape == (224, 224, 3)
    assert (pixels == (10, 200, 30)).all()


def reference_embeddings(weights: Path, images: list[Image.Image]) -> np.ndarray:
    """torchvision's own model, transforms and penultimate layer, L2-normalised, in float32."""
    import torch
    from torchvision.models import ResNet50_Weights, resnet50
    from torchvision.models.feature_extraction import create_feature_extractor

    model = resnet50(weights=None)
    model.load_state_dict(torch.load(weights, weights_only=True))
    extractor = create_feature_extractor(model.eval(), {"flatten": "features"})
    transform = ResNet50_Weights.IMAGENET1K_V1.transforms()
    with torch.inference_mode():
        features = extractor(torch.stack([transform(image) for image in images]))["features"]
        unit: np.ndarray = torch.nn.functional.normalize(features).numpy()
    return unit


def test_the_second_resnet50_is_prepared_for_as_torchvision_does() -> None:
    from torchvision.models import ResNet50_Weights

    theirs, ours = ResNet50_Weights.IMAGENET1K_V2.transforms(), BACKBONES["resnet50-v2"].preprocessing
    assert ([ours.resize], [ours.crop]) == (theirs.resize_size, theirs.crop_size)
    assert (list(ours.mean), list(ours.std)) == (theirs.mean, theirs.std)
    assert ours.interpolation == theirs.interpolation.value
    assert BACKBONES["resnet50-v2"].build is BACKBONES["resnet50"].build


def a_dozen() -> list[Image.Image]:
    return [draw(kind, seed) for kind in ("dots", "rings", "stripes") for seed in range(4)]


@pytest.fixture(scope="session")
def converted_resnet50(home: Path, imported_torch: None, tmp_path_factory: pytest.TempPathFactory) -> None:  # noqa: ARG001
    """ResNet-50 with random weights has been converted: the seconds that takes are on no test's account."""
    own = make_home(tmp_path_factory.mktemp("resnet50") / "home", home)
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("SIMILARITY_HOME", str(own))
        publish_weights("resnet50", own, a_dozen())
        Embedder.load("resnet50", precision="f32", device="cpu")


@pytest.mark.usefixtures("converted_resnet50")
@pytest.mark.exhaustive
@pytest.mark.parametrize("of", ["drawn", "photographs"])
def test_resnet50_equals_torchvisions_own(empty_home: Path, of: str, request: pytest.FixtureRequest) -> None:
    images = a_dozen()
    weights = publish_weights("resnet50", empty_home, images)
    if of == "photographs":
        photographs: Path = request.getfixturevalue("photographs")
        images += [read_image(path) for path in sorted(photographs.glob("queries/*/*.jpg"))[::34]]
    ours = Embedder.load("resnet50", precision="f32", device="cpu").embed(images)
    theirs = reference_embeddings(weights, images)
    assert ours.shape == (len(images), 2048)
    assert (ours * theirs).sum(axis=1).min() >= 0.9999
    assert (theirs @ theirs.T).min() < 0.99, "the reference must tell the pictures apart for this to mean anything"


@pytest.mark.exhaustive
@pytest.mark.usefixtures("bundled")
def test_a_damaged_converted_network_is_made_again(
    embedder: Embedder, empty_home: Path, drawn: list[Image.Image], monkeypatch: pytest.MonkeyPatch
) -> None:
    networks = empty_home / "cache" / "networks"
    found = find_network(BACKBONES[MODEL], embedder.weights_sha256)
    assert found
    kept = found.resolve()
    networks.unlink()  # the link to the shared ones
    made = []

    def copy_kept_network(_: str, *arguments: str | Path) -> subprocess.CompletedProcess[str]:
        """Stands in for conversions, each of which would take seconds."""
        made.append(arguments)
        shutil.copytree(kept, arguments[-1], dirs_exist_ok=True)
        return subprocess.CompletedProcess([], 0, "", "")

    monkeypatch.setattr("similarity.embedding.openvino_models.fill_network", lambda *_: False)
    monkeypatch.setattr("similarity.embedding.openvino_models.run_module", copy_kept_network)
    before = Embedder.load(MODEL, device="cpu").embed(drawn[:1])
    damages = [("model.xml", b"<net"), ("model.bin", b""), ("model.bin", bytes(99)), ("sha256", b"?")]
    for name, content in damages:
        (path,) = networks.glob(f"*/{name}")
        path.write_bytes(content)
        assert (Embedder.load(MODEL, device="cpu").embed(drawn[:1]) == before).all()
    assert len(made) == 1 + len(damages)
    Embedder.load(MODEL, device="cpu")
    assert len(made) == 1 + len(damages), "a sound one is not"


WATCHER = """
import os, sys
watched = ("socket.connect", "socket.getaddrinfo", "socket.sendto")
def note(event, args):
    if event in watched:
        with open(os.environ["ATTEMPTS"], "a") as file:
            file.write(f"{event} {args}\\n")
sys.addaudithook(note)
with open(os.environ["STARTED"], "a") as file:
    file.write("a process\\n")
"""
LOAD = """
import sys
import numpy as np
from PIL import Image
from similarity import Embedder
embedder = Embedder.load("efficientnet-lite2", device="cpu")
embedder.embed([Image.new("RGB", (300, 300))])
print("torch" in sys.modules, "timm" in sys.modules)
"""
QUANTISE = (
    LOAD
    + """
pixels = np.random.default_rng(0).integers(0, 256, (8, 260, 260, 3), dtype=np.uint8)
Embedder.quantise("efficientnet-lite2", pixels).embed([Image.new("RGB", (300, 300))])
"""
)


@pytest.mark.parametrize("made", ["before", pytest.param("now", marks=pytest.mark.exhaustive)])
@pytest.mark.usefixtures("embedder")
def test_nothing_is_sent_while_a_network_is_converted_quantised_and_run(
    made: str, empty_home: Path, tmp_path: Path, child_environment: dict[str, str]
) -> None:
    script, processes = LOAD, 1
    if made == "now":
        (empty_home / "cache" / "networks").unlink()
        script, processes = (QUANTISE, 2) if find_spec("nncf") else (LOAD, 1)
    (tmp_path / "sitecustomize.py").write_text(WATCHER)  # runs at the start of every Python process
    environment = child_environment | {
        "PYTHONPATH": os.pathsep.join((str(tmp_path), child_environment["PYTHONPATH"])),
        "ATTEMPTS": str(tmp_path / "attempts"),
        "STARTED": str(tmp_path / "started"),
        "CI": "false",  # libraries that count their users leave out test machines
    }
    done = subprocess.run([sys.executable, "-c", script], env=environment, capture_output=True, text=True, check=True)
    assert done.stdout.split()[:2] == ["False", "False"], "torch stays in the process that converts"
    assert len((tmp_path / "started").read_text().splitlines()) >= processes
    attempts = tmp_path / "attempts"
    assert not attempts.exists(), attempts.read_text()


@pytest.mark.exhaustive
def test_what_the_converter_says_of_wrong_weights_is_the_error(empty_home: Path) -> None:
    weights = empty_home / "models" / BACKBONES["resnet50"].weights.file
    weights.parent.mkdir()
    weights.write_text("no weights")
    with pytest.raises(WeightsError, match=r"resnet50-0676ba61\.pth is damaged or does not contain the weights"):
        Embedder.load("resnet50", device="cpu")
    # Its own folder, since other tests convert other weights of this network meanwhile.
    folder = _picture_folder(BACKBONES["resnet50"], hashlib.sha256(b"no weights").hexdigest())
    assert folder.with_name(f"{folder.name}.lock").exists(), "it was tried"
    assert not folder.with_name(f"{folder.name}.new").exists()


def test_an_embedder_is_restored_without_its_weights_as_long_as_its_network_is_kept(
    embedder: Embedder, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "similarity.embedding.embedder.choose_model", lambda *_: pytest.fail("the weights were looked for")
    )
    again = Embedder.restore(EmbedderId(MODEL, embedder.weights_sha256))
    image = draw("dots", 1)
    assert (again.embed([image]) == embedder.embed([image])).all()

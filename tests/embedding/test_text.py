"""Words as queries: embedded as OpenCLIP does it, searched with in the library, on the command line and on the page.

Architecture, tokenizer and everything else are real; the weights are random, since real ones cannot be had in a test.
By default the architecture is a small one, which OpenCLIP builds and runs in no time; its size is all that differs.
"""

import json
import shutil
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import draw, make_home
from pages import address, errors, open_app, ranking, texts
from randomised import (
    SMALL_CLIP,
    cosines_about_the_mean,
    forget,
    know_small_clip,
    publish,
    publish_bytes,
    transform_of,
)
from typer.testing import CliRunner
from workers import run_here

from similarity import Embedder, Gallery
from similarity.app.shell.parameters import MAX_WORDS, TEXT, Part
from similarity.cli import app
from similarity.embedding.backbones import BACKBONES, Backbone
from similarity.embedding.backbones.libraries import clip_pictures, clip_text
from similarity.embedding.backbones.registry import CLIP_CONTEXT
from similarity.embedding.backbones.weights import weights_sha256
from similarity.embedding.embedder import EmbedderId
from similarity.embedding.text import TextEmbedder
from similarity.errors import GalleryError, ModelError, SearchError, WeightsError
from similarity.exports.sheet import draw_words
from similarity.images.decoding import read_image
from similarity.query.inputs import Examples, Text
from similarity.vectors.arrays import normalise
from similarity.vectors.refinement import choose_refinement

WITH_WORDS = "clip-b32"
TEXTS = ("a red dress", "a pair of leather boots", "ein blaues Auto", "stripes", "Stripes!")


@dataclass(frozen=True)
class Words:
    """A model that understands words.

    Attributes:
        home: where its random weights are.
        network: OpenCLIP's own, which they are from.
        sha256: of the weights file.
        entry: what the registry says of it, which is not to be downloaded.
    """

    home: Path
    network: Any
    sha256: str
    entry: Backbone

    @property
    def weights(self) -> Path:
        """Their file."""
        return self.home / "models" / self.entry.weights.file

    def use(self, patch: pytest.MonkeyPatch) -> None:
        """In its home, it is the model of that name."""
        patch.setenv("SIMILARITY_HOME", str(self.home))
        patch.setitem(BACKBONES, WITH_WORDS, self.entry)
        # Another process would not know of the small one.
        patch.setattr("similarity.embedding.openvino_models.run_module", run_here)


@pytest.fixture(scope="module", params=["small", pytest.param("whole", marks=pytest.mark.exhaustive)])
def words(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Words]:
    """A model that understands words, in a home of its own."""
    folder = make_home(tmp_path_factory.mktemp("words") / "home", home)
    entry = BACKBONES[WITH_WORDS]
    unreachable = replace(entry.weights, url="http://127.0.0.1:9/open_clip_model.safetensors")
    entry, architecture = replace(entry, weights=unreachable), ""
    if request.param == "small":
        know_small_clip(tmp_path_factory.mktemp("config"))
        architecture = SMALL_CLIP
        entry = replace(entry, build=clip_pictures(architecture), text=clip_text(architecture, CLIP_CONTEXT))
    network = publish(WITH_WORDS, folder, [], architecture)
    yield Words(folder, network, weights_sha256(folder / "models" / entry.weights.file), entry)
    forget(folder)


@pytest.fixture
def at_words(words: Words, monkeypatch: pytest.MonkeyPatch) -> Words:
    """SIMILARITY_HOME is that home."""
    words.use(monkeypatch)
    return words


@pytest.mark.exhaustive
def test_words_are_embedded_as_openclip_does_it(at_words: Words) -> None:
    import open_clip
    import torch

    embedder = Embedder.load(WITH_WORDS, device="cpu")
    assert embedder.weights_sha256 == at_words.sha256
    assert embedder.understands_text
    ours = embedder.embed_texts(TEXTS)
    assert (ours.shape, ours.dtype) == ((len(TEXTS), 512), np.float32)
    np.testing.assert_allclose(np.linalg.norm(ours, axis=1), 1, atol=1e-5)
    with torch.inference_mode():
        encoded = at_words.network.encode_text(open_clip.get_tokenizer("ViT-B-32")(list(TEXTS)))
    theirs = normalise(encoded.numpy())
    assert (theirs[:4] @ theirs[:4].T).min() < 0.99, "the reference must tell the texts apart"
    assert (ours * theirs).sum(axis=1).min() >= 0.9999
    assert cosines_about_the_mean(ours, theirs).min() >= 0.999
    assert embedder.embed_texts([]).shape == (0, 512)


def test_pictures_are_embedded_as_openclip_does_it(at_words: Words) -> None:
    import torch

    images = [draw("dots", 0), draw("rings", 0), draw("stripes", 0), draw("stripes", 1)]
    ours = Embedder.load(WITH_WORDS, device="cpu", precision="f32").embed(images)
    transform = transform_of(BACKBONES[WITH_WORDS])
    with torch.inference_mode():
        theirs = normalise(at_words.network.encode_image(torch.stack([transform(image) for image in images])).numpy())
    assert (theirs @ theirs.T).min() < 0.99, "the reference must tell the pictures apart"
    assert (ours * theirs).sum(axis=1).min() >= 0.999


def test_words_from_several_threads_get_the_answers_that_one_gets(at_words: Words) -> None:
    alone = TextEmbedder(BACKBONES[WITH_WORDS], at_words.sha256).embed(TEXTS)
    fresh = TextEmbedder(BACKBONES[WITH_WORDS], at_words.sha256)
    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(lambda text: fresh.embed([text])[0], TEXTS * 4))
    assert (np.array(answers) == np.tile(alone, (4, 1))).all()


def test_a_text_that_says_nothing_is_an_error_and_a_long_one_is_cut_off(at_words: Words) -> None:
    embedder = TextEmbedder(BACKBONES[WITH_WORDS], at_words.sha256)
    for text in ("", " \n"):
        with pytest.raises(SearchError, match=r"^Give words to search for\.$"):
            embedder.embed(["boots", text])
    assert embedder.embed(["boots " * 500]).shape == (1, 512)


def test_words_that_are_no_utf8_or_decomposed_are_embedded(at_words: Words) -> None:
    embedder = TextEmbedder(BACKBONES[WITH_WORDS], at_words.sha256)
    odd, composed, decomposed = embedder.embed(["caf\udce9", "gr\u00fcn", "gru\u0308n"])
    assert np.isfinite(odd).all()
    assert np.array_equal(composed, decomposed)


def test_words_need_weights_only_until_their_network_is_kept(
    at_words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    wanted, weights = EmbedderId(WITH_WORDS, at_words.sha256), at_words.weights
    assert Embedder.load(WITH_WORDS).embed_texts(["boots"]).shape == (1, 512)
    away = weights.rename(weights.with_suffix(".away"))
    try:
        assert Embedder.restore(wanted).embed_texts(["boots"]).shape == (1, 512)
    finally:
        away.rename(weights)

    embedder = Embedder.restore(wanted)  # its text tower is not loaded yet
    monkeypatch.setenv("SIMILARITY_HOME", str(tmp_path / "elsewhere"))
    with pytest.raises(WeightsError, match=r"and put it as clip-b32-openai\.safetensors into /.*/models"):
        embedder.embed_texts(["boots"])
    publish_bytes(tmp_path / "elsewhere" / "models" / weights.name, b"others")
    with pytest.raises(WeightsError, match="The weights of clip-b32 on this computer differ from those"):
        embedder.embed_texts(["boots"])


@pytest.fixture(scope="module")
def said(words: Words, pictures: Path) -> Gallery:
    """The pictures as a gallery of a model that understands words."""
    with pytest.MonkeyPatch.context() as patch:
        words.use(patch)
        return Gallery.build(pictures, words.home / "galleries" / "said", model=WITH_WORDS, precision="f32")


def by_openclip(network: Any, gallery: Gallery, text: str) -> list[str]:
    """The ids in the order in which OpenCLIP's own towers and transform rank the pictures for some words."""
    import open_clip
    import torch

    transform = transform_of(BACKBONES[WITH_WORDS])
    pictures = torch.stack([transform(read_image(item.path)) for item in gallery.items])
    with torch.inference_mode():
        seen = normalise(network.encode_image(pictures).numpy())
        said = normalise(network.encode_text(open_clip.get_tokenizer("ViT-B-32")([text])).numpy())
    return [gallery.items[row].id for row in np.argsort(-(seen @ said[0]))]


def test_words_find_the_pictures_that_openclip_finds(at_words: Words, said: Gallery) -> None:
    for text in TEXTS[:3]:
        found = [hit.item.id for hit in said.search(Text(text), 15)]
        expected = by_openclip(at_words.network, said, text)
        assert found[0] == expected[0]
        assert set(found[:5]) == set(expected[:5])


@pytest.mark.usefixtures("at_words")
def test_words_and_pictures_make_one_query_in_which_they_count_alike(said: Gallery, pictures: Path) -> None:
    picture, words = pictures / "dots" / "dots-0.jpg", Text("a red dress")
    seen, read = said.search(picture, 15), said.search(words, 15)
    both = said.search(Examples([picture, words]), 15)
    scores = [{hit.item.id: hit.score for hit in hits} for hits in (seen, read)]
    spread = [np.std(list(one.values())) for one in scores]
    merged = {
        item.id: sum(one[item.id] / width for one, width in zip(scores, spread, strict=True)) for item in said.items
    }
    assert [hit.item.id for hit in both] == sorted(merged, key=merged.__getitem__, reverse=True)
    mostly = said.search(Examples([picture, words], weights=[1000, 1]), 15)
    assert [hit.item.id for hit in mostly] == [hit.item.id for hit in seen]


@pytest.mark.usefixtures("at_words")
def test_words_can_say_what_is_not_wanted(said: Gallery, pictures: Path) -> None:
    picture, words = pictures / "rings" / "rings-1.jpg", Text("stripes")
    without, with_ = said.search(picture, 15), said.search(Examples([picture], [words]), 15)
    assert [hit.item.id for hit in without] != [hit.item.id for hit in with_]
    liked = {hit.item.id: hit.score for hit in said.search(words, 15)}
    moved = {hit.item.id: hit.rank for hit in with_}
    change = [moved[hit.item.id] - hit.rank for hit in without]
    assert np.corrcoef(change, [liked[hit.item.id] for hit in without])[0, 1] > 0, "what they are like went down"


@pytest.mark.usefixtures("at_words")
def test_words_are_not_compared_with_refined_embeddings(said: Gallery, tmp_path: Path) -> None:
    shutil.copytree(said.directory, tmp_path / "said")
    refined = Gallery.open(tmp_path / "said").rebuild(refinement="centred")
    with pytest.raises(GalleryError, match=r"rebuild --gallery .*said --refinement none`"):
        refined.search(Text("boots"))
    assert refined.rebuild(refinement="none").search(Text("boots"))


def test_a_model_that_understands_words_is_not_refined_unless_asked(said: Gallery, tmp_path: Path) -> None:
    assert (said.manifest.refinement, said.manifest.refinement_asked) == ("none", "auto")
    assert choose_refinement("auto", 1_000, 512, is_exact=True, has_words=True).method == "none"
    assert choose_refinement("centred", 1_000, 512, is_exact=True, has_words=True).method == "centred"
    shutil.copytree(said.directory, tmp_path / "said")
    asked = Gallery.open(tmp_path / "said").rebuild(refinement="centred")
    assert asked.rebuild(refinement="auto").manifest.refinement == "none", "auto never takes the words away"


def test_a_gallery_of_pictures_alone_says_which_model_understands_words(shapes: Gallery) -> None:
    assert not shapes.understands_text
    with pytest.raises(ModelError, match="a CLIP model such as clip-b32 understands words"):
        shapes.search(Text("boots"))


@pytest.mark.usefixtures("at_words")
def test_the_command_line_takes_words_alone_and_beside_a_picture(said: Gallery, pictures: Path, tmp_path: Path) -> None:
    def search(*arguments: str) -> dict[str, Any]:
        done = CliRunner().invoke(app, ["search", *arguments, "-g", "said", "--json"], catch_exceptions=False)
        assert done.exit_code == 0
        printed: dict[str, Any] = json.loads(done.stdout)
        return printed

    alone = search("--text", "a red dress", "--sheet", str(tmp_path / "sheet.png"))
    assert alone["query"] == "a red dress"
    assert [hit["id"] for hit in alone["hits"]] == [hit.item.id for hit in said.search(Text("a red dress"))]
    assert (tmp_path / "sheet.png").read_bytes().startswith(b"\x89PNG")
    picture = str(pictures / "dots" / "dots-0.jpg")
    both = search(picture, "--text", "in red", "--not-text", "stripes", "--weight", "1", "--weight", "2")
    asked = Examples([picture, Text("in red")], [Text("stripes")], [1, 2])
    assert both["query"] == picture
    assert [hit["id"] for hit in both["hits"]] == [hit.item.id for hit in said.search(asked)]


@pytest.mark.usefixtures("at_words")
def test_words_are_typed_into_the_page_and_stand_in_its_address(said: Gallery) -> None:
    page = open_app(gallery="said").run()
    page.chat_input[0].set_value("a red dress").run()
    assert not page.exception
    assert address(page)["like"] == ["text:a red dress"]
    found = [hit.item.public_id for hit in said.search(Text("a red dress"), len(said))]
    assert [tile["id"] for tile in ranking(page)] == found
    assert "a red dress" in texts(page)
    page.chat_input[0].set_value("https://10.0.0.1/x.jpg").run()
    assert "private network" in errors(page), "an address is not taken for words"


@pytest.mark.usefixtures("at_words")
def test_words_are_added_to_a_picture_on_the_page(said: Gallery) -> None:
    page = open_app(gallery="said", like="item:dots/dots-0.jpg").run()
    page.segmented_control(key="role").set_value("Also like it").run()
    page.chat_input[0].set_value("in red").run()
    assert not page.exception
    assert address(page)["like"] == ["item:dots/dots-0.jpg", "text:in red"]
    picture = next(item for item in said.items if item.public_id == "dots/dots-0.jpg")
    expected = said.search(Examples([picture.path, Text("in red")]), len(said))
    assert [tile["id"] for tile in ranking(page)] == [hit.item.public_id for hit in expected]


@pytest.mark.usefixtures("shapes")
def test_a_page_of_a_gallery_of_pictures_alone_says_that_it_does_not_understand_words() -> None:
    page = open_app(gallery="shapes").run()
    page.chat_input[0].set_value("a red dress").run()
    assert "understands pictures, not words" in texts(page)
    linked = open_app(gallery="shapes", like="text:boots").run()
    assert not linked.exception
    assert "a CLIP model such as clip-b32 understands words" in errors(linked)


@pytest.mark.parametrize("words", ["a dress @10,10,50,50", "50 % wool", "item:x", "señora 👗", "a & b = c"])
def test_words_come_back_from_an_address_as_they_were(words: str) -> None:
    part = Part(TEXT, words)
    assert Part.parse(str(part)) == part
    assert Part.parse("text:   ") is None
    assert len((Part.parse(f"text:{'x' * 999}") or part).value) == MAX_WORDS


def test_words_are_drawn_where_a_picture_would_be() -> None:
    card = np.asarray(draw_words("красные туфли und grüne Hüte " * 20))
    assert card.shape == (480, 480, 3)
    assert (card[:20] == card[0, 0]).all(), "nothing is cut off at the edge"
    assert (card != card[0, 0]).any()

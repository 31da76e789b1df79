"""Heads: what they make of embeddings, how their files are kept, and galleries that are compared through one."""

import hashlib
import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import standin
from conftest import draw
from made_heads import CARD, DIM, make_head, serving
from safetensors.numpy import load, save

from similarity import Gallery
from similarity.errors import GalleryDamagedError, GalleryError, HeadError
from similarity.gallery import restore
from similarity.indexing.importing import import_gallery
from similarity.paths import HEAD, PROJECTED
from similarity.query.inputs import Text
from similarity.storage.generations import read_generation
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.heads import BLOCK, MOST_BYTES, Head, keep_head, parse_head, read_head

KINDS = ("linear", "kept", "hidden", "hidden and kept")


def some_embeddings(count: int, dim: int = DIM) -> Vectors:
    return normalise(np.random.default_rng(count).standard_normal((count, dim)))


def answers(gallery: Gallery, k: int = 5) -> list[list[tuple[str, float]]]:
    """What a gallery answers to each of its own pictures."""
    return [[(hit.item.id, hit.score) for hit in gallery.search_vector(vector, k)] for vector in gallery.vectors]


@pytest.fixture(scope="module")
def plain(pictures: Path, tmp_path_factory: pytest.TempPathFactory) -> Gallery:
    """A gallery of 15 pictures without a head. Read only."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())
        return Gallery.build(pictures, tmp_path_factory.mktemp("heads") / "plain", model=standin.CHOICE)


@pytest.fixture
def mine(plain: Gallery, tmp_path: Path) -> Gallery:
    """A copy of it to change."""
    shutil.copytree(plain.directory, tmp_path / "mine")
    return Gallery.open(tmp_path / "mine", load=standin.load)


@pytest.fixture
def headed(mine: Gallery) -> Gallery:
    """And with a head."""
    return mine.rebuild(head=serving(mine))


@pytest.mark.parametrize("kind", KINDS)
def test_a_head_that_is_written_is_read_as_it_was(kind: str, tmp_path: Path) -> None:
    head, embeddings = make_head(kind), some_embeddings(50)
    path = tmp_path / "new" / "folder" / "head.safetensors"
    head.write(path)
    read = read_head(path)
    assert read.card == head.card
    assert (read.kept, read.share, read.dim, read.dim_in) == (head.kept, head.share, head.dim, DIM)
    np.testing.assert_array_equal(read.project(embeddings), head.project(embeddings))
    shas = {make_head(kind).sha256 for _ in range(20)} | {read_head(path).sha256 for _ in range(20)}
    assert shas == {head.sha256, hashlib.sha256(path.read_bytes()).hexdigest()}
    assert [one.name for one in path.parent.iterdir()] == [path.name]


@pytest.mark.parametrize("kind", KINDS)
def test_what_a_head_makes_has_unit_length_and_is_what_its_definition_says(kind: str) -> None:
    head, embeddings = make_head(kind), some_embeddings(BLOCK + 7)
    made = head.project(embeddings)
    assert made.dtype == np.float32
    assert made.shape == (BLOCK + 7, head.dim)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-5)
    for row in (0, BLOCK - 1, BLOCK, BLOCK + 6):
        components = head.basis @ normalise((embeddings[row] - head.centre)[np.newaxis])[0]
        hidden = components if head.first is None else np.maximum(head.first @ components, 0)
        learned = head.last @ hidden
        parts = [(1 - head.share) ** 0.5 * learned / np.linalg.norm(learned)]
        if head.kept:
            kept = components[: head.kept]
            parts.insert(0, head.share**0.5 * kept / np.linalg.norm(kept))
        np.testing.assert_allclose(made[row], np.concatenate(parts), atol=1e-5)


@pytest.mark.parametrize("kind", KINDS)
def test_around_an_embedding_a_head_is_the_linear_map_that_it_says(kind: str) -> None:
    head, embeddings = make_head(kind), some_embeddings(30)
    for embedding, made in zip(embeddings, head.project(embeddings), strict=True):
        affine = head.linearise(embedding)
        np.testing.assert_allclose(affine.matrix @ embedding + affine.constant, made, atol=1e-5)


def test_an_embedding_that_is_the_centre_is_like_nothing() -> None:
    head = make_head()
    assert not head.project(head.centre[np.newaxis]).any()


def test_embeddings_of_another_size_are_an_error() -> None:
    for wrong in (some_embeddings(3, DIM + 1), some_embeddings(3)[0]):
        with pytest.raises(HeadError, match="takes embeddings of 24 numbers, not of 2"):
            make_head().project(wrong)


def test_parts_that_do_not_fit_make_no_head() -> None:
    head = make_head()
    assert head.first is not None
    changes: list[dict[str, Any]] = [
        {"centre": head.centre[:-1]},
        {"centre": head.basis},
        {"basis": head.basis[:, :-1]},
        {"basis": head.basis[0]},
        {"first": head.first[:-1]},
        {"first": None},
        {"last": head.last[:, :-1]},
        {"last": head.last[:0]},
        {"basis": head.basis[:0], "first": head.first[:, :0], "kept": 0, "share": 0.0},
        {"kept": 13},
        {"kept": -1},
        {"kept": 0},
        {"share": 1.5},
        {"share": float("nan")},
        {"last": np.full_like(head.last, np.nan)},
        {"centre": np.full_like(head.centre, np.inf)},
    ]
    for change in changes:
        with pytest.raises(HeadError, match="train it again"):
            replace(head, **change)


def changed_file(head: Head, change: Callable[[dict[str, Any], dict[str, Any]], Any]) -> bytes:
    """A head's file after something was done to what its header says and to its arrays."""
    data = head.to_bytes()
    length = int.from_bytes(data[:8], "little")
    about, parts = json.loads(json.loads(data[8 : 8 + length])["__metadata__"]["about"]), dict(load(data))
    change(about, parts)
    changed: bytes = save(parts, {"about": json.dumps(about)})
    return changed


STRANGE: list[Callable[[dict[str, Any], dict[str, Any]], Any]] = [
    lambda about, _: about.update(format=2),
    lambda about, _: about.pop("format"),
    lambda about, _: about.pop("card"),
    lambda about, _: about.update(card=[]),
    lambda about, _: about["card"].pop("loss"),
    lambda about, _: about["card"].update(data=5),
    lambda about, _: about["card"].update(data={"marks": "x"}),
    lambda about, _: about["card"].update(settings=[1]),
    lambda about, _: about["card"].update(created=5),
    lambda about, _: about["card"].update(after={"recall@1": float("nan")}),
    lambda about, _: about.update(kept=99),
    lambda about, _: about.update(kept="many"),
    lambda about, _: about.update(kept=float("inf")),
    lambda about, _: about.update(share=float("nan")),
    lambda about, _: about.update(share=10**400),
    lambda _, parts: parts.pop("basis"),
    lambda _, parts: parts.update(last=parts["last"].astype(np.float16)),
    lambda _, parts: parts.update(last=parts["last"][:, 1:].copy()),
    lambda _, parts: parts.update(first=np.full_like(parts["first"], np.nan)),
]


@pytest.mark.parametrize("change", STRANGE)
def test_a_file_that_says_something_strange_is_no_head(change: Callable[..., Any], tmp_path: Path) -> None:
    path = tmp_path / "strange.safetensors"
    path.write_bytes(changed_file(make_head(), change))
    with pytest.raises(HeadError, match="train it again"):
        read_head(path)
    path.write_bytes(changed_file(make_head(), lambda about, _: about["card"].update(of_the_future=1)))
    assert read_head(path).card == CARD


def test_a_file_that_is_cut_short_or_has_other_bytes_is_no_head_or_a_sound_one() -> None:
    data = make_head().to_bytes()
    for length in [*range(0, 300), *range(300, len(data), 37), len(data) - 1]:
        with pytest.raises(HeadError, match="damaged"):
            parse_head(data[:length], "cut")
    chance, refused = np.random.default_rng(0), 0
    for place in [*range(64), *chance.integers(0, len(data), 1500)]:
        changed = bytearray(data)
        changed[place] ^= 1 << int(chance.integers(8))
        try:
            with np.errstate(all="ignore"):  # a number may have become a huge one
                parse_head(bytes(changed), "flipped").project(some_embeddings(1))
        except HeadError:
            refused += 1
    assert refused >= 100


def test_what_is_something_else_is_said_not_to_be_a_head(tmp_path: Path) -> None:
    path = tmp_path / "some.safetensors"
    foreign = save({"weight": np.zeros((2, 2), np.float32)}, {"format": "pt"})
    deep = json.dumps({"__metadata__": {"about": "[" * 100_000}}).encode()
    for content in (foreign, b"", b"\0" * 64, b"\xff" * 64, len(deep).to_bytes(8, "little") + deep):
        path.write_bytes(content)
        with pytest.raises(HeadError, match=r"some\.safetensors is .*: train it again"):
            read_head(path)
    with path.open("wb") as file:
        file.truncate(MOST_BYTES + 1)
    with pytest.raises(HeadError, match="too large to be a head"):
        read_head(path)
    for place in (tmp_path, tmp_path / "none", path / "below"):
        with pytest.raises(HeadError, match="could not be read"):
            read_head(place)
        with pytest.raises(HeadError, match="could not be written"):
            make_head().write(path / "below")


def test_a_head_is_kept_under_its_gallery_loss_and_content(empty_home: Path) -> None:
    head = make_head()
    path = keep_head(head, "mine")
    assert path == empty_home / "heads" / f"mine-triplet-{head.sha256[:8]}.safetensors"
    assert keep_head(head, "mine") == path
    assert read_head(path).sha256 == head.sha256


def test_a_head_of_another_model_is_refused_and_the_gallery_stays_as_it_was(mine: Gallery) -> None:
    sound, before = serving(mine), answers(mine)
    card = sound.card
    wrong = {
        "of resnet50 and cannot be used with those of": replace(sound, card=replace(card, model="resnet50")),
        "with other weights or in other": replace(sound, card=replace(card, weights_sha256="1" * 64)),
        "or in other arithmetic": replace(sound, card=replace(card, network_sha256="2" * 64)),
        "takes embeddings of 24 numbers; those of this gallery have 1280": make_head(card=card),
    }
    for sentence, head in wrong.items():
        with pytest.raises(HeadError, match=sentence):
            mine.rebuild(head=head)
        with pytest.raises(HeadError, match=sentence):
            mine.rebuild(head=head, into=mine.directory.with_name("other"))
    assert mine.is_live
    assert [one.name for one in (mine.directory / "generations").iterdir()] == ["000001"]
    assert answers(Gallery.open(mine.directory, load=standin.load)) == before
    assert not (mine.directory.with_name("other") / "CURRENT").exists()


def test_a_head_of_another_view_is_refused_and_one_that_does_not_say_is_of_the_crop(
    mine: Gallery, pictures: Path, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "similarity.indexing.operations.load_embedder", lambda _, __, view, *___: standin.standin().with_view(view)
    )
    fit = Gallery.build(pictures, empty_home / "fit", model=standin.CHOICE, view="fit")
    of_crop, of_fit = serving(mine), serving(fit)
    assert "view" not in of_crop.card.to_json(), "as cards of earlier versions, so that digests stay"
    assert parse_head(of_fit.to_bytes(), "head").card.view == "fit"
    with pytest.raises(HeadError, match="trained on the view crop of pictures, and this gallery has the view fit"):
        fit.rebuild(head=of_crop)
    with pytest.raises(HeadError, match="index the pictures with --view fit"):
        mine.rebuild(head=of_fit)
    assert mine.rebuild(head=of_crop).manifest.head_sha256 == of_crop.sha256
    headed = fit.rebuild(head=of_fit)
    assert headed.manifest.head_sha256 == of_fit.sha256
    assert import_gallery(headed.directory, "taken").manifest.head_sha256 == of_fit.sha256


@pytest.mark.parametrize("kind", KINDS)
def test_a_gallery_is_compared_through_its_head_and_its_embeddings_stay(mine: Gallery, kind: str) -> None:
    head = serving(mine, kind)
    headed = mine.rebuild(head=head)
    assert headed.head is not None
    assert headed.head.sha256 == headed.manifest.head_sha256 == head.sha256
    np.testing.assert_array_equal(headed.embeddings[:], mine.embeddings[:])
    np.testing.assert_allclose(headed.vectors[:], head.project(mine.embeddings[:]), atol=1e-6)
    assert (headed.manifest.refinement, headed.manifest.refinement_asked) == ("none", "auto")
    for item, embedding in zip(headed.items, headed.embeddings, strict=True):
        hits = headed.search(item.path)
        assert hits[0].item.id == item.id
        assert hits[0].score == pytest.approx(1, abs=1e-3)
        same = headed.search_vector(headed.refine(embedding[np.newaxis])[0])
        assert [hit.item for hit in hits] == [hit.item for hit in same]
        assert [hit.score for hit in hits] == pytest.approx([hit.score for hit in same], abs=1e-6)
        assert hits[-1].score == pytest.approx(
            headed.project(embedding[np.newaxis])[0] @ headed.vector(hits[-1].item.id), abs=1e-5
        )


def test_what_was_learned_of_marks_is_refined_as_without_a_head(mine: Gallery) -> None:
    head = serving(mine)
    of_marks = replace(head, card=replace(head.card, data={"marks": 12}))
    headed = mine.rebuild(refinement="auto", head=of_marks)
    assert (headed.manifest.refinement, headed.manifest.refinement_reason) == (
        mine.manifest.refinement,
        mine.manifest.refinement_reason,
    )


def test_a_refinement_that_is_asked_for_is_made_of_what_the_head_makes(mine: Gallery) -> None:
    head = serving(mine)
    both = mine.rebuild(refinement="centred", head=head)
    made = head.project(mine.embeddings[:])
    np.testing.assert_allclose(both.vectors[:], normalise(made - made.mean(axis=0)), atol=1e-5)
    item = both.items[3]
    assert both.search(item.path)[0].score == pytest.approx(1, abs=1e-3)
    assert read_generation(both.directory, thorough=True).vectors.shape == made.shape


def test_pictures_that_come_and_go_leave_the_head(own_pictures: Path, tmp_path: Path, standin_network: None) -> None:  # noqa: ARG001
    built = Gallery.build(own_pictures, tmp_path / "grows", model=standin.CHOICE)
    head = serving(built)
    gallery = built.rebuild(head=head)
    draw("rings", 77).save(own_pictures / "rings" / "new.jpg")
    added = gallery.add(own_pictures)
    (own_pictures / "dots" / "dots-0.jpg").unlink()
    draw("stripes", 78).save(own_pictures / "stripes" / "newer.jpg")
    synced = added.sync(own_pictures)
    removed = synced.remove(labels=["dots"])
    for one, count in ((added, 16), (synced, 16), (removed, 12)):
        assert len(one) == count
        assert one.head is not None
        assert one.head.sha256 == head.sha256
        np.testing.assert_allclose(one.vectors[:], head.project(one.embeddings[:]), atol=1e-6)
        assert one.search(own_pictures / "rings" / "new.jpg")[0].item.id == "rings/new.jpg"


def test_a_head_that_is_taken_off_or_undone_leaves_the_gallery_as_it_was(headed: Gallery, plain: Gallery) -> None:
    assert headed.rebuild().head is not None, "it stays unless something is said"
    off = headed.rebuild(head="none")
    assert (off.head, off.manifest.head_sha256) == (None, None)
    assert off.manifest.refinement == plain.manifest.refinement
    assert answers(off) == answers(plain)
    live = off.directory / "generations" / f"{off.manifest.generation:06d}"
    assert not (live / HEAD).exists()
    assert not (live / PROJECTED).exists()
    assert restore(off.directory, load=standin.load).head is not None


def test_restoring_undoes_a_head(headed: Gallery, plain: Gallery) -> None:
    undone = restore(headed.directory, load=standin.load)
    assert undone.head is None
    assert answers(undone) == answers(plain)


def test_another_gallery_is_made_with_the_head_and_this_one_stays(mine: Gallery, plain: Gallery) -> None:
    target = mine.directory.with_name("other")
    other = mine.rebuild(head=serving(mine), into=target)
    assert (other.directory, other.name) == (target, "other")
    assert mine.is_live
    assert answers(Gallery.open(mine.directory, load=standin.load)) == answers(plain)
    assert other.head is not None
    shutil.rmtree(mine.directory)
    for item in other.items:
        kept = target / "thumbnails" / item.sha256[:2] / f"{item.sha256}.jpg"
        assert other.thumbnail(item) == kept.read_bytes()
        assert other.search(item.path, 1)[0].item.id == item.id
    again = plain.rebuild(into=target)
    assert again.head is None
    assert restore(target, load=standin.load).head is not None, "what was there can be gone back to"
    with pytest.raises(GalleryError, match="There is no gallery"):
        mine.rebuild(into=target)


def test_lists_are_made_of_what_the_head_makes(tmp_path: Path, standin_network: None) -> None:  # noqa: ARG001
    folder = tmp_path / "pictures"
    folder.mkdir()
    for seed in range(90):
        draw(("dots", "rings", "stripes")[seed % 3], seed).resize((60, 80)).save(folder / f"{seed}.jpg")
    built = Gallery.build(folder, tmp_path / "lists", model=standin.CHOICE)
    head = serving(built)
    gallery = built.rebuild("IVF2,SQ8", head=head)
    assert not gallery.is_exact
    assert gallery.vectors.dtype == np.float16
    assert read_generation(gallery.directory, thorough=True).index.facts
    draw("dots", 999).save(folder / "new.jpg")
    grown = gallery.add(folder)
    assert grown.head is not None
    assert grown.head.sha256 == head.sha256
    np.testing.assert_allclose(grown.vectors[:], head.project(grown.embeddings[:]), atol=2e-3)
    for path in (folder / "new.jpg", folder / "5.jpg"):
        best = grown.search(path, accuracy="high")[0]
        assert best.item.path == str(path)
        assert best.score == pytest.approx(1, abs=2e-3)
    moved = grown.rebuild(refinement="neighbours")
    assert moved.search(folder / "5.jpg", accuracy="high")[0].score == pytest.approx(1, abs=2e-3)


def test_words_do_not_go_through_a_head(headed: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.query.encoder.understands_text", lambda _: True)  # a CLIP model takes long to load
    with pytest.raises(GalleryError, match=r"rebuild --gallery .*mine --head none --refinement none`"):
        headed.search(Text("boots"))


@pytest.mark.parametrize("name", [HEAD, PROJECTED])
def test_a_head_that_is_damaged_on_the_disk_is_found_and_can_be_gone_back_from(headed: Gallery, name: str) -> None:
    path = headed.directory / "generations" / "000002" / name
    whole = path.read_bytes()
    middle = len(whole) // 2
    flipped = whole[:middle] + bytes([whole[middle] ^ 1]) + whole[middle + 1 :]
    for damaged in (b"", whole[:-1], whole + b"\0", flipped, None):
        path.unlink() if damaged is None else path.write_bytes(damaged)
        for thorough in (False, True):
            with pytest.raises(GalleryDamagedError, match=rf"{name} .*generation 1 is sound; to go back"):
                read_generation(headed.directory, thorough=thorough)
    assert restore(headed.directory, load=standin.load).head is None

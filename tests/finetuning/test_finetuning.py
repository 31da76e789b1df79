"""Teaching: what heads learn from labels and from marks, what is held out, and what goes wrong."""

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import standin
from conftest import draw, make_home
from PIL import Image, ImageDraw
from typer.testing import CliRunner
from workers import running_here

from similarity import Gallery
from similarity.cli import app, main
from similarity.errors import HeadError, SearchError
from similarity.evaluation import evaluate
from similarity.evaluation.gallery_calibration import calibrate, read_calibration
from similarity.finetuning import LOSSES, Epoch, Settings, finetune, launcher
from similarity.finetuning.batches import AT_ONCE, draw_batches
from similarity.finetuning.example_files import describe, read_examples, write_examples
from similarity.finetuning.examples import Labelled, fold_labelled, labelled_pictures
from similarity.finetuning.feedback_examples import (
    QUERIES_TO_HOLD_OUT,
    FeedbackExamples,
    Pairs,
    feedback_examples,
    fold_feedback,
)
from similarity.finetuning.training import Member, join
from similarity.finetuning.validation import HeldOutLabels
from similarity.finetuning.worker import teach
from similarity.processes import running_module
from similarity.storage.feedback import FeedbackQuery, add_feedback
from similarity.vectors.arrays import Vectors, normalise
from similarity.vectors.heads import Card, Head, read_head
from similarity.vectors.methods import CLOSER, POWER

PLACES = {"north": (95, 20), "south": (95, 170), "west": (20, 95), "east": (170, 95)}
TINY: dict[str, Any] = {"epochs": 2, "members": 1, "hidden": 16, "dim": 8, "components": 16}
CARD = Card("any", "0" * 64, "any")


pytestmark = pytest.mark.usefixtures("imported_torch")


def draw_disc(label: str, seed: int) -> Image.Image:
    """A white disc in one of four places, which the label is about, among rectangles and on grounds of any colour."""
    random = np.random.default_rng([seed, *label.encode()])
    image = Image.new("RGB", (240, 240), tuple(map(int, random.integers(30, 220, 3))))
    pen = ImageDraw.Draw(image)
    for _ in range(8):
        x, y, side = map(int, random.integers((0, 0, 20), (200, 200, 60)))
        pen.rectangle((x, y, x + side, y + side), fill=tuple(map(int, random.integers(0, 256, 3))))
    x, y = (int(at + random.integers(-15, 16)) for at in PLACES[label])
    pen.ellipse((x, y, x + 50, y + 50), fill=(255, 255, 255))
    return image


@pytest.fixture(scope="module")
def at_home(tmp_path_factory: pytest.TempPathFactory, home: Path) -> Iterator[Path]:
    """A home for this module, in which the stand-in for a network is loaded, and heads learn in this process."""
    with pytest.MonkeyPatch.context() as patch:
        folder = make_home(tmp_path_factory.mktemp("finetuning") / "home", home)
        patch.setenv("SIMILARITY_HOME", str(folder))
        patch.setattr("similarity.embedding.embedder.Embedder.load", lambda *_, **__: standin.standin())
        patch.setattr(launcher, "running_module", running_here)
        yield folder


@pytest.fixture(scope="module")
def discs(at_home: Path) -> Gallery:
    """A gallery of 56 pictures with four labels that can be learned and are not obvious. Read only."""
    for label in PLACES:
        (at_home / "pictures" / label).mkdir(parents=True)
        for seed in range(14):
            draw_disc(label, seed).save(at_home / "pictures" / label / f"{seed}.jpg")
    return Gallery.build(at_home / "pictures", at_home / "galleries" / "discs", model=standin.CHOICE)


@pytest.fixture
def marked(discs: Gallery, tmp_path: Path) -> Gallery:
    """A copy of it for marks."""
    return discs.rebuild(into=tmp_path / "marked")


@pytest.fixture(scope="module")
def told(discs: Gallery) -> dict[str, Any]:
    """What the command line says of a head that it trains with the default settings, and makes a gallery with."""
    done = CliRunner().invoke(app, ["finetune", "-g", "discs", "--into", "taught", "--json"], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert discs.is_live
    said: dict[str, Any] = json.loads(done.stdout)
    return said


@pytest.fixture(scope="module")
def head(told: dict[str, Any]) -> Head:
    return read_head(Path(told["head"]))


@pytest.fixture
def taught(told: dict[str, Any], at_home: Path) -> Gallery:
    return Gallery.open(at_home / "galleries" / str(told["into"]), load=standin.load)


def build(folder: Path, labels: list[str]) -> Gallery:
    """A gallery of small pictures with such labels; "." is none."""
    for seed, label in enumerate(labels):
        path = folder / "pictures" / label / f"{seed}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        draw("dots", seed).resize((60, 80)).save(path)
    return Gallery.build(folder / "pictures", folder / "small", model=standin.CHOICE)


def train(examples: Labelled | FeedbackExamples, **given: Any) -> Head:
    """What a small network learns, in this process, where torch is loaded once."""
    return teach(examples, Settings.choose(**(TINY | given)), CARD, "none", "none")


def arrays(head: Head) -> list[Vectors]:
    return [part for part in (head.centre, head.basis, head.first, head.last) if part is not None]


def some_labelled(labels: int, each: int) -> Labelled:
    codes = np.repeat(np.arange(labels, dtype=np.int32), each)
    random = np.random.default_rng(0)
    vectors = random.standard_normal((labels, 24))[codes] + 2 * random.standard_normal((len(codes), 24))
    return Labelled(normalise(vectors), codes, labels)


def test_a_head_finds_held_out_pictures_better_and_its_card_says_what_it_is(
    head: Head, told: dict[str, Any], discs: Gallery
) -> None:
    card = head.card
    assert set(card.before) == set(card.after) == {"recall@1", "map@r"}
    assert card.before["recall@1"] <= 0.9, "it is not obvious"
    assert card.after["recall@1"] >= card.before["recall@1"]
    assert card.after["map@r"] >= card.before["map@r"] + 0.1
    made = discs.manifest
    assert (card.model, card.weights_sha256, card.network_sha256) == (made.model, made.weights_sha256, None)
    facts = {"gallery": "discs", "pictures": 56, "labels": 4, "queries": 56}
    assert card.data == facts | {"sha256": card.data["sha256"]}
    assert len(card.data["sha256"]) == 64
    assert card.settings.items() >= Settings().to_json().items()
    assert 1 <= card.settings["best_epoch"] <= Settings().epochs
    assert card.settings["refinement"] == "none"
    assert set(card.versions) == {"torch", "pytorch-metric-learning", "numpy"}
    assert card.loss == "multi-similarity"
    assert card.created.startswith("20")
    assert card.seconds > 0
    assert set(told) >= {"head", "loss", "seconds", "before", "after", "best_epoch", "data"}
    assert (told["before"], told["after"]) == (card.before, card.after)
    assert (told["gallery"], told["into"]) == ("discs", "taught")
    assert Path(told["head"]).name == f"discs-multi-similarity-{head.sha256[:8]}.safetensors"


def test_the_gallery_that_was_made_with_it_is_searched_through_it(taught: Gallery, head: Head, discs: Gallery) -> None:
    assert taught.manifest.head_sha256 == head.sha256
    np.testing.assert_array_equal(taught.embeddings[:], discs.embeddings[:])
    unseen, right = [(label, draw_disc(label, seed)) for label in PLACES for seed in range(100, 110)], [0, 0]
    for place, gallery in enumerate((discs, taught)):
        for label, picture in unseen:
            right[place] += sum(hit.item.label == label for hit in gallery.search(picture, 5))
    assert right[1] >= right[0] + 10, f"of 200 first hits {right[0]} are right without, and {right[1]} with the head"


def test_how_sure_results_are_comes_with_the_head_and_only_for_labels(taught: Gallery, head: Head) -> None:
    assert head.card.calibration is not None
    assert calibrate(taught).to_json() == head.card.calibration
    assert calibrate(taught).queries == 56
    assert read_calibration(taught, by="maker") is None
    with pytest.raises(SearchError, match="none were held out to measure confidence by maker with"):
        calibrate(taught, by="maker")


@pytest.mark.many
@pytest.mark.parametrize("layers", [1, 2])
@pytest.mark.parametrize("loss", LOSSES)
def test_every_loss_trains_heads_of_one_layer_and_of_two(loss: Any, layers: int) -> None:
    pictures = some_labelled(4, 10)
    head = train(pictures, loss=loss, layers=layers)
    assert (head.first is None) == (layers == 1)
    assert (head.dim_in, head.dim, head.share) == (24, 16, 0.35)
    made = head.project(pictures.embeddings)
    np.testing.assert_allclose(np.linalg.norm(made, axis=1), 1, atol=1e-4)
    assert all(0 <= value <= 1 for value in (*head.card.before.values(), *head.card.after.values()))
    assert train(pictures, loss=loss, layers=layers, keep=0).dim == 8


@pytest.mark.parametrize("epochs", [1, 10])
def test_any_number_of_epochs_will_do(epochs: int) -> None:
    assert train(some_labelled(4, 10), epochs=epochs).card.settings["best_epoch"] <= epochs


def test_the_same_seed_gives_the_same_head_and_another_one_another() -> None:
    first, again, other = (train(some_labelled(4, 10), seed=seed, members=2) for seed in (5, 5, 6))
    assert all(np.array_equal(*pair) for pair in zip(arrays(first), arrays(again), strict=True))
    assert replace(first.card, created="", seconds=0) == replace(again.card, created="", seconds=0)
    assert not np.array_equal(first.last, other.last)


def test_members_are_joined_to_vectors_of_the_same_size() -> None:
    pictures = some_labelled(4, 10)
    for layers in (1, 2):
        settings = Settings(**(TINY | {"layers": layers}))
        heads = []
        for number in range(3):
            member = Member(pictures, np.arange(40), settings, number)
            member.learn()
            heads.append(member.head(CARD))
        alone, both = join(heads[:1], pictures.embeddings), join(heads, pictures.embeddings)
        assert both.dim == alone.dim == heads[0].dim
        expected, made = (one.project(pictures.embeddings) for one in (heads[0], alone))
        np.testing.assert_allclose(made @ made.T, expected @ expected.T, atol=1e-4)
        separate = sum(one.project(pictures.embeddings) @ one.project(pictures.embeddings).T for one in heads)
        joined = both.project(pictures.embeddings)
        assert np.corrcoef((joined @ joined.T).ravel(), np.ravel(separate))[0, 1] > 0.9


def test_each_picture_is_held_out_once_and_never_one_that_is_alone_in_its_label() -> None:
    codes = np.array([0] * 9 + [1] * 2 + [2] + [3] * 30 + [4], np.int32)
    for folds in (2, 4, 20):
        found = fold_labelled(codes, Settings(folds=folds))
        held_out = np.concatenate([fold.held_out for fold in found])
        assert sorted(held_out) == np.flatnonzero(~np.isin(codes, [2, 4])).tolist()
        for fold in found:
            assert sorted([*fold.learned, *fold.held_out]) == list(range(len(codes)))
            assert set(codes[fold.held_out]) <= set(codes[fold.learned]), "something would be right"


def test_labels_are_held_out_with_all_their_pictures_two_at_least_at_a_time() -> None:
    codes = np.random.default_rng(0).permutation(np.repeat(np.arange(9, dtype=np.int32), [5] * 7 + [1, 1]))
    for folds in (2, 4, 20):
        found = fold_labelled(codes, Settings(split="label", folds=folds))
        assert sorted(np.concatenate([fold.held_out for fold in found])) == np.flatnonzero(codes < 7).tolist()
        for fold in found:
            assert not set(codes[fold.held_out]) & set(codes[fold.learned])
            assert sorted([*fold.learned, *fold.held_out]) == list(range(len(codes)))
            assert len(set(codes[fold.held_out])) >= 2


def test_what_is_learned_of_whole_labels_that_are_held_out_says_nothing_of_how_sure_results_are() -> None:
    head = train(some_labelled(4, 14), split="label")
    assert head.card.calibration is None
    assert head.card.data["queries"] == 56
    assert set(head.card.after) == {"recall@1", "map@r"}


@pytest.mark.usefixtures("standin_network")
@pytest.mark.parametrize(
    ("labels", "split", "sentence"),
    [
        (["."] * 3, "item", "of small have no labels to learn from. Put pictures into a folder for each label"),
        (["boot"] * 3, "item", "have the label 'boot': training needs at least two labels"),
        (["boot", "shoe", "hat"], "item", "Each label of small has only one picture"),
        (["boot", "shoe", "hat"] * 2 + ["coat"], "label", "4 labels need two pictures each, and 3 do"),
    ],
)
def test_labels_that_teach_nothing_are_an_error(tmp_path: Path, labels: list[str], split: Any, sentence: str) -> None:
    with pytest.raises(HeadError, match=sentence):
        finetune(build(tmp_path, labels), Settings(split=split))


@pytest.mark.usefixtures("standin_network")
def test_the_fewest_pictures_that_teach_anything_make_a_head(tmp_path: Path) -> None:
    pictures = labelled_pictures(build(tmp_path, ["boot", "boot", "shoe", "."]), Settings())
    assert pictures.codes.tolist() == [0, 0, 1]
    head = train(replace(pictures, embeddings=normalise(pictures.embeddings[:, :24])))
    assert head.card.data == {"queries": 2}
    assert head.card.calibration is None


def test_of_very_many_pictures_some_are_drawn(discs: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("similarity.finetuning.examples.MOST_PICTURES", 20)
    drawn = labelled_pictures(discs, Settings(seed=1))
    assert len(drawn) == 20
    assert sorted(set(drawn.codes)) == list(range(drawn.labels))
    assert not np.array_equal(drawn.embeddings, labelled_pictures(discs, Settings(seed=2)).embeddings)


@pytest.mark.parametrize(
    "wrong",
    [
        {"loss": "arcface"},
        {"split": "picture"},
        {"layers": 3},
        {"dim": 1},
        {"dim": 4096},
        {"keep": 1.0},
        {"keep": -0.1},
        {"keep": float("nan")},
        {"folds": 1},
        {"folds": 21},
        {"epochs": 0},
        {"epochs": 1001},
    ],
)
def test_settings_that_make_no_sense_are_an_error(wrong: dict[str, Any]) -> None:
    with pytest.raises(
        HeadError, match=f"not {next(iter(wrong.values()))}|{next(iter(wrong.values()))!r} is not one of"
    ):
        Settings(**wrong)


def test_settings_are_what_they_were_after_json() -> None:
    settings = Settings.choose("marks", dim=32, keep=None)
    assert (settings.source, settings.dim, settings.keep, settings.epochs) == ("marks", 32, 0.5, 100)
    assert Settings.from_json(json.loads(json.dumps(settings.to_json()))) == settings


def test_batches_are_disjoint_and_hold_two_of_each_label_where_labels_are_many() -> None:
    random = np.random.default_rng(0)
    few = np.repeat(np.arange(4, dtype=np.int32), 25)
    for batch in (batches := list(draw_batches(few, 20, 5, random))):
        assert np.bincount(few[batch]).max() >= 2
    assert sorted(np.concatenate(batches)) == list(range(100))
    many = random.permutation(np.r_[np.repeat(np.arange(60), 2 + np.arange(60) % 5), 60:90]).astype(np.int32)
    for batch in (batches := list(draw_batches(many, 48, len(many) // 48, random))):
        counts = np.bincount(many[batch])
        assert counts[counts > 0].min() >= 2
        assert len(batch) < 48 + AT_ONCE
    assert all(len(batch) >= 48 for batch in batches[:-1])
    every = np.concatenate(batches)
    assert len(set(every)) == len(every)
    assert many[every].max() < 60, "one that is alone in its label is of no use"


def mark(gallery: Gallery, queries: int, kinds: tuple[bool, ...] = (True, False)) -> None:
    """Of so many pictures of the gallery, a result of their label is wanted and one of another is not."""
    for query in gallery.items[:: len(gallery) // queries][:queries]:
        asked = FeedbackQuery(query.path, query.sha256)
        for wanted in kinds:
            found = [item for item in gallery.items if (item.label == query.label) == wanted and item != query]
            add_feedback(gallery.directory, gallery.manifest, asked, found[0], wanted=wanted)


def light(marked: FeedbackExamples) -> FeedbackExamples:
    """The same marks, on short embeddings."""
    pairs = replace(marked.pairs, embeddings=normalise(marked.pairs.embeddings[:, :24]))
    return FeedbackExamples(pairs, normalise(marked.backdrop[:, :24]))


@pytest.mark.many
@pytest.mark.parametrize("folds", [4, 20])
@pytest.mark.parametrize("loss", ["multi-similarity", "contrastive", "triplet"])
def test_marks_teach_and_enough_queries_with_both_kinds_say_what_it_is_worth(
    marked: Gallery, loss: Any, folds: int
) -> None:
    mark(marked, QUERIES_TO_HOLD_OUT - 1)
    settings = Settings.choose("marks", loss=loss)
    few = train(light(feedback_examples(marked, settings)), source="marks", loss=loss, folds=folds)
    assert (few.card.before, few.card.after, few.card.calibration) == ({}, {}, None)
    assert few.card.settings["best_epoch"] == TINY["epochs"]
    mark(marked, QUERIES_TO_HOLD_OUT)
    enough = train(light(feedback_examples(marked, settings)), source="marks", loss=loss, folds=folds)
    assert set(enough.card.before) == set(enough.card.after) == {"recall@1", "map@r"}
    assert QUERIES_TO_HOLD_OUT <= enough.card.data["queries"] < 2 * QUERIES_TO_HOLD_OUT
    assert enough.card.calibration is None


def test_marks_that_teach_nothing_are_an_error(marked: Gallery) -> None:
    with pytest.raises(HeadError, match="No result of the gallery marked has been marked yet"):
        finetune(marked, Settings.choose("marks"))
    mark(marked, 3, kinds=(True,))
    with pytest.raises(HeadError, match="“More like this”: mark some results “Not like this”, too"):
        finetune(marked, Settings.choose("marks"))
    add_feedback(
        marked.directory,
        marked.manifest,
        FeedbackQuery("another", marked.items[5].sha256),
        marked.items[-1],
        wanted=False,
    )
    with pytest.raises(HeadError, match="no query has both: mark more, or choose contrastive"):
        finetune(marked, Settings.choose("marks", loss="triplet"))
    with pytest.raises(HeadError, match="marks are no labels: choose contrastive, triplet or"):
        finetune(marked, Settings.choose("marks", loss="proxy-anchor"))


def test_examples_of_both_kinds_come_to_the_other_process_as_they_are(marked: Gallery, tmp_path: Path) -> None:
    mark(marked, 4)
    for examples in (labelled_pictures(marked, Settings()), feedback_examples(marked, Settings.choose("marks"))):
        write_examples(tmp_path / "examples.npz", examples)
        assert describe(read_examples(tmp_path / "examples.npz")) == describe(examples)


def test_the_command_line_learns_from_few_marks_and_says_that_nothing_says_what_that_is_worth(discs: Gallery) -> None:
    gallery = discs.rebuild(into=discs.directory.with_name("few"))
    mark(gallery, 2)
    options = ("--from-feedback", "--epochs", "2", "--dim", "8", "--layers", "1")
    done = CliRunner().invoke(app, ["finetune", "-g", "few", *options], catch_exceptions=False)
    assert done.exit_code == 0, done.output
    assert "Too few queries have marks of both kinds to hold some out" in done.output
    path = done.stdout.split("rebuild --gallery few --head ")[1].split("`")[0]
    assert read_head(Path(path)).card.data["marks"] == 4


def run(monkeypatch: pytest.MonkeyPatch, *arguments: str) -> int:
    """The exit status of the command line in this process."""
    monkeypatch.setattr(sys, "argv", ["similarity", *arguments])
    with pytest.raises(SystemExit) as ended:
        main()
    return int(ended.value.code or 0)


@pytest.mark.exhaustive
def test_the_command_line_puts_a_head_on_and_takes_it_off(
    told: dict[str, Any], discs: Gallery, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    directory = discs.rebuild(into=discs.directory.with_name("changing")).directory
    assert run(monkeypatch, "rebuild", "-g", "changing", "--head", told["head"]) == 0
    assert Gallery.open(directory).manifest.head_sha256
    assert run(monkeypatch, "rebuild", "-g", "changing", "--head", "none") == 0
    assert Gallery.open(directory).head is None
    assert run(monkeypatch, "rebuild", "-g", "changing", "--head", told["head"], "--into", "changed", "--json") == 0
    assert Gallery.open(directory.with_name("changed")).head is not None
    wrong = discs.directory / "CURRENT"
    capsys.readouterr()
    assert run(monkeypatch, "rebuild", "-g", "changing", "--head", str(wrong)) == 1
    said = capsys.readouterr().err
    assert said.startswith(f"Error: {wrong} is damaged, or is not a head")
    assert said.count("\n") == 1
    assert Gallery.open(directory).manifest.generation == 3


@pytest.mark.parametrize("how", ["killed", "no such module"])
def test_a_training_process_that_dies_is_an_error(discs: Gallery, monkeypatch: pytest.MonkeyPatch, how: str) -> None:
    @contextmanager
    def dying(module: str, *arguments: Path) -> Iterator[Any]:
        with running_module(module if how == "killed" else "similarity.none_such", *arguments) as started:
            if how == "killed":
                started.kill()
            yield started

    monkeypatch.setattr(launcher, "running_module", dying)
    with pytest.raises(HeadError, match="training process died, maybe for lack of memory"):
        finetune(discs)


def test_what_the_training_process_finds_wrong_is_said(discs: Gallery, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(launcher, "gather_examples", lambda *_: some_labelled(3, 4))
    with pytest.raises(HeadError, match="and 3 do: hold items out instead"):
        finetune(discs, Settings(split="label"))


def test_a_training_that_is_cancelled_leaves_no_process(
    discs: Gallery, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """What trains is a stand-in, which goes on for an hour after its first epoch."""
    epoch = json.dumps({"epoch": {"stage": "trial", "number": 1, "of": 9, "loss": 0.5, "recall": 0.25}})
    (tmp_path / "endless.py").write_text(f"import time\nprint({epoch!r}, flush=True)\ntime.sleep(3600)\n")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    started: list[Any] = []

    @contextmanager
    def endless(_: str, *arguments: Path) -> Iterator[Any]:
        with running_module("endless", *arguments) as one:
            started.append(one)
            yield one

    def cancel(epoch: Epoch) -> None:
        assert epoch == Epoch("trial", 1, 9, 0.5, 0.25)
        raise InterruptedError

    monkeypatch.setattr(launcher, "running_module", endless)
    with pytest.raises(InterruptedError):
        finetune(discs, on_epoch=cancel)
    assert started[0].poll() is not None


def test_a_pair_that_is_marked_both_ways_is_never_learned_from_where_it_is_held_out() -> None:
    queries = np.repeat(np.arange(16), 2)
    items = queries ^ np.tile([1, 2], 16)  # whoever is a query is another one's picture, too
    embeddings = normalise(np.random.default_rng(0).normal(size=(16, 8)).astype(np.float32))
    marked = FeedbackExamples(Pairs(embeddings, queries, items, np.tile([True, False], 16)), embeddings)
    folds = fold_feedback(marked, Settings.choose("marks"))
    assert len(folds) == Settings().folds
    for fold in folds:
        learned, held_out = (
            {frozenset((queries[row], items[row])) for row in rows} for rows in (fold.learned, fold.held_out)
        )
        assert learned
        assert held_out
        assert not learned & held_out


def test_figures_of_what_was_learned_from_say_so(discs: Gallery) -> None:
    made, basis = discs.manifest, np.eye(8, discs.manifest.dim, dtype=np.float32)
    card = Card(made.model, made.weights_sha256, "triplet", made.network_sha256, view=made.view)
    head = Head(np.zeros(made.dim, np.float32), basis, np.eye(8, dtype=np.float32), card)
    taught = discs.rebuild(head=head, into=discs.directory.with_name("cautious"))
    assert evaluate(discs).caution == ""
    assert "trained on its own pictures" in evaluate(taught).to_json()["caution"]


def test_a_gallery_of_the_best_quality_is_validated_with_its_own_closer_neighbours(
    at_home: Path, discs: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    best = Gallery.build(at_home / "pictures", at_home / "galleries" / "best", model=standin.CHOICE, quality="best")
    assert (best.manifest.refinement, best.manifest.neighbour_power) == ("neighbours", CLOSER)
    rows, labelled = np.arange(len(best)), labelled_pictures(best, Settings())
    held_out = HeldOutLabels(rows, rows, rows, labelled.codes)
    usual, closer = (held_out.evaluate(labelled.embeddings, "neighbours", power) for power in (POWER, CLOSER))
    for gallery, results in ((discs, usual), (best, closer)):
        measured = evaluate(gallery).metrics["map@r"].value
        assert results.summary()["map@r"] == pytest.approx(measured, abs=1e-4)
    assert not np.allclose(usual.scores, closer.scores)
    task = task_of(best, monkeypatch)
    assert (task["before"], task["after"], task["neighbour_power"]) == ("neighbours", "none", CLOSER)


def test_a_head_is_compared_with_the_refinement_that_the_gallery_has_and_not_with_what_auto_takes_now(
    at_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with monkeypatch.context() as patch:
        patch.setattr("similarity.vectors.refinement.MOST_NUMBERS", 1_000)
        patch.setattr("similarity.vectors.refinement.free_memory", lambda: 0)
        large = Gallery.build(at_home / "pictures", at_home / "galleries" / "large", model=standin.CHOICE)
    assert (large.manifest.refinement, large.manifest.refinement_asked) == ("centred", "auto")
    task = task_of(large, monkeypatch)
    assert (task["before"], task["neighbour_power"]) == ("centred", POWER)


def task_of(gallery: Gallery, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """What the process that trains a head is told of a gallery; it is not started."""
    told: dict[str, Any] = {}

    def stop(_: str, __: Path, task: Path, ___: Path) -> None:
        told.update(json.loads(task.read_text()))
        raise HeadError("enough")

    monkeypatch.setattr(launcher, "running_module", stop)
    with pytest.raises(HeadError, match="enough"):
        finetune(gallery)
    return told


def test_another_gallery_is_not_written_over(discs: Gallery) -> None:
    discs.rebuild(into=discs.directory.with_name("there"))
    for command in (["finetune", "-g", "discs"], ["rebuild", "--gallery", "discs"]):
        done = CliRunner().invoke(app, [*command, "--into", "there"], catch_exceptions=False)
        assert done.exit_code == 2
        assert "there is a gallery there already" in " ".join(done.output.split())

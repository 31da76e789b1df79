"""The train page, driven without a browser.

One head is really trained, in the exhaustive tier, since a process with torch takes ten seconds to start and to end;
elsewhere a stand-in is, in no time. See `test_finetuning.py` for what a head learns.
"""

import json
import re
import shutil
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import standin
from conftest import MODEL
from pages import draw_alone, errors, texts
from streamlit.testing.v1 import AppTest

from similarity import Gallery
from similarity.app.galleries import jobs_background
from similarity.app.serving import access
from similarity.app.wording import learned
from similarity.errors import HeadError
from similarity.finetuning import Epoch, Settings
from similarity.finetuning.epochs import OnEpoch
from similarity.service.jobs import Job, Jobs, shared_jobs
from similarity.storage.feedback import FeedbackQuery, add_feedback
from similarity.vectors.arrays import normalise
from similarity.vectors.heads import Card, Head

pytestmark = pytest.mark.usefixtures("standin_network")
BEFORE, BETTER, WORSE = ({"recall@1": one, "map@r": one - 0.1} for one in (0.5, 0.75, 0.25))

Finetune = Callable[..., Head]


def _page() -> None:
    from similarity.app.train import page as train_page

    train_page.show()


@pytest.fixture
def page(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[AppTest]:
    assert empty_home
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.restore", standin.load)
    yield draw_alone(_page, monkeypatch)
    for job in jobs().listed():
        job.cancel()
        assert job.wait(30)


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    """A gallery of 15 pictures with three labels."""
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


@pytest.fixture
def trains(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[Settings]]:
    """Has a stand-in for training do what is said; gives the settings that it is asked for."""

    def be(after: Mapping[str, float] = BETTER, act: Callable[[OnEpoch], None] = tell_all) -> list[Settings]:
        asked = []

        def finetune(gallery: Gallery, settings: Settings, *, on_epoch: OnEpoch) -> Head:
            asked.append(settings)
            act(on_epoch)
            return make_head(gallery, settings, after)

        monkeypatch.setattr("similarity.service.tasks.finetune", finetune)
        return asked

    return be


def tell_all(on_epoch: OnEpoch) -> None:
    """How a training goes that is best after its second epoch."""
    for number, recall in enumerate((0.5, 0.75, 0.625), start=1):
        on_epoch(Epoch("trial", number, 3, 1 / number, recall))
    for number in (1, 2):
        on_epoch(Epoch("final", number, 2, 1 / number))


def make_head(gallery: Gallery, settings: Settings, after: Mapping[str, float]) -> Head:
    """A head that has learned nothing."""
    made, random = gallery.manifest, np.random.default_rng(0)
    basis = normalise(random.standard_normal((8, made.dim)).astype(np.float32))
    card = Card(
        made.model,
        made.weights_sha256,
        settings.loss,
        made.network_sha256,
        {"pictures": 15, "labels": 3, "queries": 15},
        settings.to_json() | {"best_epoch": 2},
        BEFORE,
        after,
        view=made.view,
        seconds=3,
        created="2026-02-03T04:05:06+00:00",
    )
    return Head(np.zeros(made.dim, np.float32), basis, np.eye(8, dtype=np.float32), card)


def jobs() -> Jobs:
    return shared_jobs()


def labels(page: AppTest) -> list[str]:
    return [button.label for button in page.button]


def press(page: AppTest, label: str) -> None:
    next(button for button in page.button if button.label == label).click().run()
    assert not page.exception


def finish(page: AppTest) -> Job:
    """Wait for the latest job and draw the page again."""
    job = jobs().listed()[-1]
    assert job.wait(60)
    page.run()
    assert not page.exception
    return job


def train(page: AppTest) -> Job:
    page.run()
    press(page, "Train")
    return finish(page)


def curves(page: AppTest) -> dict[str, list[Any]]:
    """What was drawn of each line, by its name."""
    options = [json.loads(chart.proto.spec) for chart in page.get("echarts_chart")]
    return {series["name"]: series["data"] for option in options for series in option["series"]}


def metrics(page: AppTest) -> dict[str, tuple[str, str]]:
    return {metric.label: (metric.value, metric.delta) for metric in page.metric}


def reopened(gallery: Gallery) -> Gallery:
    return Gallery.open(gallery.directory)


def test_marks_can_be_learned_from_where_there_are_some(
    page: AppTest, mine: Gallery, trains: Callable[..., list[Settings]]
) -> None:
    asked = trains()
    page.run()
    assert "train-source-mine" not in {one.key for one in page.segmented_control}, "there is nothing to choose yet"
    query = FeedbackQuery("query.jpg", mine.items[0].sha256)
    add_feedback(mine.directory, mine.manifest, query, mine.items[1], wanted=True)
    page.run()
    page.segmented_control(key="train-source-mine").set_value("marks").run()
    assert "All marks of the gallery mine are “More like this”" in texts(page)
    add_feedback(mine.directory, mine.manifest, query, mine.items[9], wanted=False)
    page.run()
    assert "Proxy anchor" not in page.selectbox(key="train-loss-marks-mine").options
    press(page, "Train")
    finish(page)
    assert [one.source for one in asked] == ["marks"]


@pytest.mark.exhaustive
def test_a_head_is_trained_looked_at_and_kept(page: AppTest, mine: Gallery) -> None:
    page.run()
    page.selectbox(key="train-loss-labels-mine").select("contrastive").run()
    assert "pulled together" in texts(page)
    page.number_input(key="train-epochs-labels-mine").set_value(2)
    page.segmented_control(key="train-layers-labels-mine").set_value(1)
    page.number_input(key="train-dim-labels-mine").set_value(4).run()
    press(page, "Train")
    assert "Training a head for" in texts(page)
    head = finish(page).status.result
    assert isinstance(head, Head)
    asked = head.card.settings
    assert [asked[name] for name in ("loss", "epochs", "layers", "dim")] == ["contrastive", 2, 1, 4]
    assert metrics(page)["Recall@1"][0] == f"{head.card.after['recall@1']:.3f}"
    assert metrics(page)["mAP@R"][1] == f"{head.card.after['map@r'] - head.card.before['map@r']:+.3f}"
    assert "Measured on **15 pictures** that were held out" in texts(page)
    assert [number for number, _ in curves(page)["Recall@1"]] == [1, 2]
    assert reopened(mine).head is None, "nothing is kept before somebody says so"
    press(page, "Keep it")
    finish(page)
    kept = reopened(mine).head
    assert kept is not None
    assert np.array_equal(kept.last, head.last)
    assert kept.card == head.card
    assert "mine now uses the trained head" in texts(page)
    assert "This gallery has a head" in texts(page)


@pytest.mark.usefixtures("mine")
def test_the_curves_are_those_of_the_epochs_and_the_best_is_marked(page: AppTest, trains: Finetune) -> None:
    trains()
    train(page)
    drawn = curves(page)
    assert drawn["Recall@1"] == [[1, 0.5], [2, 0.75], [3, 0.625]]
    assert drawn["Best"] == [[2, 0.75]]
    assert drawn["Some held out"] == [[1, 1.0], [2, 0.5], [3, 0.33333]]
    assert drawn["All pictures"] == [[1, 1.0], [2, 0.5]]


@pytest.mark.usefixtures("mine")
def test_what_is_chosen_is_what_is_asked_for(page: AppTest, trains: Callable[..., list[Settings]]) -> None:
    asked = trains()
    page.run()
    page.selectbox(key="train-loss-labels-mine").select("proxy-anchor")
    page.slider(key="train-keep-labels-mine").set_value(0.5)
    page.number_input(key="train-seed-labels-mine").set_value(7).run()
    press(page, "Train")
    finish(page)
    assert asked == [Settings(loss="proxy-anchor", keep=0.5, seed=7)]


def test_while_it_trains_the_page_says_how_far_it_is_also_to_who_comes_back(
    page: AppTest, mine: Gallery, trains: Finetune, monkeypatch: pytest.MonkeyPatch
) -> None:
    told, go_on = threading.Event(), threading.Event()

    def act(on_epoch: OnEpoch) -> None:
        on_epoch(Epoch("trial", 1, 3, 0.9, 0.5))
        told.set()
        assert go_on.wait(30)

    trains(act=act)
    page.run()
    press(page, "Train")
    assert told.wait(30)
    page.run()
    assert re.search(r"Multi-similarity loss · held out: some pictures of each label · \d+ s so far", texts(page))
    assert curves(page)["Recall@1"] == [[1, 0.5]]
    assert next(button for button in page.button if button.label == "Train").disabled
    other = AppTest.from_function(_page, default_timeout=60)
    other.query_params["gallery"] = "mine"
    other.run()
    assert curves(other)["Recall@1"] == [[1, 0.5]]
    monkeypatch.setattr(access, "may_manage", lambda: False)
    assert jobs_background.start(mine.directory, "delete", lambda _: None) is False
    go_on.set()
    assert jobs().listed()[-1].wait(30)


def test_a_training_is_cancelled_and_the_gallery_stays_as_it_is(page: AppTest, mine: Gallery, trains: Finetune) -> None:
    told = threading.Event()

    def act(on_epoch: OnEpoch) -> None:
        while True:
            on_epoch(Epoch("trial", 1, 3, 0.9, 0.5))
            told.set()
            time.sleep(0.01)

    trains(act=act)
    page.run()
    press(page, "Train")
    assert told.wait(30)
    page.run()
    press(page, "Cancel")
    finish(page)
    assert "Training a head for mine was cancelled: mine is as it was." in texts(page)
    assert "Resume" not in labels(page)
    assert mine.is_live
    press(page, "Dismiss")
    assert jobs().listed() == []


@pytest.mark.parametrize(
    ("error", "sentence"),
    [
        (HeadError("The training ended before it was done."), "The training ended before it was done."),
        (MemoryError("at 0x7f"), "Something unexpected went wrong (MemoryError)."),
    ],
)
def test_a_training_that_fails_gets_a_plain_sentence_and_can_be_tried_again(
    page: AppTest, mine: Gallery, trains: Finetune, error: Exception, sentence: str
) -> None:
    def fail(_: OnEpoch) -> None:
        raise error

    trains(act=fail)
    train(page)
    assert f"Training a head for mine failed. {sentence}" in texts(page)
    assert "0x7f" not in texts(page)
    assert mine.is_live
    trains()
    press(page, "Try again")
    finish(page)
    assert "Keep it" in labels(page)


def test_a_head_that_finds_less_is_advised_against_and_discarded(
    page: AppTest, mine: Gallery, trains: Finetune
) -> None:
    trains(after=WORSE)
    train(page)
    assert "It finds fewer right results: discard it." in errors(page)
    assert metrics(page) == {"Recall@1": ("0.250", "-0.250"), "mAP@R": ("0.150", "-0.250")}
    press(page, "Discard")
    assert jobs().listed() == []
    assert mine.is_live
    assert labels(page) == ["Train"]


def test_a_head_is_kept_in_a_new_gallery_of_the_same_pictures(page: AppTest, mine: Gallery, trains: Finetune) -> None:
    trains()
    job = train(page)
    page.segmented_control(key=f"keep-in-{job.number}").set_value("A new gallery").run()
    name = page.text_input(key=f"keep-name-{job.number}")
    assert name.value == "mine-trained"
    for wrong, sentence in (
        ("", "Give the new gallery a name."),
        ("my shoes?", "'my shoes?' cannot name a gallery"),
        ("mine", "There is a gallery named mine already: choose another name."),
    ):
        name.set_value(wrong).run()
        press(page, "Keep it")
        assert sentence in errors(page)
    name.set_value("taught").run()
    press(page, "Keep it")
    finish(page)
    taught = Gallery.open(mine.directory.with_name("taught"))
    assert taught.head is not None
    assert list(taught.items) == list(mine.items)
    assert mine.is_live
    assert "taught now uses the trained head" in texts(page)
    press(page, "Evaluate it")
    assert page.session_state["went"] == ("evaluate", {"gallery": "taught"})


def test_a_head_that_cannot_be_kept_is_not_lost(
    page: AppTest, mine: Gallery, trains: Finetune, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise HeadError("The disk is full.")

    trains()
    train(page)
    with monkeypatch.context() as patch:
        patch.setattr("similarity.indexing.changes.rebuild", fail)
        press(page, "Keep it")
        finish(page)
    assert "Putting a head on mine failed. The disk is full." in texts(page)
    assert mine.is_live
    press(page, "Keep it")
    finish(page)
    assert reopened(mine).head is not None
    assert "Keep it" not in labels(page)


def test_a_result_stays_to_be_decided_about_whatever_else_is_done_with_the_gallery(
    page: AppTest, mine: Gallery, trains: Finetune
) -> None:
    trains()
    train(page)
    shared_jobs().start(mine.directory, "verify", lambda _: None)
    finish(page)
    assert "Keep it" in labels(page)
    press(page, "Train again")
    finish(page)
    assert len(jobs().listed()) == 1, "a new head takes the place of the one before"
    shared_jobs().start(mine.directory, "delete", lambda _: None).wait(30)
    assert [job.task for job in jobs().listed()] == ["delete"]


def test_a_gallery_says_which_head_it_has_and_it_is_taken_off(page: AppTest, mine: Gallery) -> None:
    mine.rebuild(head=make_head(mine, Settings(), BETTER))
    page.run()
    shown = texts(page)
    assert "Trained 3 February 2026, 04:05 UTC, with the multi-similarity loss, of 15 pictures with 3 labels" in shown
    assert "Recall@1 **0.750**, 0.500 without it" in shown
    assert "Train" in labels(page), "another one can be trained"
    press(page, "Take the head off")
    finish(page)
    assert reopened(mine).head is None
    assert "mine no longer uses a head" in texts(page)
    assert "This gallery has a head" not in texts(page)


def test_a_gallery_without_labels_says_so_before_anything_begins(
    page: AppTest, pictures: Path, empty_home: Path
) -> None:
    flat = empty_home / "flat"
    shutil.copytree(pictures / "dots", flat)
    Gallery.build(flat, empty_home / "galleries" / "flat", model=MODEL)
    page.run()
    assert "The pictures of flat have no labels to learn from." in texts(page)
    assert labels(page) == ["To the galleries"]
    press(page, "To the galleries")
    assert page.session_state["went"] == ("galleries", None)


@pytest.mark.parametrize(
    ("kept", "sentence"),
    [
        ("dots/*.jpg", "All labelled pictures of few have the label 'dots'"),
        ("*/*-0.jpg", "Each label of few has only one picture"),
    ],
)
def test_labels_that_teach_nothing_are_told_before_anything_begins(
    page: AppTest, pictures: Path, empty_home: Path, kept: str, sentence: str
) -> None:
    for path in pictures.glob(kept):
        target = empty_home / "few" / path.relative_to(pictures)
        target.parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(path, target)
    Gallery.build(empty_home / "few", empty_home / "galleries" / "few", model=MODEL)
    page.run()
    assert sentence in texts(page)
    assert "Train" not in labels(page)


@pytest.mark.usefixtures("mine")
def test_too_few_labels_to_hold_some_out_are_told_and_items_can_be_held_out(page: AppTest) -> None:
    page.run()
    page.radio(key="train-split-labels-mine").set_value("label").run()
    assert "To hold whole labels out, 4 labels need two pictures each" in texts(page)
    assert next(button for button in page.button if button.label == "Train").disabled
    page.radio(key="train-split-labels-mine").set_value("item").run()
    assert not next(button for button in page.button if button.label == "Train").disabled


@pytest.mark.usefixtures("mine")
def test_who_may_not_manage_sees_what_the_page_is_for_and_can_begin_nothing(
    page: AppTest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "may_manage", lambda: False)
    page.run()
    assert not page.exception
    assert "Train a *head*" in texts(page)
    assert access.REFUSAL in texts(page)
    assert not page.button
    assert not page.selectbox


def test_the_galleries_page_shows_a_training_and_leads_to_its_result(
    page: AppTest, mine: Gallery, trains: Finetune
) -> None:
    def galleries_page() -> None:
        from similarity.app.galleries import page as galleries_page

        galleries_page.show()

    trains()
    train(page)
    other = AppTest.from_function(galleries_page, default_timeout=60).run()
    assert not other.exception
    assert "A head was trained for mine, in 3 s. It finds more right results." in texts(other)
    press(other, "See how good it is")
    assert other.session_state["went"] == ("train", {"gallery": "mine"})
    mine.rebuild(head=make_head(mine, Settings(), BETTER))
    other.query_params["gallery"] = "mine"
    other.run()
    assert "Recall@1 0.500 before, 0.750 after" in other.table[0].value.to_string().replace("\\", "")


@pytest.mark.parametrize(
    ("before", "after", "sense"),
    [
        ({"recall@1": 0.5, "map@r": 0.4}, {"recall@1": 0.6, "map@r": 0.4}, "better"),
        ({"recall@1": 0.5, "map@r": 0.4}, {"recall@1": 0.5, "map@r": 0.3}, "worse"),
        ({"recall@1": 0.5, "map@r": 0.4}, {"recall@1": 0.6, "map@r": 0.3}, "mixed"),
        ({"recall@1": 0.5}, {"recall@1": 0.5001}, "same"),
        ({}, {}, "unknown"),
    ],
)
def test_a_head_is_judged_by_what_was_held_out(
    before: Mapping[str, float], after: Mapping[str, float], sense: str
) -> None:
    assert learned.assess(Card("model", "sha256", "triplet", before=before, after=after)) == sense

"""Marks on results: what is kept of them, what survives damage and haste, and what training gets of them."""

import json
import shutil
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
import standin
from conftest import MODEL
from typer.testing import CliRunner

from similarity import Gallery
from similarity.cli import app
from similarity.errors import GalleryError, GalleryNotFoundError, HeadError
from similarity.finetuning.feedback_examples import training_pairs
from similarity.images.picture import Box
from similarity.storage import feedback
from similarity.storage.cleanup import delete_gallery
from similarity.storage.feedback import (
    FEEDBACK,
    FeedbackQuery,
    add_feedback,
    export_feedback,
    feedback_to_json,
    forget_all,
    forget_feedback,
    read_feedback,
)
from similarity.storage.generations import read_generation
from similarity.storage.inventory import disk_bytes
from similarity.vectors.arrays import normalise

pytestmark = pytest.mark.usefixtures("standin_network")
MARKING = """
import sys
from pathlib import Path
from similarity import Gallery
from similarity.storage.feedback import FeedbackQuery, add_feedback
gallery, name = Gallery.open(Path(sys.argv[1])), sys.argv[2]
for number in range(100):
    asked, item = FeedbackQuery(name, f"{name}-{number}"), gallery.items[number % 15]
    add_feedback(gallery.directory, gallery.manifest, asked, item, wanted=True)
"""


@pytest.fixture
def mine(own_pictures: Path, empty_home: Path) -> Gallery:
    """A gallery of 15 pictures."""
    return Gallery.build(own_pictures, empty_home / "galleries" / "mine", model=MODEL)


@pytest.fixture
def asked(mine: Gallery) -> FeedbackQuery:
    """A picture that is none of the gallery."""
    return FeedbackQuery("boot.jpg", "a" * 64, embedding=normalise(np.ones((1, mine.manifest.dim)))[0])


def test_a_mark_is_read_as_it_was_made(mine: Gallery, asked: FeedbackQuery) -> None:
    part = replace(asked, box=Box(0.1, 0.2, 0.5, 0.75))
    made = [
        add_feedback(mine.directory, mine.manifest, asked, mine.items[0], wanted=True),
        add_feedback(mine.directory, mine.manifest, part, mine.items[0], wanted=False),
        add_feedback(
            mine.directory,
            mine.manifest,
            FeedbackQuery("dots-1.jpg", mine.items[1].sha256),
            mine.items[2],
            wanted=False,
        ),
    ]
    read = read_feedback(mine.directory)
    assert read == made
    assert read[0].query.embedding is not None
    assert asked.embedding is not None
    assert read[0].query.embedding @ asked.embedding >= 0.999
    assert read[2].query.embedding is None


def test_the_last_mark_about_a_query_and_a_picture_counts_and_one_taken_back_is_gone(
    mine: Gallery, asked: FeedbackQuery
) -> None:
    first, second = mine.items[:2]
    add_feedback(mine.directory, mine.manifest, asked, first, wanted=True)
    add_feedback(mine.directory, mine.manifest, asked, second, wanted=True)
    add_feedback(mine.directory, mine.manifest, asked, first, wanted=False)
    assert [(mark.item, mark.wanted) for mark in read_feedback(mine.directory)] == [
        (second.id, True),
        (first.id, False),
    ]
    forget_feedback(mine.directory, asked, first)
    assert [mark.item for mark in read_feedback(mine.directory)] == [second.id]
    assert forget_all(mine.directory) == 1
    assert read_feedback(mine.directory) == []
    forget_feedback(mine.directory, asked, first)
    assert not (mine.directory / FEEDBACK).exists(), "what nothing is known of need not be forgotten"


def test_a_line_that_was_cut_short_or_makes_no_sense_is_passed_over_and_takes_no_other_along(
    mine: Gallery, asked: FeedbackQuery, caplog: pytest.LogCaptureFixture
) -> None:
    kept = add_feedback(mine.directory, mine.manifest, asked, mine.items[0], wanted=True)
    path = mine.directory / FEEDBACK
    whole = path.read_bytes()
    strange = whole.replace(b'"box":null', b'"box":[1]') + b"[]\n\x00\xff\n" + b"[" * 100_000 + b"\n"
    path.write_bytes(whole + strange + whole[: len(whole) // 2])
    later = add_feedback(mine.directory, mine.manifest, asked, mine.items[1], wanted=False)
    assert read_feedback(mine.directory) == [kept, later]
    assert caplog.text.count("is damaged, and is passed over") == 5


def test_lines_that_do_not_count_make_room_and_beyond_the_bound_it_says_what_to_do(
    mine: Gallery, asked: FeedbackQuery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(feedback, "MAX_ENTRIES", 3)
    for _ in range(5):
        add_feedback(mine.directory, mine.manifest, asked, mine.items[0], wanted=True)
    for item in mine.items[1:3]:
        add_feedback(mine.directory, mine.manifest, asked, item, wanted=True)
    with pytest.raises(GalleryError, match="has 3 marks, and no more are kept: export them, then forget them"):
        add_feedback(mine.directory, mine.manifest, asked, mine.items[3], wanted=True)
    assert [mark.item for mark in read_feedback(mine.directory)] == [item.id for item in mine.items[:3]]
    assert sorted(path.name for path in mine.directory.glob("*feedback*")) == [".feedback.lock", FEEDBACK]


@pytest.mark.exhaustive
def test_two_processes_mark_at_once_and_lose_nothing(mine: Gallery, child_environment: dict[str, str]) -> None:
    command = [sys.executable, "-c", MARKING, str(mine.directory)]
    both = [subprocess.Popen([*command, name], env=child_environment) for name in ("one", "two")]
    assert [process.wait(60) for process in both] == [0, 0]
    assert len(read_feedback(mine.directory)) == 200
    assert (mine.directory / FEEDBACK).read_bytes().count(b"\n") == 200


def test_marks_go_with_their_gallery_and_change_nothing_else_about_it(mine: Gallery, asked: FeedbackQuery) -> None:
    before = mine.state
    add_feedback(mine.directory, mine.manifest, asked, mine.items[0], wanted=True)
    read_generation(mine.directory, thorough=True)
    assert mine.is_live
    assert Gallery.open(mine.directory).state == before
    assert disk_bytes(mine.directory) > 0
    rebuilt = mine.rebuild("flat")
    assert len(read_feedback(rebuilt.directory)) == 1
    delete_gallery(mine.directory)
    assert not mine.directory.exists()
    with pytest.raises(GalleryNotFoundError, match="There is no gallery in"):
        add_feedback(mine.directory, mine.manifest, asked, mine.items[0], wanted=True)
    assert not mine.directory.exists()


def test_an_export_says_where_pictures_are_now_and_which_are_gone(mine: Gallery, asked: FeedbackQuery) -> None:
    dot, ring = mine.items[0], mine.items[5]
    add_feedback(mine.directory, mine.manifest, asked, dot, wanted=True)
    add_feedback(mine.directory, mine.manifest, asked, ring, wanted=False)
    exported = json.loads(export_feedback(mine.directory, mine.remove(labels=["dots"]).items))
    assert exported["gallery"] == "mine"
    gone, there = exported["marks"]
    assert (gone["item"], gone["path"], gone["label"]) == (dot.id, None, None)
    assert (there["path"], there["label"], there["wanted"]) == (ring.path, "rings", False)
    assert exported["marks"] == feedback_to_json(mine.directory, Gallery.open(mine.directory).items)


def test_training_gets_each_embedding_once_and_pairs_of_them(mine: Gallery, asked: FeedbackQuery) -> None:
    own = FeedbackQuery("dots-1.jpg", mine.items[1].sha256)
    add_feedback(mine.directory, mine.manifest, asked, mine.items[0], wanted=True)
    add_feedback(mine.directory, mine.manifest, asked, mine.items[6], wanted=False)
    add_feedback(mine.directory, mine.manifest, own, mine.items[0], wanted=True)
    pairs = training_pairs(mine)
    assert len(pairs) == 3
    assert pairs.queries.tolist() == [0, 0, 1]
    assert pairs.items.tolist() == [2, 3, 2]
    assert pairs.wanted.tolist() == [True, False, True]
    assert pairs.embeddings.dtype == np.float32
    assert np.allclose(pairs.embeddings[0], asked.embedding, atol=1e-3)
    assert np.array_equal(pairs.embeddings[1:], mine.embeddings[np.array([1, 0, 6])])
    assert (pairs.gone, pairs.foreign) == (0, 0)


def test_a_query_that_has_come_into_the_gallery_is_the_gallerys_own_picture(
    mine: Gallery, asked: FeedbackQuery
) -> None:
    add_feedback(mine.directory, mine.manifest, replace(asked, sha256=mine.items[4].sha256), mine.items[0], wanted=True)
    pairs = training_pairs(mine)
    assert np.array_equal(pairs.embeddings[pairs.queries[0]], mine.embeddings[4])


def test_marks_of_another_model_and_of_pictures_that_are_gone_are_left_out_and_counted(
    mine: Gallery, asked: FeedbackQuery
) -> None:
    with pytest.raises(HeadError, match="No result of the gallery mine has been marked yet"):
        training_pairs(mine)
    add_feedback(mine.directory, mine.manifest, asked, mine.items[0], wanted=True)
    path = mine.directory / FEEDBACK
    path.write_text(path.read_text().replace(f'"model":"{MODEL}"', '"model":"resnet50"'))
    with pytest.raises(HeadError, match=r"None of the 1 marks .*: 0 are of pictures .*, and 1 were made with another"):
        training_pairs(mine)
    add_feedback(mine.directory, mine.manifest, asked, mine.items[5], wanted=True)
    add_feedback(mine.directory, mine.manifest, asked, mine.items[10], wanted=True)
    add_feedback(
        mine.directory, mine.manifest, FeedbackQuery("rings-1.jpg", mine.items[6].sha256), mine.items[11], wanted=False
    )
    pairs = training_pairs(mine.remove(labels=["rings"]))
    assert len(pairs) == 1
    assert (pairs.gone, pairs.foreign) == (2, 1)


def test_marks_of_another_view_are_left_out_as_those_of_another_model_are(
    mine: Gallery, asked: FeedbackQuery, own_pictures: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(
        "similarity.indexing.operations.load_embedder", lambda _, __, view, *___: standin.standin().with_view(view)
    )
    crop = Gallery.build(own_pictures, mine.directory, model=MODEL, view="crop")
    add_feedback(crop.directory, crop.manifest, asked, crop.items[0], wanted=True)
    assert "view" not in json.loads((crop.directory / FEEDBACK).read_text()), "as lines of earlier versions"
    assert (len(training_pairs(crop)), training_pairs(crop).foreign) == (1, 0)
    fit = Gallery.build(own_pictures, mine.directory, model=MODEL, view="fit")
    with pytest.raises(HeadError, match="and 1 were made with another model or view"):
        training_pairs(fit)
    mark = add_feedback(fit.directory, fit.manifest, asked, fit.items[1], wanted=True)
    assert mark in read_feedback(fit.directory)
    assert mark.view == feedback_to_json(fit.directory, fit.items)[1]["view"] == "fit"
    pairs = training_pairs(fit)
    assert (len(pairs), pairs.gone, pairs.foreign) == (1, 0, 1)


def test_the_command_line_counts_exports_and_forgets_marks(mine: Gallery, asked: FeedbackQuery) -> None:
    def run(*options: str) -> str:
        done = CliRunner().invoke(app, ["feedback", "--gallery", "mine", *options])
        assert done.exit_code == 0, done.output
        return done.output

    assert "mine has 0 marks" in run()
    for item in mine.items[:12]:
        add_feedback(mine.directory, mine.manifest, asked, item, wanted=item.label == "dots")
    assert run().startswith("mine has 12 marks: 5 more like this, 7 not like this.")
    assert mine.items[11].path in run()
    assert mine.items[1].path not in run(), "only the last ten"
    assert len(json.loads(run("--json"))["marks"]) == 12
    assert json.loads(run("--forget", "--json")) == {"gallery": "mine", "forgotten": 12}
    assert "mine has 0 marks" in run()


def test_marks_that_cannot_be_read_or_written_are_said_to_be(mine: Gallery, asked: FeedbackQuery) -> None:
    (mine.directory / FEEDBACK).mkdir()
    with pytest.raises(GalleryError, match="cannot be read"):
        read_feedback(mine.directory)
    with pytest.raises(GalleryError, match="Marks could not be written"):
        add_feedback(mine.directory, mine.manifest, asked, mine.items[0], wanted=True)
    shutil.rmtree(mine.directory / FEEDBACK)

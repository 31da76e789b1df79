"""Sets: galleries whose pictures are shared out among shards."""

import logging
import shutil
from dataclasses import asdict
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from conftest import MODEL, change_manifest, draw

from similarity import Galleries, Gallery
from similarity.embedding.embedder import Embedder
from similarity.errors import GalleryDamagedError, GalleryError, SearchError
from similarity.gallery import restore, verify
from similarity.storage.cleanup import delete_gallery
from similarity.storage.inventory import list_galleries
from similarity.storage.manifest import read_manifest
from similarity.storage.removal import generation_folders, shard_folders

SHARDS = 4


@pytest.fixture
def one(own_pictures: Path, empty_home: Path) -> Gallery:
    """A gallery of 24 pictures, of which one is a copy."""
    for number in range(8):
        draw("dots", 50 + number).save(own_pictures / "dots" / f"more-{number}.jpg")
    shutil.copy(own_pictures / "dots" / "more-0.jpg", own_pictures / "rings" / "copy.jpg")
    return Gallery.build(own_pictures, empty_home / "galleries" / "one", model=MODEL, refinement="none")


@pytest.fixture
def whole(one: Gallery, empty_home: Path) -> Gallery:
    """The same as a set."""
    return one.rebuild(into=empty_home / "galleries" / "whole").rebalance(SHARDS)


def folders(gallery: Gallery) -> list[Path]:
    return [shard.folder(gallery.directory) for shard in gallery.manifest.shards if shard.place]


def facts(hits: Any) -> list[tuple[int, str]]:
    return [(hit.rank, hit.item.id) for hit in hits]


def same(first: Gallery, second: Gallery, **options: Any) -> bool:
    """Whether two galleries find the same for each of their pictures, with the same scores."""
    assert [item.id for item in first.items] == [item.id for item in second.items]
    for item in first.items:
        found, expected = (gallery.search(item.path, k=9, **options) for gallery in (first, second))
        if facts(found) != facts(expected):
            return False
        assert [hit.score for hit in found] == pytest.approx([hit.score for hit in expected], abs=1e-6)
    return True


@pytest.mark.parametrize("refinement", ["none", "centred", "neighbours"])
def test_a_set_answers_as_one_gallery_of_its_pictures_does(one: Gallery, refinement: str, empty_home: Path) -> None:
    one = one.rebuild(refinement=refinement)
    whole = one.rebuild(into=empty_home / "galleries" / "whole").rebalance(SHARDS)
    assert len(whole) == len(one) == 23
    assert sum(len(Gallery.open(folder)) for folder in folders(whole)) == 23
    assert same(whole, one)
    assert same(whole, one, where={"label": "dots"}, offset=2, distinct=True)
    assert np.allclose(whole.vectors[:], one.vectors[:], atol=1e-6)
    assert np.array_equal(whole.embeddings[:], one.embeddings[:])


def test_indexing_shards_embeds_each_picture_once(
    own_pictures: Path, empty_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    embedded: list[int] = []
    embed = Embedder.embed

    def counted(self: Embedder, pixels: Any, *rest: Any, **options: Any) -> Any:
        embedded.append(len(pixels))
        return embed(self, pixels, *rest, **options)

    monkeypatch.setattr(Embedder, "embed", counted)
    whole = Gallery.build(own_pictures, empty_home / "galleries" / "whole", model=MODEL, shards=SHARDS)
    assert whole.report is not None
    assert (whole.report.embedded, len(whole)) == (15, 15)
    again = Gallery.build(own_pictures, empty_home / "galleries" / "whole", model=MODEL)
    assert again.report is not None
    assert (again.report.embedded, len(again.manifest.shards)) == (0, SHARDS)
    assert [directory.name for directory in list_galleries()] == ["whole"]


def test_a_change_writes_only_the_shards_that_it_concerns(whole: Gallery, own_pictures: Path) -> None:
    before = {shard.place for shard in whole.manifest.shards}
    draw("rings", 99).save(own_pictures / "rings" / "new.jpg")
    added = whole.sync(own_pictures)
    assert added.report is not None
    assert (added.report.added, added.report.embedded, added.report.unchanged) == (1, 1, 24)
    after = {shard.place for shard in added.manifest.shards}
    assert len(before & after) == SHARDS - 1
    assert added.search(own_pictures / "rings" / "new.jpg", k=1)[0].score == pytest.approx(1, abs=1e-3)
    (own_pictures / "rings" / "new.jpg").unlink()
    removed = added.sync(own_pictures)
    assert len(removed) == len(whole)
    assert len(removed.remove(labels=["rings"])) == len(whole) - 5


def test_a_sync_of_a_set_is_that_of_one_gallery(one: Gallery, whole: Gallery, own_pictures: Path) -> None:
    (own_pictures / "dots" / "dots-0.jpg").rename(own_pictures / "rings" / "moved.jpg")
    (own_pictures / "dots" / "dots-1.jpg").unlink()
    draw("stripes", 77).save(own_pictures / "dots" / "dots-2.jpg")
    first, second = (gallery.sync(own_pictures).report for gallery in (one, whole))
    assert first is not None
    assert second is not None
    assert first.counts == second.counts
    assert (first.moved, first.removed, first.changed) == (1, 1, 1)
    assert same(Gallery.open(one.directory), Gallery.open(whole.directory))


def test_labels_that_were_given_and_earlier_states_are_those_of_the_set(whole: Gallery) -> None:
    item = whole.items[0]
    changed = whole.relabel({item.id: "mine"})
    assert changed.find(item.id).label == "mine"
    assert {Gallery.open(folder).items.find(item.id) is not None for folder in folders(changed)} == {True, False}
    back = restore(whole.directory)
    assert back.find(item.id).label == item.label
    assert same(back, whole)


def test_it_is_rebalanced_without_embedding_back_to_one_gallery_too(
    one: Gallery, whole: Gallery, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Embedder, "restore", None)
    for shards in (7, 2, 1, 40):
        changed = Gallery.open(whole.directory, load=one._load).rebalance(shards)
        assert len(changed.manifest.shards) == (shards if shards > 1 else 0)
        assert [item.id for item in changed.items] == [item.id for item in one.items]
        assert np.array_equal(changed.embeddings[:], one.embeddings[:])
    assert len(folders(changed)) < 40


def test_a_shard_that_was_deleted_is_one_warning_and_the_rest_answers(
    whole: Gallery, own_pictures: Path, caplog: pytest.LogCaptureFixture
) -> None:
    gone = Gallery.open(folders(whole)[1])
    missing = {item.id for item in gone.items}
    shutil.rmtree(gone.directory)
    assert len(whole.search(own_pictures / "dots" / "dots-0.jpg", k=30)) == len(whole)  # it was open before that
    with caplog.at_level(logging.WARNING):
        rest = Gallery.open(whole.directory)
    assert len(caplog.records) == 1
    assert "1 of its 4 shards are missing" in rest.left_out
    hits = rest.search(own_pictures / "dots" / "dots-0.jpg", k=30)
    assert {hit.item.id for hit in hits} == {item.id for item in whole.items} - missing
    several = Galleries([rest]).search(own_pictures / "dots" / "dots-0.jpg")
    assert several.left_out == {"whole": rest.left_out}
    with pytest.raises(GalleryDamagedError, match="is missing, a shard of this set"):
        verify(whole.directory)
    for change in (lambda: rest.remove(labels=["rings"]), lambda: rest.rebalance(2), lambda: rest.relabel({})):
        with pytest.raises(GalleryError, match="is not whole, so it was not changed"):
            change()
    healed = rest.sync(own_pictures)
    assert healed.report is not None
    assert healed.report.embedded == len(missing)
    assert healed.left_out == ""
    assert {item.id for item in healed.items} == {item.id for item in whole.items}


@pytest.mark.parametrize("refinement", ["centred", "neighbours"])
def test_refined_shards_answer_without_one_that_is_gone_and_alone(one: Gallery, refinement: str) -> None:
    whole = one.rebuild(refinement=refinement).rebalance(SHARDS)
    first, *others = folders(whole)
    alone = Gallery.open(first)
    assert alone.vectors.centre == pytest.approx(whole.vectors.centre)
    own = alone.items[0]
    assert alone.vectors[0] == pytest.approx(whole.vector(own.id), abs=1e-6)
    assert alone.search(own.path, k=1)[0].item.id == own.id
    assert alone.thumbnail(own) == whole.thumbnail(own)
    shutil.rmtree(first)
    rest = Gallery.open(whole.directory)
    assert len(rest) == len(whole) - len(alone)
    found = {hit.item.id: hit.score for hit in whole.search(own.path, k=30)}
    for hit in rest.search(own.path, k=30):
        assert hit.score == pytest.approx(found[hit.item.id], abs=0.2)
    assert [rest.find(item.id).id for folder in others for item in Gallery.open(folder).items]


def test_a_shard_is_changed_only_through_its_set(whole: Gallery, own_pictures: Path) -> None:
    shard = Gallery.open(folders(whole)[0])
    for change in (lambda: shard.sync(own_pictures), lambda: shard.remove(ids=[shard.items[0].id])):
        with pytest.raises(GalleryError, match="is a shard of the set whole: change that instead"):
            change()
    copy = shutil.copytree(shard.directory, whole.directory.with_name("copy"))
    assert len(Gallery.open(copy).remove(ids=[shard.items[0].id])) == len(shard) - 1


def test_a_shard_that_is_not_what_its_set_wrote_is_left_out(whole: Gallery) -> None:
    first, second, *_ = folders(whole)
    shutil.rmtree(first)
    shutil.copytree(second, first)
    assert "was changed by itself" in Gallery.open(whole.directory).left_out


@pytest.mark.usefixtures("one_earlier_state")
def test_shards_are_deleted_with_the_last_state_that_has_them(whole: Gallery) -> None:
    for shards in (2, 5, 3):
        changed = Gallery.open(whole.directory).rebalance(shards)
        assert len(whole.search(whole.items[0].path, k=30)) == len(whole)
    kept = [read_manifest(folder)[0] for folder in generation_folders(whole.directory)]
    assert {len(manifest.shards) for manifest in kept} == {SHARDS, 5, 3}  # the first is being read
    named = {shard.folder(whole.directory) for manifest in kept for shard in manifest.shards if shard.place}
    assert set(shard_folders(whole.directory)) == named
    del whole
    assert changed.rebalance(4).manifest.shards


@pytest.mark.parametrize("place", ["../../elsewhere", "/etc", "000001/shard-x", "000001/../shard-1"])
def test_a_place_elsewhere_is_refused(whole: Gallery, place: str) -> None:
    shards = [asdict(shard) for shard in whole.manifest.shards]
    change_manifest(whole, shards=shards)
    assert len(Gallery.open(whole.directory)) == len(whole)
    change_manifest(whole, shards=[{**shards[0], "place": place}, *shards[1:]])
    with pytest.raises(GalleryDamagedError):
        Gallery.open(whole.directory)


def test_a_link_among_shards_is_refused(whole: Gallery, tmp_path: Path) -> None:
    first = folders(whole)[0]
    first.rename(tmp_path / "elsewhere")
    first.symlink_to(tmp_path / "elsewhere")
    with pytest.raises(GalleryDamagedError, match="is a link"):
        Gallery.open(whole.directory)


def test_it_is_deleted_as_a_whole_with_nothing_left(whole: Gallery) -> None:
    whole.rebalance(3)
    delete_gallery(whole.directory)
    assert not whole.directory.exists()


@pytest.mark.parametrize(("shards", "options"), [(0, {}), (257, {}), (-1, {}), (2, {"parts": True})])
def test_what_cannot_be_a_set_is_refused_before_anything_is_made(
    own_pictures: Path, empty_home: Path, shards: int, options: dict[str, Any]
) -> None:
    directory = empty_home / "galleries" / "whole"
    with pytest.raises(SearchError, match="shards"):
        Gallery.build(own_pictures, directory, model=MODEL, shards=shards, **options)
    assert not directory.exists()


def test_approximate_shards_share_the_lists_of_the_whole_and_find_what_one_gallery_finds(
    one: Gallery, empty_home: Path
) -> None:
    one = one.rebuild(recipe="IVF1,SQ8")
    whole = one.rebuild(into=empty_home / "galleries" / "whole").rebalance(SHARDS)
    assert same(whole, one)
    assert [shard.manifest.recipe for shard in map(Gallery.open, folders(whole))] == ["IVF1,SQ8"] * SHARDS
    assert whole.manifest.search["probes"] == one.manifest.search["probes"]
    before = {shard.place for shard in whole.manifest.shards}
    changed = whole.remove(ids=[whole.items[0].id])
    assert len(before & {shard.place for shard in changed.manifest.shards}) == SHARDS - 1
    assert changed.manifest.search["probes"]
    assert same(changed, one.remove(ids=[one.items[0].id]))


def test_a_set_whose_shards_were_trained_apart_is_searched_and_made_anew_by_a_change(
    one: Gallery, own_pictures: Path, empty_home: Path
) -> None:
    one = one.rebuild(recipe="IVF1,Flat")
    directory = empty_home / "galleries" / "whole"
    options = {"model": MODEL, "refinement": "none", "recipe": "IVF1,Flat"}
    whole = Gallery.build(own_pictures, directory, shards=SHARDS, **options)
    change_manifest(whole, search={})
    assert same(Gallery.open(directory), one)
    changed = Gallery.open(directory).remove(ids=[whole.items[0].id])
    assert not {shard.place for shard in whole.manifest.shards} & {shard.place for shard in changed.manifest.shards}
    assert changed.manifest.search["probes"]


@pytest.mark.parametrize("refinement", ["none", "centred"])
def test_too_few_pictures_to_learn_lists_from_go_on_with_those_of_their_set(
    one: Gallery, empty_home: Path, refinement: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("similarity.search.recipes.MIN_FOR_LIST", 1)  # 23 pictures are enough
    one = one.rebuild(recipe="IVF8,SQ8", refinement=refinement)
    whole = one.rebuild(into=empty_home / "galleries" / "whole").rebalance(SHARDS)
    assert same(whole, one)
    few = whole.remove(ids=[item.id for item in one.items[5:]])
    exact = few.rebuild(recipe="flat", into=empty_home / "galleries" / "exact")
    assert all(facts(few.search(item.path, k=9)) == facts(exact.search(item.path, k=9)) for item in few.items)
    with pytest.raises(SearchError, match="needs at least 8 pictures, and there are 6"):
        few.rebalance(2)


def test_lists_whose_recall_was_low_from_the_start_are_not_learned_anew(one: Gallery, own_pictures: Path) -> None:
    options = {"model": MODEL, "shards": SHARDS, "recipe": "IVF1,Flat", "refinement": "none"}
    whole = Gallery.build(own_pictures, one.directory.with_name("whole"), **options)
    low = dict.fromkeys(whole.manifest.search["recall@10"], 0.9)
    change_manifest(whole, search=whole.manifest.search | {"recall@10": low})
    changed = Gallery.open(whole.directory).remove(ids=[whole.items[0].id])
    assert len({shard.place for shard in whole.manifest.shards + changed.manifest.shards}) == SHARDS + 1

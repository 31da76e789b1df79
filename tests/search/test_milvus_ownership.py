"""A gallery searches, changes and drops the collections that were made for it in Milvus, and nobody else's."""

import json
import shutil
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from conftest import MODEL, change_manifest
from stores import differences

from similarity import Gallery
from similarity.errors import CollectionError, GalleryDamagedError, StoreError
from similarity.gallery import restore
from similarity.search import Hit
from similarity.search.milvus.client import client
from similarity.search.milvus.collection import Collection
from similarity.search.stores import Store
from similarity.storage.cleanup import delete_gallery
from similarity.storage.generations import read_generation

pytest.importorskip("pymilvus")
pytest.importorskip("milvus_lite")


@pytest.fixture
def far(shapes: Gallery, empty_home: Path, milvus: Store) -> Gallery:
    return shapes.rebuild(refinement="none", into=empty_home / "galleries" / "far", store=milvus)


@pytest.fixture
def foreign(far: Gallery) -> Path:
    """A stranger's gallery in the same Milvus, with collections of its own; see `claims`."""
    return far.rebuild(into=far.directory.parent / "foreign").directory


def name_of(gallery: Gallery) -> str:
    return str(gallery.manifest.search["collection"])


def there(milvus: Store) -> set[str]:
    return set(client(milvus).list_collections())


def answers(gallery: Gallery) -> list[Hit]:
    return gallery.search_vector(gallery.vectors[3], len(gallery))


def note(directory: Path, *names: str, uri: str, **more: str) -> None:
    noted = [{"uri": uri, "name": name} | more for name in names]
    (directory / "collections.json").write_text(json.dumps(noted))


def forget_ids(gallery: Gallery) -> Gallery:
    """Make a gallery what an earlier version would have made: nothing of it carries an id."""
    search = dict(gallery.manifest.search)
    identity, index = search.pop("gallery"), gallery._generation.index
    mine = index.collection  # type: ignore[attr-defined]
    mine.drop()
    old = Collection(mine.store, mine.name)
    old.create(gallery.vectors.dim)
    old.put(index.keys, gallery.vectors[:], [[] for _ in index.keys])  # type: ignore[attr-defined]
    old.index("FLAT", {})
    change_manifest(gallery, search=search)
    noted = json.loads((gallery.directory / "collections.json").read_text())
    assert [one.pop("gallery") for one in noted] == [identity]
    (gallery.directory / "collections.json").write_text(json.dumps(noted))
    return Gallery.open(gallery.directory)


@pytest.mark.cluster
def test_a_copied_gallery_and_the_original_are_both_searched_and_neither_changes_the_other_s_collection(
    far: Gallery, milvus: Store
) -> None:
    before, mine = answers(far), name_of(far)
    copy = Gallery.open(Path(shutil.copytree(far.directory, far.directory.parent / "copy")))
    assert answers(copy) == before
    changed = copy.remove(labels=["dots"])
    assert name_of(changed) != mine
    assert answers(Gallery.open(far.directory)) == before
    read_generation(far.directory, thorough=True)
    later = Gallery.open(far.directory).remove(labels=["rings"])
    assert name_of(later) == mine, "what is the original's own goes on"
    assert len(answers(changed)) == len(answers(later)) == 10
    read_generation(changed.directory, thorough=True)
    its = name_of(changed.remove(labels=["rings"]))
    assert its == name_of(changed), "and so does what is the copy's own by now"
    delete_gallery(copy.directory)
    assert its not in there(milvus)
    assert mine in there(milvus)
    read_generation(far.directory, thorough=True)
    delete_gallery(far.directory)
    assert mine not in there(milvus)


def test_a_copy_that_was_never_changed_drops_nothing_when_it_is_deleted(far: Gallery, milvus: Store) -> None:
    before = answers(far)
    for copied in (far.directory.parent / "copy", far.directory.parents[2] / "elsewhere"):
        delete_gallery(Path(shutil.copytree(far.directory, copied)))
        assert not copied.exists()
    assert name_of(far) in there(milvus)
    assert answers(Gallery.open(far.directory)) == before


@pytest.mark.cluster
def test_a_gallery_that_was_moved_has_its_collection_still(far: Gallery, milvus: Store) -> None:
    moved = far.directory.rename(far.directory.parent / "moved")
    assert name_of(Gallery.open(moved).remove(labels=["dots"])) == name_of(far)
    delete_gallery(moved)
    assert name_of(far) not in there(milvus)


@pytest.mark.cluster
def test_a_copy_in_the_place_of_a_gallery_that_was_moved_away_is_a_copy(far: Gallery, milvus: Store) -> None:
    moved = far.directory.rename(far.directory.parents[2] / "moved")
    shutil.copytree(moved, far.directory)
    delete_gallery(far.directory)
    assert name_of(far) in there(milvus)
    read_generation(moved, thorough=True)


Claim = Callable[[Gallery, Gallery], dict[str, Any]]


@pytest.mark.cluster
@pytest.mark.parametrize(
    "claim",
    [
        lambda far, _: dict(far.manifest.search),
        lambda far, _: {"collection": name_of(far)},
        lambda far, foreign: {"collection": name_of(far), "gallery": foreign.manifest.search["gallery"]},
        lambda far, _: {"collection": name_of(far), "gallery": ""},
    ],
    ids=["name and id", "name alone", "name with another id", "name with no id"],
)
def test_a_gallery_that_claims_another_s_collection_cannot_change_or_drop_it(
    far: Gallery, foreign: Path, own_pictures: Path, milvus: Store, claim: Claim
) -> None:
    before, mine = answers(far), name_of(far)
    its = Gallery.open(foreign)
    claimed = claim(far, its)
    change_manifest(its, search=claimed)
    note(foreign, mine, uri=milvus.uri, gallery=claimed.get("gallery", ""))
    its = Gallery.open(foreign)
    if claimed == far.manifest.search:  # whoever knows the id has all that is in the collection
        assert differences(answers(its), before) == []
    else:
        with pytest.raises(CollectionError, match="is not of this gallery: make it again with"):
            answers(its)
    with suppress(CollectionError):
        its.remove(labels=["dots"])
        restore(foreign)
    Gallery.open(foreign).rebuild()
    Gallery.build(own_pictures, foreign, model=MODEL, store=milvus)
    delete_gallery(foreign)
    assert mine in there(milvus)
    read_generation(far.directory, thorough=True)
    assert answers(Gallery.open(far.directory)) == before


@pytest.mark.exhaustive
def test_a_list_that_names_another_s_collections_has_none_of_them_dropped(
    far: Gallery, foreign: Path, milvus: Store
) -> None:
    mine = name_of(far)
    for more in ({}, {"gallery": far.manifest.search["gallery"]}, {"gallery": "0" * 32}):
        note(foreign, mine, "similarity_far_0123456789ab", uri=milvus.uri, **more)
        Gallery.open(foreign).rebuild()
        assert mine in there(milvus)
    note(foreign, mine, uri=milvus.uri, gallery=far.manifest.search["gallery"])
    delete_gallery(foreign)
    assert mine in there(milvus)
    read_generation(far.directory, thorough=True)


@pytest.mark.cluster
def test_a_collection_of_an_earlier_version_is_searched_and_replaced_by_the_next_change(
    far: Gallery, milvus: Store
) -> None:
    before = answers(far)
    old = forget_ids(far)
    assert answers(old) == before
    read_generation(old.directory, thorough=True)
    changed = old.remove(labels=["dots"])
    assert name_of(changed) != name_of(far)
    assert changed.manifest.search["gallery"]
    assert name_of(far) in there(milvus), "to go back to"
    again = changed.remove(labels=["rings"])
    assert name_of(again) == name_of(changed)
    delete_gallery(again.directory)
    assert not {name_of(far), name_of(again)} & there(milvus)


@pytest.mark.cluster
def test_a_collection_of_an_earlier_version_is_dropped_by_nobody_but_the_only_gallery_that_it_is_named_after(
    far: Gallery, foreign: Path, milvus: Store
) -> None:
    old = forget_ids(far)
    its = Gallery.open(foreign)
    change_manifest(its, search={"collection": name_of(old)})
    note(foreign, name_of(old), uri=milvus.uri)
    delete_gallery(foreign)  # it is named otherwise
    assert name_of(old) in there(milvus)
    namesake = old.directory.parents[2] / "far"
    shutil.copytree(old.directory, namesake)
    delete_gallery(namesake)  # another one is in it
    assert name_of(old) in there(milvus)
    assert len(answers(old)) == 15
    delete_gallery(old.directory)
    assert name_of(old) not in there(milvus)


def test_what_cannot_be_kept_outside_of_the_gallery_is_not_begun(
    shapes: Gallery, empty_home: Path, milvus: Store
) -> None:
    (empty_home / "milvus.json").mkdir(parents=True)
    others = there(milvus)
    with pytest.raises(StoreError, match=r"milvus\.json cannot be (read|written)"):
        shapes.rebuild(into=empty_home / "galleries" / "far", store=milvus)
    assert there(milvus) == others
    assert not (empty_home / "galleries" / "far").exists()


@pytest.mark.exhaustive
def test_ids_are_forgotten_with_the_last_collection(far: Gallery, empty_home: Path) -> None:
    def known() -> set[str]:
        return set(json.loads((empty_home / "milvus.json").read_text())["galleries"])

    assert known() == {far.manifest.search["gallery"]}
    again = far.rebuild()
    assert known() == {again.manifest.search["gallery"]} == {far.manifest.search["gallery"]}
    delete_gallery(far.directory)
    assert known() == set()


@pytest.mark.cluster
def test_an_id_that_is_no_word_makes_a_gallery_that_cannot_be_opened(far: Gallery, foreign: Path) -> None:
    its = Gallery.open(foreign)
    change_manifest(its, search={"collection": name_of(far), "gallery": ["a", 5]})
    with pytest.raises(GalleryDamagedError):
        Gallery.open(foreign)

"""Renaming a gallery: at once, with its uploads, and never over another one."""

import shutil
import zipfile
from pathlib import Path

import pytest
import standin

from similarity import Gallery
from similarity.errors import GalleryBusyError, GalleryError, GalleryNotFoundError, SourceError
from similarity.service import tasks
from similarity.service.jobs import Job, Jobs, Task, Work
from similarity.service.relabelling import Relabelling
from similarity.service.renaming import Renaming
from similarity.sources.originals import read_original
from similarity.sources.uploads import keep_upload, uploads_of
from similarity.storage.history import list_states
from similarity.storage.inventory import list_galleries
from similarity.storage.locks import writing
from similarity.storage.renaming import rename_gallery, renamed_to

pytestmark = pytest.mark.usefixtures("standin_network")
MODEL = "efficientnet-lite2"


@pytest.fixture
def boots(shapes: Gallery, empty_home: Path) -> Path:
    """A gallery in an empty home."""
    return shutil.copytree(shapes.directory, empty_home / "galleries" / "boots")


def test_a_renamed_gallery_is_whole_and_whoever_has_it_open_goes_on(boots: Path) -> None:
    opened = Gallery.open(boots, load=standin.load)
    before = opened.search_vector(opened.vectors[0], 5)
    shoes = rename_gallery(boots, "winter shoes")
    assert list_galleries() == [shoes]
    assert Gallery.open(shoes, load=standin.load).search_vector(opened.vectors[0], 5) == before
    assert opened.search_vector(opened.vectors[0], 5) == before
    assert not (shoes / ".writer.json").exists()
    with writing(shoes, "sync"):
        pass


def test_an_old_name_leads_to_the_present_one_until_it_is_given_again(boots: Path) -> None:
    assert renamed_to("boots") is None
    sandals = rename_gallery(rename_gallery(boots, "shoes"), "sandals")
    assert (renamed_to("boots"), renamed_to("shoes"), renamed_to("sandals")) == ("sandals", "sandals", None)
    rename_gallery(sandals, "boots")
    assert (renamed_to("shoes"), renamed_to("sandals"), renamed_to("boots")) == ("boots", "boots", None)
    shutil.rmtree(boots)
    assert renamed_to("shoes") is None


@pytest.mark.parametrize(("name", "reason"), [
    ("", "Give the gallery a name"), ("boots", "is named boots already"), ("taken", "There is a gallery named taken"),
    ("a/b", "cannot name a gallery"), ("..", "cannot name a gallery"), ("x" * 300, "255 bytes at most"),
])  # fmt: skip
def test_a_name_that_is_none_or_taken_is_refused(boots: Path, name: str, reason: str) -> None:
    boots.with_name("taken").mkdir()
    with pytest.raises(GalleryError, match=reason):
        rename_gallery(boots, name)
    assert len(Gallery.open(boots)) == 15


def test_a_gallery_that_is_written_or_gone_is_not_renamed(boots: Path) -> None:
    with writing(boots, "sync"), pytest.raises(GalleryBusyError):
        rename_gallery(boots, "shoes")
    with pytest.raises(GalleryNotFoundError):
        rename_gallery(boots.with_name("nothing"), "shoes")
    assert [path.name for path in boots.parent.iterdir()] == ["boots"]


@pytest.fixture
def uploaded(own_pictures: Path, empty_home: Path) -> Path:
    """A gallery of an uploaded zip."""
    archive = empty_home / "summer.zip"
    with zipfile.ZipFile(archive, "w") as file:
        for path in sorted(own_pictures.rglob("*.jpg")):
            file.write(path, path.relative_to(own_pictures))
    boots = empty_home / "galleries" / "boots"
    Gallery.build(keep_upload("boots", "summer.zip", archive.read_bytes()), boots, model=MODEL)
    return boots


def do(directory: Path, task: Task, work: Work) -> Job:
    """Do a job, and wait for its end."""
    job = Jobs().start(directory, task, work)
    assert job.wait(30)
    return job


def test_uploads_go_with_their_gallery(uploaded: Path) -> None:
    boots = uploaded
    Gallery.open(boots).remove(labels=["rings"])
    job = do(boots, "rename", Renaming(boots, "shoes"))
    assert job.status.state == "done", job.status.error
    shoes = Gallery.open(boots.with_name("shoes"))
    assert not any(item.is_gone for item in shoes.items)
    assert {item.source for item in shoes.items} == {str(uploads_of("shoes") / "summer.zip")}
    assert not uploads_of("boots").exists()
    assert len(shoes.sync(uploads_of("shoes") / "summer.zip")) == 15


def rename(directory: Path, name: str) -> Path:
    job = do(directory, "rename", Renaming(directory, name))
    assert job.status.state == "done", job.status.error
    return directory.with_name(name)


def check_originals(gallery: Gallery, count: int) -> None:
    """Check that all pictures of a gallery are there, and are read where its uploads are now."""
    assert len(gallery) == count
    assert {item.source for item in gallery.items} == {str(uploads_of(gallery.name) / "summer.zip")}
    assert gallery.manifest.source == str(uploads_of(gallery.name) / "summer.zip")
    assert [read_original(item).sha256 for item in gallery.items] == [item.sha256 for item in gallery.items]


def test_a_gallery_of_uploads_keeps_its_earlier_states_when_it_is_renamed_however_often(uploaded: Path) -> None:
    Gallery.open(uploaded).remove(labels=["rings"])
    shoes = rename(uploaded, "shoes")
    assert [(state.number, state.count) for state in list_states(shoes)] == [(2, 10), (1, 15)]
    Gallery.open(shoes).remove(labels=["dots"])
    sandals = rename(shoes, "sandals")
    check_originals(Gallery.open(sandals), 5)
    for number, count in ((1, 15), (2, 10), (3, 5)):
        assert do(sandals, "restore", tasks.undo(sandals, number)).status.state == "done"
        check_originals(Gallery.open(sandals), count)


def test_a_renamed_gallery_does_not_read_the_uploads_of_one_that_has_its_old_name_now(
    uploaded: Path, own_pictures: Path
) -> None:
    shoes = rename(uploaded, "shoes")
    with zipfile.ZipFile(uploaded.parent / "other.zip", "w") as file:
        file.write(own_pictures / "dots" / "dots-0.jpg", "another.jpg")
    kept = keep_upload("boots", "summer.zip", (uploaded.parent / "other.zip").read_bytes())
    Gallery.build(kept, uploaded, model=MODEL)
    check_originals(Gallery.open(shoes), 15)
    check_originals(Gallery.open(uploaded), 1)


def test_labels_that_were_given_stay_when_a_gallery_of_uploads_is_renamed(uploaded: Path) -> None:
    labels = {item.sha256: "spots" for item in Gallery.open(uploaded).items if item.label == "dots"}
    assert do(uploaded, "relabel", Relabelling(uploaded, labels)).status.state == "done"
    shoes = rename(uploaded, "shoes")
    synced = Gallery.open(shoes).sync(uploads_of("shoes") / "summer.zip")
    assert synced.report is not None
    assert synced.report.unchanged == 15
    assert synced.facets.counts("label") == {"rings": 5, "spots": 5, "stripes": 5}


@pytest.mark.parametrize("is_zip", [True, False])
def test_a_collection_of_uploaded_pictures_keeps_them_when_their_gallery_is_deleted(
    uploaded: Path, own_pictures: Path, is_zip: bool
) -> None:
    if not is_zip:
        shutil.copytree(own_pictures, uploads_of("boots") / "pictures")
        Gallery.build(uploads_of("boots") / "pictures", uploaded, model=MODEL)
    into = uploaded.with_name("few")
    chosen = [item.sha256 for item in Gallery.open(uploaded).items][:3]
    job = do(into, "collect", tasks.collect(uploaded, chosen, into))
    assert job.status.state == "done", job.status.error
    assert do(uploaded, "delete", tasks.delete(uploaded)).status.state == "done"
    few = Gallery.open(into)
    assert [read_original(item).sha256 for item in few.items] == chosen
    assert len([path for path in uploads_of("few").rglob("*") if path.is_file()]) == (1 if is_zip else 3)
    assert len(list_states(into)) == 1
    del few
    assert do(into, "delete", tasks.delete(into)).status.state == "done"
    assert not uploads_of("few").exists()


def test_a_collection_whose_uploads_cannot_be_kept_is_not_made(uploaded: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise SourceError("The disk is full.")

    monkeypatch.setattr("similarity.service.uploads_along.share_uploads", refuse)
    into, chosen = uploaded.with_name("few"), [item.id for item in Gallery.open(uploaded).items][:1]
    job = do(into, "collect", tasks.collect(uploaded, chosen, into))
    assert (job.status.state, job.status.error) == ("failed", "The disk is full.")
    assert list_galleries() == [uploaded]
    assert not into.exists()


def test_an_earlier_state_that_a_page_still_has_open_is_deleted_when_that_is_asked_for(boots: Path) -> None:
    opened = Gallery.open(boots, load=standin.load)
    before = opened.search_vector(opened.vectors[0], 5)
    Gallery.open(boots).remove(labels=["rings"])
    job = do(boots, "forget", tasks.forget_other_states(boots))
    assert job.status.state == "done", job.status.error
    assert len(list_states(boots)) == 1
    assert opened.search_vector(opened.vectors[0], 5) == before
    live = Gallery.open(boots)
    assert do(boots, "forget", tasks.forget_other_states(boots)).status.state == "done"
    assert len(live) == len(Gallery.open(boots)) == 10

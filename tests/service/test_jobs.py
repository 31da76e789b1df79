"""Tasks in the background: how they go on, end and are cancelled, and how galleries and uploads are deleted."""

import shutil
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest
import standin

from similarity import Gallery
from similarity.errors import GalleryBusyError, GalleryError, GalleryNotFoundError, SourceError
from similarity.indexing.options import IndexOptions
from similarity.progress import Progress
from similarity.service import tasks
from similarity.service.jobs import MAX_JOBS, Job, Jobs
from similarity.sources.uploads import drop_unused, keep_upload
from similarity.storage.cleanup import delete_gallery
from similarity.storage.inventory import can_go_back, disk_bytes, list_galleries, take_inventory
from similarity.storage.locks import writing
from similarity.storage.manifest import Manifest, Report
from similarity.storage.removal import remove_entry

pytestmark = pytest.mark.usefixtures("standin_network")
MODEL = "efficientnet-lite2"


@pytest.fixture
def jobs() -> Jobs:
    return Jobs()


@pytest.fixture
def directory(empty_home: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where a gallery `mine` is to be."""
    monkeypatch.setattr("similarity.embedding.embedder.Embedder.restore", standin.load)
    return empty_home / "galleries" / "mine"


@pytest.fixture
def gallery(directory: Path, own_pictures: Path) -> Path:
    """A gallery `mine` of 15 pictures."""
    Gallery.build(own_pictures, directory, model=MODEL)
    return directory


def ended(job: Job) -> Job:
    assert job.wait(30)
    return job


def cancelled_after(count: int, work: tasks.Work) -> tasks.Work:
    """The same work, cancelled once so many pictures are embedded."""

    def cancelling(job: Job) -> object:
        report = job.report

        def watch(progress: Progress) -> None:
            if progress.done >= count:
                job.cancel()
            report(progress)

        job.report = watch  # type: ignore[method-assign]
        return work(job)

    return cancelling  # type: ignore[return-value]


def build(directory: Path, place: Path) -> tasks.Work:
    return tasks.index(directory, tasks.at(place), IndexOptions(MODEL))


def test_a_gallery_is_built_in_the_background_and_its_progress_and_report_can_be_read(
    jobs: Jobs, directory: Path, pictures: Path
) -> None:
    job = ended(jobs.start(directory, "index", build(directory, pictures)))
    assert job.status.state == "done"
    assert job.status.progress is not None
    assert (job.status.progress.done, job.status.progress.total) == (15, 15)
    assert isinstance(job.status.result, Report)
    assert job.status.result.added == 15
    assert job.status.ended >= job.started
    assert len(Gallery.open(directory)) == 15


def test_a_cancelled_build_leaves_no_gallery_and_the_next_one_goes_on_where_it_stopped(
    jobs: Jobs, directory: Path, pictures: Path
) -> None:
    job = ended(jobs.start(directory, "index", cancelled_after(4, build(directory, pictures))))
    assert job.status.state == "cancelled"
    assert list_galleries() == []
    assert [entry.condition for entry in take_inventory()] == ["unfinished"]
    again = ended(jobs.start(directory, "index", build(directory, pictures)))
    assert isinstance(again.status.result, Report)
    assert again.status.result.resumed >= 4
    assert again.status.result.embedded + again.status.result.resumed == 15


def test_a_cancelled_change_leaves_the_gallery_as_it_was(jobs: Jobs, gallery: Path, own_pictures: Path) -> None:
    before = Gallery.open(gallery)
    for path in sorted(own_pictures.rglob("*.jpg")):
        shutil.copy(path, path.with_stem(f"{path.stem}-again"))
        with path.with_stem(f"{path.stem}-again").open("ab") as file:
            file.write(b"another content")
    work = cancelled_after(4, tasks.update("add", gallery, tasks.at(own_pictures)))
    assert ended(jobs.start(gallery, "add", work)).status.state == "cancelled"
    assert before.is_live
    job = ended(jobs.start(gallery, "add", tasks.update("add", gallery, tasks.at(own_pictures))))
    assert isinstance(job.status.result, Report)
    assert job.status.result.resumed >= 4
    assert len(Gallery.open(gallery)) == 30


def test_a_job_that_fails_says_why_in_one_sentence(jobs: Jobs, directory: Path, tmp_path: Path) -> None:
    job = ended(jobs.start(directory, "index", build(directory, tmp_path / "nowhere")))
    assert job.status.state == "failed"
    assert job.status.error == f"There is no folder or file {tmp_path / 'nowhere'}."
    assert not directory.exists()


def test_an_unforeseen_failure_is_told_without_its_detail_which_the_log_has(
    jobs: Jobs, directory: Path, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(_: Job) -> None:
        raise RuntimeError("secret")

    job = ended(jobs.start(directory, "index", fail))
    assert "Something unexpected went wrong (RuntimeError)." in job.status.error
    assert "secret" not in job.status.error
    assert "secret" in caplog.text


def test_a_second_job_on_the_same_gallery_is_refused_and_on_another_one_it_is_not(jobs: Jobs, directory: Path) -> None:
    go_on = threading.Event()

    def wait(_: Job) -> None:
        assert go_on.wait(30)

    job = jobs.start(directory, "index", wait)
    assert jobs.active(directory) is job
    with pytest.raises(GalleryBusyError, match="running on the gallery mine"):
        jobs.start(directory, "add", wait)
    other = jobs.start(directory.with_name("other"), "index", wait)
    jobs.dismiss(job)
    assert jobs.listed() == [job, other], "what goes on cannot be dismissed"
    go_on.set()
    ended(job)
    ended(other)
    assert jobs.active(directory) is None
    jobs.dismiss(job)
    assert jobs.listed() == [other]


def test_jobs_that_embed_take_turns_and_one_that_waits_can_be_cancelled(
    jobs: Jobs, directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    has_begun, go_on, waiting = threading.Event(), threading.Event(), threading.Semaphore(0)
    changed = jobs._turns._changed
    wait_for = changed.wait_for

    def noted(condition: Callable[[], bool]) -> None:
        waiting.release()
        wait_for(condition)

    def embed(job: Job) -> None:
        with job.turn():
            job.report(Progress("Embedding"))
            has_begun.set()
            assert go_on.wait(30)

    monkeypatch.setattr(changed, "wait_for", noted)
    first = jobs.start(directory, "index", embed)
    assert has_begun.wait(30)
    second = jobs.start(directory.with_name("b"), "index", embed)
    third = jobs.start(directory.with_name("c"), "index", embed)
    for _ in (first, second, third):
        assert waiting.acquire(timeout=30)
    assert second.status.state == third.status.state == "waiting"
    second.cancel()
    assert ended(second).status.state == "cancelled"
    assert second.status.progress is None
    go_on.set()
    assert ended(first).status.state == ended(third).status.state == "done"


def test_of_the_jobs_that_ended_the_latest_are_kept(jobs: Jobs, directory: Path) -> None:
    started = [
        ended(jobs.start(directory.with_name(f"gallery-{number}"), "verify", lambda _: None))
        for number in range(MAX_JOBS + 5)
    ]
    assert jobs.listed() == started[5:]


def test_numbers_of_jobs_ascend_even_if_the_clock_goes_back_and_are_not_used_again_after_a_restart(
    directory: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    numbers = []
    for seconds in ((5, 4, 4), (6, 6, 3)):  # on the clock, before a restart and after it
        jobs = Jobs()
        for now in seconds:
            with monkeypatch.context() as clock:
                clock.setattr(time, "time_ns", lambda now=now: (1_800_000_000 + now) * 10**9)
                job = jobs.start(directory, "verify", lambda _: None)
            numbers.append(ended(job).number)
    assert numbers == sorted(set(numbers))
    assert len(numbers) == 6
    assert all(number < 1 << 53 for number in numbers), "a script in a browser can tell them apart"


def test_bytes_are_counted_too(jobs: Jobs, directory: Path) -> None:
    job = ended(jobs.start(directory, "index", lambda job: job.counter("Downloading", "bytes")(5, 10)))
    assert job.status.progress is not None
    assert (job.status.progress.done, job.status.progress.total, job.status.progress.unit) == (5, 10, "bytes")


def test_pictures_are_removed_and_the_change_is_undone(jobs: Jobs, gallery: Path) -> None:
    assert not can_go_back(gallery)
    job = ended(jobs.start(gallery, "remove", tasks.remove(gallery, labels=["dots"])))
    assert isinstance(job.status.result, Report)
    assert job.status.result.removed == 5
    assert can_go_back(gallery)
    job = ended(jobs.start(gallery, "restore", tasks.undo(gallery)))
    assert isinstance(job.status.result, Manifest)
    assert job.status.result.count == 15


def test_a_sound_gallery_is_told_from_a_damaged_one(jobs: Jobs, gallery: Path) -> None:
    assert ended(jobs.start(gallery, "verify", tasks.verify(gallery))).status.state == "done"
    thumbnails = sum(path.stat().st_size for path in (gallery / "thumbnails").rglob("*.jpg"))
    assert disk_bytes(gallery) > thumbnails > 0
    index = gallery / "generations" / "000001" / "index.faiss"
    index.write_bytes(index.read_bytes()[:-1] + b"x")
    job = ended(jobs.start(gallery, "verify", tasks.verify(gallery)))
    assert job.status.state == "failed"
    assert "index.faiss is damaged or missing" in job.status.error


def test_a_deleted_gallery_is_gone_with_its_uploads_and_the_pictures_stay(
    jobs: Jobs, gallery: Path, own_pictures: Path, empty_home: Path
) -> None:
    upload = keep_upload("mine", "more.zip", zipped(own_pictures).read_bytes())
    assert ended(jobs.start(gallery, "delete", tasks.delete(gallery))).status.state == "done"
    assert not gallery.exists()
    assert not upload.exists()
    assert take_inventory() == []
    assert len(list(own_pictures.rglob("*.jpg"))) == 15
    assert list((empty_home / "uploads").iterdir()) == []


def test_what_else_lies_in_the_folder_of_a_deleted_gallery_stays(gallery: Path, own_pictures: Path) -> None:
    (gallery / "notes.txt").write_text("mine")
    (gallery / "thumbnails" / "link").symlink_to(own_pictures)
    delete_gallery(gallery)
    assert sorted(path.relative_to(gallery).as_posix() for path in gallery.rglob("*") if not path.is_dir()) == [
        "notes.txt"
    ]
    assert (gallery / "thumbnails" / "link").is_symlink()
    assert len(list(own_pictures.rglob("*.jpg"))) == 15


def test_a_folder_that_is_no_gallery_is_not_deleted(own_pictures: Path) -> None:
    with pytest.raises(GalleryNotFoundError, match="nothing was deleted"):
        delete_gallery(own_pictures)
    assert len(list(own_pictures.rglob("*.jpg"))) == 15


def test_a_gallery_that_is_being_written_is_not_deleted(gallery: Path) -> None:
    with writing(gallery, "add"), pytest.raises(GalleryBusyError):
        delete_gallery(gallery)
    assert len(Gallery.open(gallery)) == 15


@pytest.mark.parametrize("steps", [0, 1])
def test_a_deletion_that_is_cut_short_leaves_no_gallery_and_can_be_finished(
    gallery: Path, monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    done = []

    def fail(path: Path) -> None:
        if path.is_dir():
            if len(done) == steps:
                raise PermissionError(13, "Permission denied")
            done.append(path)
        remove_entry(path)

    with monkeypatch.context() as patch:
        patch.setattr("similarity.storage.cleanup.remove_entry", fail)
        with pytest.raises(GalleryError, match="Permission denied"):
            delete_gallery(gallery)
    assert list_galleries() == []
    assert [entry.condition for entry in take_inventory()] == ["unfinished"]
    delete_gallery(gallery)
    assert not gallery.exists()


def test_what_is_left_of_a_cancelled_build_is_deleted(jobs: Jobs, directory: Path, pictures: Path) -> None:
    ended(jobs.start(directory, "index", cancelled_after(4, build(directory, pictures))))
    delete_gallery(directory)
    assert take_inventory() == []
    assert not directory.exists()


def zipped(folder: Path) -> Path:
    path = folder.parent / "pictures.zip"
    with zipfile.ZipFile(path, "w") as file:
        for picture in folder.rglob("*.jpg"):
            file.write(picture, picture.relative_to(folder))
    return path


def test_an_upload_is_kept_under_a_harmless_name_and_never_takes_another_ones_place(
    own_pictures: Path, empty_home: Path
) -> None:
    data = zipped(own_pictures).read_bytes()
    first = keep_upload("mine", "../../My pictures <1>.ZIP", data)
    assert first == empty_home / "uploads" / "mine" / "My_pictures_1.zip"
    assert keep_upload("mine", "My pictures 1.zip", data).name == "My_pictures_1-2.zip"
    assert first.read_bytes() == data


@pytest.mark.parametrize(
    ("name", "data", "sentence"),
    [
        ("a.zip", b"no zip", "a.zip is not a readable zip file"),
        ("a.csv", b"name\nx\n", "a.csv needs a column named path or url"),
        ("a.exe", b"MZ", "a.exe is not a zip or a CSV"),
    ],
)
def test_an_upload_that_is_no_list_of_pictures_is_not_kept(
    empty_home: Path, name: str, data: bytes, sentence: str
) -> None:
    with pytest.raises(SourceError, match=sentence):
        keep_upload("mine", name, data)
    assert not (empty_home / "uploads" / "mine").exists()


def test_an_upload_is_dropped_only_if_no_gallery_came_of_it(gallery: Path, own_pictures: Path) -> None:
    kept, unused = (keep_upload(name, "a.zip", zipped(own_pictures).read_bytes()) for name in (gallery.name, "other"))
    drop_unused(gallery.name)
    drop_unused("other")
    assert kept.exists()
    assert not unused.exists()

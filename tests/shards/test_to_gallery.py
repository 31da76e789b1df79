import json
import shutil
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from commands import Run
from conftest import MODEL
from test_shards import choose

from similarity import Gallery
from similarity.embedding.backbones.weights import choose_model
from similarity.errors import ShardError, SimilarityError, SourceError
from similarity.shards.chunks import open_list
from similarity.shards.run import ShardOptions, embed
from similarity.shards.to_gallery import index_shards
from similarity.storage.generations import read_generation
from similarity.storage.thumbnails import read_thumbnail
from similarity.vectors.methods import CLOSER, POWER

Spoil = Callable[[Path], object]


@pytest.fixture
def shards(light_shards: None, own_pictures: Path, tmp_path: Path) -> Path:  # noqa: ARG001
    """Those of 15 pictures, a copy and a bad file, four to a shard."""
    (own_pictures / "dots" / "bad.jpg").write_bytes(b"no picture")
    (own_pictures / "rings" / "copy.jpg").write_bytes((own_pictures / "dots" / "dots-0.jpg").read_bytes())
    embed(open_list(own_pictures), tmp_path / "shards", choose_model(MODEL), ShardOptions(size=4))
    return tmp_path / "shards"


def answers(gallery: Gallery, pictures: Path) -> list[list[tuple[str, float]]]:
    queries = sorted(pictures.glob("*/*-0.jpg"))
    return [[(hit.item.id, round(hit.score, 4)) for hit in gallery.search(query, k=10)] for query in queries]


def test_a_gallery_of_shards_is_the_gallery_of_the_same_folder(
    shards: Path, own_pictures: Path, tmp_path: Path
) -> None:
    report = index_shards(shards, tmp_path / "gathered")
    gathered = Gallery.open(tmp_path / "gathered")
    indexed = Gallery.build(own_pictures, tmp_path / "indexed", model=MODEL)
    assert (report.added, len(gathered), report.embedded) == (16, 15, 0)
    assert list(gathered.items) == list(indexed.items)
    assert gathered.manifest.skipped == indexed.manifest.skipped
    assert gathered.manifest.identity == indexed.manifest.identity
    np.testing.assert_allclose(np.sum(gathered.vectors[:] * indexed.vectors[:], axis=1), 1, atol=1e-5)
    assert answers(gathered, own_pictures) == answers(indexed, own_pictures)
    for item in gathered.items:
        jpeg = read_thumbnail(gathered.directory, item.sha256)
        assert jpeg
        assert jpeg == read_thumbnail(indexed.directory, item.sha256)


def test_it_is_brought_in_step_verified_and_explained_like_any_other(
    shards: Path, own_pictures: Path, tmp_path: Path
) -> None:
    index_shards(shards, tmp_path / "gathered")
    read_generation(tmp_path / "gathered", thorough=True)
    gallery = Gallery.open(tmp_path / "gathered")
    (own_pictures / "dots" / "dots-4.jpg").unlink()
    report = gallery.sync(own_pictures).manifest.last_run
    assert (report.removed, report.unchanged, report.added) == (1, 15, 0)
    assert gallery.explain(own_pictures / "dots" / "dots-0.jpg", "dots/dots-1.jpg")


def test_a_set_is_not_made_one_gallery_without_a_word(
    shards: Path, own_pictures: Path, tmp_path: Path, run: Run
) -> None:
    whole = Gallery.build(own_pictures, tmp_path / "whole", model=MODEL, shards=3)
    vectors = tmp_path / "vectors.parquet"
    assert run("export", "--gallery", tmp_path / "whole", "--out", vectors).returncode == 0
    for option, place in (("--from-embeddings", shards), ("--from-vectors", vectors)):
        done = run("index", option, place, "--gallery", tmp_path / "whole")
        assert done.returncode == 1
        assert "whole is a set of 3 shards" in done.stderr
        assert "rebalance --shards 3" in done.stderr
    assert Gallery.open(tmp_path / "whole").manifest == whole.manifest


def test_labels_of_the_owner_outlive_a_damaged_gallery_that_shards_replace(shards: Path, tmp_path: Path) -> None:
    index_shards(shards, tmp_path / "gathered")
    given = Gallery.open(tmp_path / "gathered").relabel({"dots/dots-1.jpg": "blots"}).given_labels
    (tmp_path / "gathered" / "generations" / "000002" / "items.parquet").write_bytes(b"damaged")
    index_shards(shards, tmp_path / "gathered")
    again = Gallery.open(tmp_path / "gathered")
    assert (again.find("dots/dots-1.jpg").label, again.given_labels) == ("blots", given)


def test_the_best_quality_of_shards_is_that_of_their_gallery(
    light_shards: None,  # noqa: ARG001
    own_pictures: Path,
    tmp_path: Path,
) -> None:
    folder, choice = tmp_path / "shards", choose_model(MODEL)
    embed(open_list(own_pictures), folder, choice, ShardOptions(quality="best"))
    index_shards(folder, tmp_path / "gathered", refinement="neighbours")
    gathered = Gallery.open(tmp_path / "gathered")
    indexed = Gallery.build(own_pictures, tmp_path / "indexed", model=MODEL, quality="best", refinement="neighbours")
    assert gathered.manifest.neighbour_power == indexed.manifest.neighbour_power == CLOSER
    assert answers(gathered, own_pictures) == answers(indexed, own_pictures)


def test_shards_of_before_there_was_a_quality_are_kept_and_are_of_the_standard_one(
    shards: Path, own_pictures: Path, tmp_path: Path
) -> None:
    facts = json.loads((shards / "embeddings.json").read_text())
    assert "quality" not in facts["origin"], "as earlier versions wrote it"
    again = embed(open_list(own_pictures), shards, choose_model(MODEL), ShardOptions(size=4))
    assert not again.done
    index_shards(shards, tmp_path / "gathered")
    assert Gallery.open(tmp_path / "gathered").manifest.neighbour_power == POWER


def flip(path: Path) -> None:
    """One bit of what is most of a shard, its vectors."""
    data = bytearray(path.read_bytes())
    data[8000] ^= 1
    path.write_bytes(data)


def as_unfinished(path: Path) -> None:
    facts = path.with_name("embeddings.json")
    facts.write_text(facts.read_text().replace('"shards": [', '"shards": null, "was": ['))


@pytest.mark.many
@pytest.mark.parametrize(
    ("spoil", "sentence"),
    [
        (Path.unlink, r"shard-000001-\w+.parquet is missing: run the same `embed` again"),
        (lambda path: path.write_bytes(path.read_bytes()[:-1]), "is damaged or cut short"),
        (lambda path: path.write_bytes(b""), "is damaged or cut short"),
        (flip, "is damaged or cut short"),
        (as_unfinished, "are not complete: run the same `embed` again"),
        (lambda path: path.with_name("embeddings.json").write_text("{"), "embeddings.json is damaged"),
        (lambda path: path.with_name("embeddings.json").unlink(), "contains no embeddings: make some with"),
        (
            lambda path: shutil.copy(min(path.parent.glob("shard-*0-*")).with_name(last(path)), path),
            "has changed since it was written",
        ),
    ],
)
def test_shards_that_are_damaged_or_incomplete_are_refused_and_the_gallery_stays_as_it_was(
    shards: Path, tmp_path: Path, spoil: Spoil, sentence: str
) -> None:
    index_shards(shards, tmp_path / "gathered")
    before = files_of(tmp_path / "gathered")
    (second,) = shards.glob("shard-000001-*")
    spoil(second)
    for directory in (tmp_path / "gathered", tmp_path / "new"):
        with pytest.raises(ShardError, match=sentence):
            index_shards(shards, directory)
    assert files_of(tmp_path / "gathered") == before
    assert not (tmp_path / "new").exists()


def last(path: Path) -> str:
    """The name of the last shard beside another, which has fewer rows."""
    return max(path.parent.glob("shard-*.parquet")).name


def files_of(directory: Path) -> dict[str, bytes]:
    return {
        str(path.relative_to(directory)): path.read_bytes()
        for path in directory.rglob("*")
        if path.is_file() and not path.name.startswith(".")
    }


def test_a_shard_of_another_model_is_refused(shards: Path, own_pictures: Path, tmp_path: Path) -> None:
    other = "f32" if choose(shards) == "bf16" else "bf16"
    embed(open_list(own_pictures), tmp_path / "other", choose_model(MODEL), ShardOptions(size=4, precision=other))  # type: ignore[arg-type]
    (second,) = shards.glob("shard-000001-*")
    (foreign,) = (tmp_path / "other").glob("shard-000001-*")
    shutil.copy(foreign, second)
    with pytest.raises(ShardError, match="has embeddings of another model than its folder"):
        index_shards(shards, tmp_path / "gathered")
    assert not (tmp_path / "gathered").exists()


def test_shards_without_thumbnails_make_a_gallery_that_makes_them_when_they_are_wanted(
    light_shards: None,  # noqa: ARG001
    pictures: Path,
    tmp_path: Path,
) -> None:
    embed(open_list(pictures), tmp_path / "shards", choose_model(MODEL), ShardOptions(thumbnails=False))
    index_shards(tmp_path / "shards", tmp_path / "gathered")
    gallery = Gallery.open(tmp_path / "gathered")
    assert gallery.thumbnail(gallery.items[0]).startswith(b"\xff\xd8")


def test_of_two_rows_with_the_same_id_the_first_counts(
    light_shards: None,  # noqa: ARG001
    pictures: Path,
    tmp_path: Path,
) -> None:
    import pyarrow as pa
    import pyarrow.parquet as pq

    paths = [str(pictures / "dots" / f"dots-{number}.jpg") for number in range(4)]
    pq.write_table(pa.table({"id": ["a", "b", "a", "c"], "path": paths}), tmp_path / "list.parquet")
    embed(open_list(tmp_path / "list.parquet"), tmp_path / "shards", choose_model(MODEL), ShardOptions(size=2))
    report = index_shards(tmp_path / "shards", tmp_path / "gathered")
    gallery = Gallery.open(tmp_path / "gathered")
    assert [item.id for item in gallery.items] == ["a", "b", "c"]
    assert [one.reason for one in report.skipped] == ["has the id 'a', as another one has."]
    assert gallery.search(paths[3], k=1)[0].item.id == "c"


def test_the_command_takes_pictures_or_embeddings(run: Run, shards: Path, tmp_path: Path) -> None:
    place = ("-g", tmp_path / "gathered")
    assert run("index", *place).returncode == 2
    assert run("index", tmp_path, "--from-embeddings", shards, *place).returncode == 2
    assert run("index", "--from-embeddings", shards, "-m", MODEL, *place).returncode == 2
    done = run("index", "--from-embeddings", shards, *place, "--json")
    assert done.returncode == 0
    assert '"added": 16' in done.stdout
    wrong = run("index", "--from-embeddings", tmp_path, *place)
    assert wrong.returncode == 1
    assert "contains no embeddings" in wrong.stderr


def test_a_folder_where_nothing_could_be_used_makes_no_gallery(
    light_shards: None,  # noqa: ARG001
    tmp_path: Path,
) -> None:
    (tmp_path / "bad").mkdir()
    (tmp_path / "bad" / "1.jpg").write_bytes(b"no picture")
    with pytest.raises(SimilarityError):
        embed(open_list(tmp_path / "bad"), tmp_path / "shards", choose_model(MODEL))
    with pytest.raises(SourceError, match=r"None of the 1 pictures in .* could be used"):
        index_shards(tmp_path / "shards", tmp_path / "gathered")

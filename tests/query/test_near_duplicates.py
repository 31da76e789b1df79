import io
import shutil
import tracemalloc
from contextlib import nullcontext
from pathlib import Path

import networkx
import numpy as np
import pytest
from conftest import MODEL, bundled_model
from PIL import Image

from similarity import Gallery
from similarity.errors import SearchError
from similarity.progress import Progress
from similarity.query.near_duplicates import BLOCK, find_duplicates, link
from similarity.vectors.arrays import normalise


def test_rows_are_linked_as_a_graph_of_all_near_pairs_links_them(random: np.random.Generator) -> None:
    vectors = normalise(random.standard_normal((BLOCK + 300, 6)))
    scores = vectors @ vectors.T
    graph = networkx.Graph()
    graph.add_nodes_from(range(len(vectors)))
    graph.add_weighted_edges_from((i, j, scores[i, j]) for i, j in np.argwhere(scores >= 0.97) if i < j)
    seen: list[Progress] = []
    groups, lowest = link(vectors, 0.97, progress=seen.append)
    for rows in networkx.connected_components(graph):
        assert set(np.flatnonzero(groups == groups[min(rows)])) == rows
        weights = [weight for _, _, weight in graph.subgraph(rows).edges(data="weight")]
        assert lowest[groups[min(rows)]] == pytest.approx(min(weights, default=1.0), abs=1e-6)
    assert 20 < len(np.unique(groups)) < len(vectors) - 20


def test_very_many_pictures_that_look_the_same_take_little_memory() -> None:
    vectors = normalise(np.ones((3000, 8)) + np.random.default_rng(1).normal(0, 1e-3, (3000, 8)))
    tracemalloc.start()
    groups, _ = link(vectors, 0.95)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert set(groups) == {0}
    assert peak < 50e6


def test_comparing_tells_how_far_it_is(random: np.random.Generator) -> None:
    seen: list[Progress] = []
    link(normalise(random.standard_normal((BLOCK + 300, 6))), 0.9, progress=seen.append)
    assert (seen[-1].task, seen[-1].done, seen[-1].total) == ("Comparing", BLOCK + 300, BLOCK + 300)


@pytest.fixture
def random() -> np.random.Generator:
    return np.random.default_rng(5)


@pytest.fixture(params=[95, pytest.param(75, marks=pytest.mark.exhaustive)])
def repeated(own_pictures: Path, tmp_path: Path, request: pytest.FixtureRequest) -> Gallery:
    """With two exact copies of a picture, and one saved again: well, or so badly that the bundled model is needed."""
    for number in range(2):
        shutil.copy(own_pictures / "dots" / "dots-0.jpg", own_pictures / "rings" / f"copy-{number}.jpg")
    with Image.open(own_pictures / "stripes" / "stripes-1.jpg") as image:
        buffer = io.BytesIO()
        image.save(buffer, "JPEG", quality=request.param)
    (own_pictures / "stripes" / "again.jpg").write_bytes(buffer.getvalue())
    with bundled_model() if request.param < 95 else nullcontext():
        return Gallery.build(own_pictures, tmp_path / "gallery", model=MODEL)


def test_exact_and_near_copies_are_grouped_with_their_paths(repeated: Gallery) -> None:
    exact, near = find_duplicates(repeated.items, repeated.vectors)
    assert [file.id for file in exact.files] == ["dots/dots-0.jpg", "rings/copy-0.jpg", "rings/copy-1.jpg"]
    assert (exact.is_exact, exact.score) == (True, 1.0)
    assert sorted(file.id for file in near.files) == ["stripes/again.jpg", "stripes/stripes-1.jpg"]
    assert not near.is_exact
    assert 0.95 <= near.score < 1


def test_a_low_threshold_links_chains_into_one_group(repeated: Gallery) -> None:
    groups = find_duplicates(repeated.items, repeated.vectors, 0.1)
    assert len(groups) == 1
    assert len(groups[0].files) == 18
    assert not groups[0].is_exact


def test_a_gallery_without_any_has_none(shapes: Gallery) -> None:
    assert find_duplicates(shapes.items, shapes.vectors, 0.999) == []


@pytest.mark.parametrize("threshold", [0, -1, 1.01])
def test_a_threshold_that_makes_no_sense_is_refused(shapes: Gallery, threshold: float) -> None:
    with pytest.raises(SearchError, match="must be above 0 and at most 1"):
        find_duplicates(shapes.items, shapes.vectors, threshold)

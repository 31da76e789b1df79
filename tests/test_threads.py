import multiprocessing
import os
import queue
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from similarity import Gallery
from similarity.errors import ForkError, SimilarityError
from similarity.search.faiss.build import builder_of

LONGEST = 20.0  # seconds; a search takes a tenth of one

pytestmark = pytest.mark.skipif(not hasattr(os, "fork"), reason="this system does not fork")


def in_child(work: Callable[[], Any], how: str = "fork") -> Any:
    """The result of work in a child process, or the error that it raises; fails if it hangs."""
    context: Any = multiprocessing.get_context(how)
    answers = context.Queue()
    process = context.Process(target=_answer, args=(work, answers))
    process.start()
    try:
        return answers.get(timeout=LONGEST)
    except queue.Empty:
        pytest.fail("the child process hangs")
    finally:
        process.kill()
        process.join()


def _answer(work: Callable[[], Any], answers: Any) -> None:
    try:
        answers.put(work())
    except SimilarityError as error:
        answers.put(error)


def _search_in_turn(directory: Path, query: str, *, opens_first: bool) -> list[Any]:
    """Fork before the first search of a process, with a gallery that is open already or not, and search in both."""
    opened = Gallery.open(directory) if opens_first else None

    def search() -> list[str]:
        return [hit.item.id for hit in (opened or Gallery.open(directory)).search(query, 3)]

    child = in_child(search)
    return [child, search()]


def test_a_search_in_a_forked_process_says_what_to_do_rather_than_to_hang(shapes: Gallery) -> None:
    query = shapes.items[0].path
    vector = shapes.embed_query(query)
    assert shapes.search(query, 1)
    for work in (
        lambda: shapes.search(query, 1),
        lambda: shapes.search_vector(vector, 1),
        lambda: Gallery.open(shapes.directory).search(query, 1),
        lambda: builder_of("flat"),
        lambda: list(shapes.embedder.embed_stream([np.zeros((1, 4, 4, 3), np.uint8)])),
    ):
        error = in_child(work)
        assert isinstance(error, ForkError)
        assert "multiprocessing.get_context('spawn')" in str(error)
    assert in_child(lambda: [item.id for item in shapes.items]) == [item.id for item in shapes.items]
    assert shapes.search(query, 1)  # this process goes on


@pytest.mark.many
@pytest.mark.parametrize("opens_first", [True, False])
def test_a_process_that_is_forked_before_the_first_search_can_search(
    shapes: Gallery, child_environment: dict[str, str], opens_first: bool
) -> None:
    code = (
        f"import sys; sys.path.insert(0, {str(Path(__file__).parent)!r})\n"
        "from pathlib import Path\n"
        "from test_threads import _search_in_turn\n"
        f"print(_search_in_turn(Path({str(shapes.directory)!r}), {shapes.items[0].path!r}, opens_first={opens_first}))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], env=child_environment, capture_output=True, text=True, check=False, timeout=60
    )
    child, parent = eval(done.stdout)
    assert child == parent
    assert len(child) == 3

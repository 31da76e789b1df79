"""The first pictures of a process, many at the same moment, as a server gets them that has just been started."""

import subprocess
import sys

import pytest
from conftest import MODEL

# Threads that wait for each other, each with a picture of its own.
SCRIPT = """
import threading
import numpy as np
from similarity.embedding.backbones.weights import choose_model
from similarity.embedding.embedder import Embedder
from PIL import Image

embedder = Embedder.load(choose_model({model!r}))
start = threading.Barrier(8)

def embed():
    start.wait()
    for _ in range(2):
        vectors.append(embedder.embed([Image.new("RGB", (300, 200), "teal")]))

vectors = []
threads = [threading.Thread(target=embed) for _ in range(8)]
for thread in threads:
    thread.start()
for thread in threads:
    thread.join()
print(len(vectors), np.ptp(np.concatenate(vectors), axis=0).max())
"""


@pytest.mark.exhaustive
@pytest.mark.parametrize("_attempt", range(3))
def test_pictures_that_come_at_the_same_moment_are_all_embedded(
    child_environment: dict[str, str], _attempt: int
) -> None:
    """What it is about stops four processes of five for ever."""
    command = [sys.executable, "-c", SCRIPT.format(model=MODEL)]
    done = subprocess.run(command, env=child_environment, capture_output=True, text=True, check=False, timeout=120)
    assert done.stderr == ""
    assert done.stdout.split() == ["16", "0.0"]

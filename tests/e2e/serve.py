"""What `streamlit` does, with a few things as the tests need them.

The clothing dataset is published where DATASET_URL says. What goes on in the background is looked at more often, so
that nobody waits for it. And how long a picture takes that is fetched is up to whoever serves it: a test can keep the
app waiting until it has seen what it wants to see.
"""

import os
from dataclasses import replace

from streamlit.web.cli import main

from similarity import fetch
from similarity.app.galleries import jobs
from similarity.datasets import DATASETS

DATASETS["clothing"] = replace(DATASETS["clothing"], url=os.environ["DATASET_URL"])
jobs.BUSY, jobs.IDLE = 0.3, 0.5
fetch.MAX_SECONDS = fetch.SOCKET_SECONDS = 600.0
main()

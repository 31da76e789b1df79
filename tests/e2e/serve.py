"""What `streamlit` does, with the clothing dataset published where DATASET_URL says."""

import os
from dataclasses import replace

from streamlit.web.cli import main

from similarity.datasets import DATASETS

DATASETS["clothing"] = replace(DATASETS["clothing"], url=os.environ["DATASET_URL"])
main()

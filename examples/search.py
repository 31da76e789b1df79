"""Search a gallery with a picture over HTTP: `python search.py PICTURE GALLERY`."""

import os
import sys
from pathlib import Path
from typing import Any

import requests

API = os.environ.get("API", "http://localhost:8502/api/v1")
HEADERS = {"Authorization": f"Bearer {os.environ['KEY']}"} if os.environ.get("KEY") else {}


def search(picture: str, gallery: str, k: int = 5) -> list[dict[str, Any]]:
    """Return the pictures of a gallery that look most like a picture, best first."""
    file, address = (Path(picture).name, Path(picture).read_bytes()), f"{API}/galleries/{gallery}/search"
    answer = requests.post(address, files={"file": file}, data={"k": k}, headers=HEADERS, timeout=60)
    if not answer.ok:
        sys.exit(answer.json()["detail"])
    hits: list[dict[str, Any]] = answer.json()["hits"]
    return hits


if __name__ == "__main__":
    for hit in search(*sys.argv[1:3]):
        print(f"{hit['rank']:2}  {hit['score']:.3f}  {hit['label'] or '':12}  {hit['path']}")

"""Downloads of known large files, such as weights and datasets: they appear whole and checked, or not at all.

An interrupted download resumes where it stopped (HTTP Range, RFC 9110 section 14), a few times at once, and again at
the next call, if the server still has the same file by its ETag or date.
"""

import hashlib
import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import filelock
import requests
import urllib3
from tenacity import retry, retry_if_exception_type, stop_after_attempt, wait_exponential

from similarity.errors import FetchError
from similarity.fetch.explanations import explain
from similarity.fetch.http import CHUNK_BYTES, MAX_SECONDS, SOCKET_SECONDS, check_status, user_agent, within
from similarity.fetch.web import DownloadProgress

ATTEMPTS = 4
SPARE_BYTES = 100_000_000  # left free on the disk

NETWORK_ERRORS = (requests.RequestException, urllib3.exceptions.HTTPError, TimeoutError)


class _BrokenOffError(Exception):
    """The connection ended before the file did."""


def download(
    url: str, path: Path, *, sha256_prefix: str = "", md5: str = "", progress: DownloadProgress | None = None
) -> None:
    """Download a file to `path`. Proxies from the environment are honoured here, unlike for a query.

    Args:
        url: its address.
        path: the file to write.
        sha256_prefix: the leading hex digits that its SHA-256 must have, or empty.
        md5: the hex digits of its MD5, or empty; a check against accidents, if its publisher gives nothing better.
        progress: called after every chunk.

    Raises:
        FetchError: unreachable within seconds, broken off again and again, the disk is full, or not the expected file.
    """
    part = path.with_name(f".{path.name}.part")
    lock = path.with_name(f".{path.name}.lock")
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        with filelock.FileLock(lock, timeout=0):
            try:
                _receive_all(url, part, progress)
                _check_hash(url, part, sha256_prefix, md5)
                part.replace(path)
                _validator_file(part).unlink(missing_ok=True)
            finally:
                lock.unlink(missing_ok=True)
    except filelock.Timeout:
        raise FetchError(f"{path} is being downloaded by another process: wait for it.") from None
    except _BrokenOffError as error:
        raise FetchError(f"{url} broke off; run the same command again to resume.") from error
    except NETWORK_ERRORS as error:
        raise FetchError(explain(url, error)) from error
    except OSError as error:
        raise FetchError(f"{path} could not be written ({error.strerror or error}).") from error


@retry(
    retry=retry_if_exception_type(_BrokenOffError),
    stop=stop_after_attempt(ATTEMPTS),
    wait=wait_exponential(multiplier=0.2, max=5),
    reraise=True,
)
def _receive_all(url: str, part: Path, progress: DownloadProgress | None) -> None:
    """Receive the rest of a file, from the start if the server does not have the same file any more."""
    headers = {"User-Agent": user_agent(), "Accept-Encoding": "identity"} | _range_headers(part)
    with within(
        MAX_SECONDS - 1, lambda: requests.get(url, stream=True, timeout=SOCKET_SECONDS, headers=headers)
    ) as response:
        have = part.stat().st_size if part.exists() else 0
        answered = response.headers.get("Content-Range", "")
        if response.status_code == requests.codes.requested_range_not_satisfiable and answered == f"bytes */{have}":
            return  # it is all there already
        if not _continues(response, answered, have):
            part.unlink(missing_ok=True)
            have = 0
            if response.status_code != requests.codes.ok:  # some other part of the file: request all of it
                raise _BrokenOffError
        announced = response.headers.get("Content-Length", "")
        total = have + int(announced) if announced.isdecimal() else 0
        _check_space(part, total - have)
        _remember_validator(part, response)
        with part.open("ab") as file:
            for chunk in _chunks(response):
                file.write(chunk)
                have += len(chunk)
                if progress:
                    progress(have, total)
        if have < total:
            raise _BrokenOffError


def _continues(response: requests.Response, answered: str, have: int) -> bool:
    """Whether a response resumes where we stopped; raises FetchError if it is neither the file nor a part of it."""
    ranges = (requests.codes.partial_content, requests.codes.requested_range_not_satisfiable)
    if response.status_code not in ranges:
        check_status(response.url, response, what="file")
    return response.status_code == requests.codes.partial_content and answered.startswith(f"bytes {have}-")


def _chunks(response: requests.Response) -> Iterator[bytes]:
    try:
        yield from response.iter_content(CHUNK_BYTES)
    except (requests.exceptions.ChunkedEncodingError, requests.ConnectionError) as error:
        raise _BrokenOffError from error


def _range_headers(part: Path) -> dict[str, str]:
    """Headers that request the rest if the server still has the file that the part belongs to."""
    try:
        validator = json.loads(_validator_file(part).read_text())["validator"]
        return {"Range": f"bytes={part.stat().st_size}-", "If-Range": str(validator)}
    except (OSError, ValueError, KeyError, TypeError):
        part.unlink(missing_ok=True)
        return {}


def _remember_validator(part: Path, response: requests.Response) -> None:
    """Store the identifier of this version of the file; a weak ETag may not be used for ranges."""
    etag = response.headers.get("ETag", "")
    validator = etag if etag and not etag.startswith("W/") else response.headers.get("Last-Modified")
    if validator:
        _validator_file(part).write_text(json.dumps({"validator": validator}))
    else:
        _validator_file(part).unlink(missing_ok=True)


def _validator_file(part: Path) -> Path:
    return part.with_name(f"{part.name}.json")


def _check_space(part: Path, needed: int) -> None:
    free = shutil.disk_usage(part.parent).free
    if needed + SPARE_BYTES > free:
        sizes = f"{needed / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free"
        raise FetchError(f"There is not enough room in {part.parent}: {sizes}.")


def _check_hash(url: str, part: Path, sha256_prefix: str, md5: str) -> None:
    """Delete a file that is not the expected one, and raise FetchError."""
    for kind, expected in (("sha256", sha256_prefix), ("md5", md5)):
        if not expected:
            continue
        with part.open("rb") as file:
            actual = hashlib.file_digest(file, kind).hexdigest()
        if not actual.startswith(expected):
            part.unlink()
            _validator_file(part).unlink(missing_ok=True)
            raise FetchError(f"The file from {url} is not the expected one: its {kind.upper()} is not {expected}.")

"""Public datasets of photographs: their addresses, downloading them, and the command that indexes them."""

import shlex
import shutil
import tempfile
import zipfile
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from similarity.errors import SourceError
from similarity.fetch.web import DownloadProgress
from similarity.paths import home

# Called with the number of files unpacked so far and the number in all.
UnpackProgress = Callable[[int, int], object]


@dataclass(frozen=True, slots=True)
class Dataset:
    """A public dataset that is one zip.

    Attributes:
        name: the argument of `download`.
        title: the name that people see.
        licence: its licence, in a sentence.
        url: its current public address.
        unpacked: the folder that its zip unpacks to.
        indexed: the part of that folder to index, with suitable options.
        md5: MD5 of the zip, if it has a constant one. Zips that a server makes for each request are checked by
            the CRC of each file in them.
    """

    name: str
    title: str
    licence: str
    url: str
    unpacked: str
    indexed: str = ""
    options: str = ""
    md5: str = ""


DATASETS = {
    entry.name: entry
    for entry in (
        Dataset(
            name="sop",
            title="Stanford Online Products (120,053 photographs of 22,634 products, 3 GB)",
            licence="Collected from eBay for research; not openly licensed: see the LICENSE and README in it.",
            url="http://ftp.cs.stanford.edu/cs/cvgl/Stanford_Online_Products.zip",
            unpacked="Stanford_Online_Products",
            options=" --split test --products 500",
            md5="7f73d41a2f44250d4779881525aea32e",
        ),
        Dataset(
            name="clothing",
            title="Clothing dataset, small (3,781 photographs of 10 kinds of clothing)",
            licence="CC0: free for any use.",
            url="https://github.com/alexeygrigorev/clothing-dataset-small/archive/refs/heads/master.zip",
            unpacked="clothing-dataset-small-master",
            indexed="train",
        ),
    )
}


def get_dataset(name: str) -> Dataset:
    """The dataset of that name; raises SourceError with the names that exist."""
    if name not in DATASETS:
        raise SourceError(f"There is no dataset named {name!r}: choose from {', '.join(DATASETS)}.")
    return DATASETS[name]


def datasets_folder() -> Path:
    """The default folder for datasets."""
    return home() / "datasets"


def download_dataset(
    dataset: Dataset, folder: Path, *, url: str | None = None, progress: DownloadProgress | None = None
) -> None:
    """Download a dataset's zip into a folder, unless the zip or the unpacked dataset is there already.

    Args:
        folder: the parent of its folder.
        url: another address than the usual one, such as a mirror's.
        progress: called as it goes on.

    Raises:
        FetchError: it cannot be downloaded.
    """
    if not (folder / dataset.unpacked).is_dir() and not _archive(dataset, folder).is_file():
        from similarity.fetch.downloads import download  # which imports requests

        download(url or dataset.url, _archive(dataset, folder), md5=dataset.md5, progress=progress)


def unpack_dataset(dataset: Dataset, folder: Path, *, progress: UnpackProgress | None = None) -> Path:
    """Unpack the zip of `download_dataset`, unless that has been done, and delete it; returns the folder.

    Raises:
        SourceError: it is not a complete zip of this dataset, or there is no room.
    """
    unpacked, archive = folder / dataset.unpacked, _archive(dataset, folder)
    if not unpacked.is_dir():
        _unpack(archive, unpacked, progress)
        archive.unlink()
    return unpacked


def index_command(dataset: Dataset, unpacked: Path) -> str:
    """The command that makes a gallery of it."""
    place = unpacked / dataset.indexed if dataset.indexed else unpacked
    return f"python -m similarity index {shlex.quote(str(place))} --gallery {dataset.name}{dataset.options}"


def _archive(dataset: Dataset, folder: Path) -> Path:
    return folder / f"{dataset.name}.zip"


def _unpack(archive: Path, unpacked: Path, progress: UnpackProgress | None) -> None:
    """Unpack into a folder that appears whole or not at all; zipfile keeps every path inside it and checks each CRC."""
    try:
        with (
            zipfile.ZipFile(archive) as file,
            tempfile.TemporaryDirectory(dir=archive.parent, prefix=".unpacking-") as place,
        ):
            entries = file.infolist()
            _check_room(archive, sum(entry.file_size for entry in entries))
            for number, entry in enumerate(entries, start=1):
                file.extract(entry, place)
                if progress:
                    progress(number, len(entries))
            extracted = Path(place) / unpacked.name
            if not extracted.is_dir():
                archive.unlink()
                raise SourceError(
                    f"{archive} does not contain the folder {unpacked.name}: it is not the expected dataset."
                )
            extracted.replace(unpacked)
    except (zipfile.BadZipFile, zlib.error, NotImplementedError, EOFError, ValueError) as error:
        archive.unlink()
        raise SourceError(
            f"The downloaded file was not a complete zip, and has been deleted: try again. ({error})"
        ) from error
    except OSError as error:
        raise SourceError(f"{archive} could not be unpacked ({error.strerror or error}).") from error


def _check_room(archive: Path, needed: int) -> None:
    free = shutil.disk_usage(archive.parent).free
    if needed > free:
        sizes = f"{needed / 1e9:.2f} GB are needed, {free / 1e9:.2f} GB are free"
        raise SourceError(f"There is not enough room to unpack {archive}: {sizes}.")

"""The errors that this package raises on purpose.

    SimilarityError
    ├── ImageError          a file or a download that cannot be used as a picture
    │   ├── TooLargeError       ... more bytes, pixels or frames than are decoded, or too long and thin
    │   ├── NotAnImageError     ... because it is not a picture
    │   ├── UnsupportedError    ... a picture in a format that is not read
    │   └── DamagedError        ... broken, or cut short
    ├── FetchError          an address that cannot be fetched
    ├── QuotaError          more work than a visitor may have done at a time
    ├── PathError           a path that cannot be one on this computer
    ├── SourceError         a folder, zip, CSV or dataset that cannot be indexed
    │   └── ShardError          ... embeddings in shards that are damaged, unfinished or of different models
    ├── ClusterError        a cluster that cannot be reached, or failed
    ├── ModelError          a backbone that cannot be used
    │   ├── WeightsError    ... because its weights are missing or damaged
    │   └── HeadError       a head that cannot be trained, read or used
    ├── SearchError         an invalid search
    ├── AddressError        an address of this computer that cannot be listened at
    ├── KeyFileError        the file of keys, or a key that cannot be made
    ├── ForkError           a process that was forked from one with threads that it would need
    └── GalleryError        a gallery that cannot be made or used
        ├── GalleryNotFoundError
        ├── GalleryDamagedError
        ├── GalleryUnreadableError  ... because of rights or the system, which says nothing of its files
        ├── GalleryBusyError    ... because another process is writing it
        └── StoreError          ... because of its store of vectors
            ├── StoreAwayError      ... which cannot be reached
            └── CollectionError     ... whose collection is gone, or is another one

Every message is a sentence for people, which names the fault, the file or address, and the remedy.
"""


class SimilarityError(Exception):
    """Base of all errors that this package raises on purpose."""


class ImageError(SimilarityError):
    """A file or a download that cannot be used as a picture.

    Attributes:
        name: the file or address, as a person knows it.
        reason: why, without the name.
    """

    def __init__(self, name: str, reason: str) -> None:
        super().__init__(f"{name} {reason}")
        self.name = name
        self.reason = reason


class TooLargeError(ImageError):
    """A picture of more bytes, pixels or frames than are decoded, or one that is too long and thin."""


class NotAnImageError(ImageError):
    """A file that is not a picture."""


class UnsupportedError(ImageError):
    """A picture in a format that is not read."""


class DamagedError(ImageError):
    """A picture that is broken, or cut short."""


class FetchError(SimilarityError):
    """An address that cannot be fetched.

    Attributes:
        place: the address, as it is in the message, if that names one.
    """

    def __init__(self, message: str, place: str = "") -> None:
        super().__init__(message)
        self.place = place


class QuotaError(SimilarityError):
    """A visitor has used up their share of time, memory or connections."""


class PathError(SimilarityError):
    """A path that cannot be one on this computer: too long, of nobody's home, or with characters that none may have."""


class SourceError(SimilarityError):
    """A folder, zip, CSV or dataset that cannot be indexed."""


class ShardError(SourceError):
    """Embeddings in shards that are damaged, unfinished, or of different models."""


class ClusterError(SimilarityError):
    """A cluster that cannot be reached, or failed."""


class ModelError(SimilarityError):
    """A backbone that cannot be used."""


class WeightsError(ModelError):
    """A backbone whose weights are missing, damaged or not the expected ones."""


class HeadError(ModelError):
    """A head that cannot be trained, read, or used with a gallery."""


class SearchError(SimilarityError):
    """An invalid search, such as one for zero results."""


class AddressError(SimilarityError):
    """An address of this computer that a server cannot listen at."""


class KeyFileError(SimilarityError):
    """The file of keys cannot be read or written, or a key cannot be made."""


class ForkError(SimilarityError):
    """A process was forked from one that had loaded or searched, whose threads it does not have."""


class GalleryError(SimilarityError):
    """A gallery that cannot be made or used."""


class GalleryNotFoundError(GalleryError):
    """There is no gallery of that name or at that place."""


class GalleryDamagedError(GalleryError):
    """A file of a gallery is damaged or was changed.

    Attributes:
        path: the file.
        fault: its fault, without its path.
    """

    def __init__(self, path: object, fault: str = "is damaged or missing", remedy: str = "") -> None:
        super().__init__(f"{path} {fault}{': ' if remedy else ''}{remedy}.")
        self.path = path
        self.fault = fault


class GalleryUnreadableError(GalleryError):
    """A file or folder of galleries that this user or process cannot read at present, and that may well be sound."""


class GalleryBusyError(GalleryError):
    """Another process is writing the gallery."""


class StoreError(GalleryError):
    """The engine that holds a gallery's vectors cannot be used; the gallery's own folder is as it was."""


class StoreAwayError(StoreError):
    """The engine cannot be reached, or does not answer in time."""


class CollectionError(StoreError):
    """The collection of a gallery is gone, or is not the one that was made for it."""

"""Finding the lines with a text in a column by binary search, in numbers that can be mapped into memory."""

import hashlib
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Keys = npt.NDArray[np.uint64]
KEY_BYTES = 8
CONTENT = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, eq=False)
class Lookup:
    """The lines of a column by the keys of their texts. Texts that are not equal may have the same key.

    Attributes:
        keys: uint64 (lines,), sorted.
        lines: int64 (lines,), the line of each key; of equal keys in order.
        key_of: gives the key of a text; None if the column never has it.
    """

    keys: Keys
    lines: npt.NDArray[np.int64]
    key_of: Callable[[str], int | None]

    def find(self, value: str) -> npt.NDArray[np.int64]:
        """Return the lines that may have a text, and no others with another key."""
        if (key := self.key_of(value)) is None:
            return np.empty(0, np.int64)
        wanted = np.uint64(key)
        return self.lines[np.searchsorted(self.keys, wanted) : np.searchsorted(self.keys, wanted, side="right")]


def keys_of_texts(texts: Iterable[str]) -> Keys:
    """Hash texts: of a stranger's, too, hardly two have the same key."""
    hashed = (hashlib.blake2b(text.encode(errors="surrogatepass"), digest_size=KEY_BYTES).digest() for text in texts)
    return np.frombuffer(b"".join(hashed), ">u8").astype(np.uint64)


def key_of_text(text: str) -> int:
    """Hash a text, as `keys_of_texts` does."""
    return int(keys_of_texts([text])[0])


def words_of_contents(contents: Iterable[str]) -> Keys:
    """Return hashes in hex, all valid, as numbers, uint64 (n, 4)."""
    return np.frombuffer(bytes.fromhex("".join(contents)), ">u8").astype(np.uint64).reshape(-1, 4)


def key_of_content(text: str) -> int | None:
    """Return the first number of a hash in hex; None for any other text."""
    return int(words_of_contents([text])[0, 0]) if CONTENT.fullmatch(text) else None

"""One normal form of text: what looks the same compares the same.

Unicode can write `ö` as one character (composed) or as `o` with a mark (decomposed). Macs write names of files
decomposed, most other systems composed. Texts are compared, and labels and ids kept, in the composed form, NFC.
"""

import unicodedata


def nfc(text: str) -> str:
    """Text in the composed form."""
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def forms(text: str) -> list[str]:
    """Text as it is, composed and decomposed, each once."""
    return [text] if text.isascii() else list(dict.fromkeys((text, nfc(text), unicodedata.normalize("NFD", text))))

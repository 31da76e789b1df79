"""The columns of items.parquet, and which values of them are possible."""

import pyarrow as pa
import pyarrow.compute as pc

SCHEMA = pa.schema(
    [
        ("row", pa.int64()),
        ("id", pa.string()),
        ("path", pa.string()),
        ("label", pa.string()),
        ("width", pa.int32()),
        ("height", pa.int32()),
        ("size", pa.int64()),
        ("mtime", pa.float64()),
        ("sha256", pa.string()),
        ("source", pa.string()),
        ("metadata", pa.string()),  # a JSON object
        ("exif", pa.string()),  # likewise
    ]
)
# Of galleries up to format 6.
OLDER_SCHEMA = SCHEMA.remove(SCHEMA.get_field_index("exif"))
# Rows are numbered anew by whoever reads them.
LINE_NAMES = SCHEMA.names[1:]
LINES = pa.schema([SCHEMA.field(name) for name in LINE_NAMES])
OBJECTS = ("metadata", "exif")
# Minimum lines of each row group but the last; items that are converted from or to lines at a time.
CHUNK = 8192
# In the syntax of RE2: a hash, a JSON object of texts, and any text without NUL.
SHA256, LINE = r"\A[0-9a-f]{64}\z", r"\A[^\x00]*\z"
WORD = r'"(?:[^"\\\x00-\x1f]|\\["\\/bfnrt]|\\u[0-9a-fA-F]{4})*"'
WORDS = rf"\A\{{(?:{WORD}: {WORD}(?:, {WORD}: {WORD})*)?\}}\z"
LONGEST_SIDE = 1 << 20  # of a picture, in pixels


def check_values(table: pa.Table, name: str) -> None:
    """Raise ValueError if a table has values that no picture can have, as later readers assume.

    Args:
        name: of its file, for the message.
    """
    if not all(_is_valid(column, table.column(column)) for column in table.column_names):
        raise ValueError(f"{name} has values that no picture can have")


def with_exif(table: pa.Table) -> pa.Table:
    """A table with what files say of themselves, which is nothing in older galleries."""
    return table if "exif" in table.column_names else table.append_column("exif", pa.repeat("{}", len(table)))


def composed(column: pa.ChunkedArray) -> pa.ChunkedArray:
    """Texts as sources give them now, composed; galleries of earlier versions have others."""
    return column if is_all(pc.string_is_ascii(column)) else pc.utf8_normalize(column, form="NFC")


def is_all(values: pa.ChunkedArray) -> bool:
    """Whether all of these are true."""
    return bool(pc.all(values, min_count=0).as_py())


def _is_valid(name: str, column: pa.ChunkedArray) -> bool:
    """Whether all values of a column are possible for pictures."""
    if name != "label" and column.null_count:
        return False
    if pa.types.is_string(column.type):
        pattern = SHA256 if name == "sha256" else WORDS if name in OBJECTS else LINE
        return is_all(pc.match_substring_regex(column, pattern))
    if name == "mtime":
        return is_all(pc.is_finite(column))
    smallest, largest = (bound or 0 for bound in pc.min_max(column).as_py().values())
    return bool(smallest >= 0 and (largest <= LONGEST_SIDE or name not in ("width", "height")))

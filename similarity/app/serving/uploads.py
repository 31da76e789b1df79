"""Uploads stay in memory: the web server's own parser would write those over a megabyte to a temporary file."""

from starlette.formparsers import MultiPartParser

# More than `server.maxUploadSize` in .streamlit/config.toml, with what is around a file in a request.
MAX_BYTES = 32 * 1024 * 1024


def keep_in_memory() -> None:
    """Set the web server up; as often as one likes."""
    MultiPartParser.spool_max_size = MAX_BYTES

"""Parser settings that keep uploads in memory; by default those over a megabyte go to a temporary file."""

from starlette.formparsers import MultiPartParser

# More than `server.maxUploadSize` in .streamlit/config.toml and the rest of a request.
MAX_BYTES = 32 * 1024 * 1024


def keep_in_memory() -> None:
    """Set the web server's parser up; calling it again changes nothing."""
    MultiPartParser.spool_max_size = MAX_BYTES

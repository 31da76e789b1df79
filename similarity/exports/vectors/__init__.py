"""The vectors of a gallery as files for other programs."""

"""The page that searches all galleries at once."""

"""The evaluate page: how often a gallery finds what is right, and which queries go wrong."""

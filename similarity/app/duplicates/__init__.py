"""The duplicates page: copies side by side, which to keep, and pictures whose labels contradict each other."""

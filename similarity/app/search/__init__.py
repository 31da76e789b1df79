"""The search page: the query on the left, its results on the right."""

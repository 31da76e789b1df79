"""The search page: a query is put together on the left, and its results are on the right."""

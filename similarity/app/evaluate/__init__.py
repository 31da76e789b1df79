"""The evaluate page: the metrics of a gallery, and the queries that go wrong."""

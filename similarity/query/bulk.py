"""A gallery as data people work with: its pictures as a table, and many queries at once."""

from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np

from similarity.errors import SimilarityError
from similarity.exports.results import item_rows
from similarity.exports.vectors.kinds import VERSION, Format, Which, format_of
from similarity.exports.vectors.table import VectorTable
from similarity.progress import OnProgress, Reporter
from similarity.query.encoder import EncodedQuery
from similarity.query.hits import Hits, to_frame
from similarity.query.inputs import Examples
from similarity.query.many import AT_ONCE, Prepared, QueryResult, QueryResults, count_of, embed_many, pictures_of
from similarity.query.options import DEFAULTS, SearchKeywords, SearchOptions
from similarity.query.searcher import Searcher
from similarity.search import Hit
from similarity.storage.thumbnails import read_thumbnail
from similarity.vectors.arrays import Vectors

if TYPE_CHECKING:
    import pandas as pd

SEARCHING = "Searching"


class BulkSearcher(Searcher):
    """A searcher of many queries at once."""

    @property
    def left_out(self) -> str:
        """Why pictures of a set are missing, in a sentence, if a shard of it cannot be opened; empty otherwise."""
        return self._generation.left_out

    @property
    def missing_shards(self) -> int:
        """Number of shards of a set that cannot be opened."""
        there = len(self._generation.shards)
        return sum(bool(shard.place) for shard in self.manifest.shards) - there

    def to_pandas(self) -> "pd.DataFrame":
        """Return a table with a row for each picture: id, path, label, size in pixels, metadata and facts."""
        return to_frame(item_rows(self.items), ["id", "path", "label", "width", "height", "sha256"])

    def encode_many(
        self, queries: Any, *, column: str | None = None, progress: OnProgress | None = None
    ) -> Iterator[tuple[str, EncodedQuery | SimilarityError]]:
        """Encode many pictures in order, at the rate of indexing, for a search with each.

        Args:
            queries: as `search_many` has them.
            column: as `search_many` has it.
            progress: called as the work goes on.

        Yields:
            The name of each query, and the query as `encode` gives it, or the reason why it could not be read.

        Raises:
            SearchError: there is no such column. GalleryError: the gallery's model cannot be loaded.
        """
        pictures, report = pictures_of(queries, column), Reporter(count_of(queries), progress, task=SEARCHING)
        for batch, embeddings in embed_many(self.embedder, pictures):
            embedded = zip(embeddings, self.refine(embeddings), strict=True)
            for one in batch:
                yield one.name, one.error or self._encode(one, None if one.pixels is None else next(embedded))
                report.advance(1)

    def _encode(self, one: Prepared, embedded: tuple[Vectors, Vectors] | None) -> EncodedQuery | SimilarityError:
        """Return a query with its embedding, as it is and refined; or one that is a picture of the gallery."""
        assert one.query is not None
        if embedded is None:
            try:
                return self.encode(one.query)
            except SimilarityError as error:
                return error
        embedding, vector = embedded
        return EncodedQuery(Examples([one.query]), vector, embedding[None], vector[None])

    def export(
        self,
        out: str | Path,
        kind: Format | None = None,
        *,
        which: Which = "embeddings",
        progress: OnProgress | None = None,
    ) -> list[Path]:
        """Write the embeddings of its pictures, with all that is known of these, to files for other programs.

        A picture has a row, which its exact copies share. Files of these names are replaced.

        Args:
            out: the file; for tensorboard a folder. A CSV of the pictures lies beside a .npy or FAISS file.
            kind: parquet, npy, faiss (an IndexFlatIP, made in memory) or tensorboard (for its Embedding Projector); by
                default as the name of the file ends.
            which: the embeddings as the model gave them, of unit length; or vectors as they are compared here, after
                head and refinement, of which nothing but their inner products should be used.
            progress: called as vectors are written.

        Returns:
            The files.

        Raises:
            GalleryError: a file cannot be written, its name says no format, or the folder has other files.
        """
        from similarity.exports.vectors.export import export_vectors

        chosen = kind or format_of(Path(out))
        vectors = self.embeddings if which == "embeddings" else self.vectors
        facts = {"version": VERSION, "gallery": self.name, "generation": self.manifest.generation, "vectors": which}
        facts |= self.manifest.identity | {"dim": vectors.dim}
        table = VectorTable(
            self.items, vectors, facts, lambda item: read_thumbnail(self.directory, item.sha256), progress
        )
        return export_vectors(table, out, chosen)

    def search_many(
        self,
        queries: Any,
        k: int = 10,
        options: SearchOptions = DEFAULTS,
        *,
        column: str | None = None,
        progress: OnProgress | None = None,
        **keywords: Unpack[SearchKeywords],
    ) -> QueryResults:
        """Find the pictures most similar to each of many pictures, at the rate of indexing.

        Args:
            queries: pictures as `search` takes them, in a list or one after the other; a source, as `open_source` gives
                it of a folder, a zip or a CSV; a DataFrame; or a Hugging Face dataset, or a column of one.
            k: how many to look for, for each.
            options: which pictures may be results, and which of these are returned.
            column: of a table, that has the pictures; by default `path`, `image`, `file`, `picture` or `url`.
            progress: called as the work goes on.
            keywords: single fields of `options`.

        Returns:
            For each query its hits, or the reason why it could not be read; one does not stop the others.

        Raises:
            SearchError: an option makes no sense, or there is no such column. GalleryError: the gallery's model cannot
                be loaded.
        """
        options = options.updated(**keywords)

        encoded = self.encode_many(queries, column=column, progress=progress)
        results = QueryResults()
        while group := list(islice(encoded, AT_ONCE)):
            results += self._search_group(group, k, options)
        return results

    def _search_group(
        self, group: Sequence[tuple[str, EncodedQuery | SimilarityError]], k: int, options: SearchOptions
    ) -> list[QueryResult]:
        """Search with some named queries, of which the index is asked in one call."""
        asked = [query for _, query in group if isinstance(query, EncodedQuery)]
        found = iter(self._rank_many(asked, k, options))
        return [
            # Without the pictures, since those of all queries would fill the memory.
            QueryResult(name, Hits(next(found), self.directory))
            if isinstance(query, EncodedQuery)
            else QueryResult(name, Hits([], self.directory), query)
            for name, query in group
        ]

    def _rank_many(self, queries: Sequence[EncodedQuery], k: int, options: SearchOptions) -> list[list[Hit]]:
        """Return the hits of each query; being one picture, it has none that is unwanted."""
        vectors = np.stack([query.vector for query in queries] or [np.empty(0, np.float32)])
        return self._ranker.rank_many(vectors, k, [options.asked_with(query.contents) for query in queries])

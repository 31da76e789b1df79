"""`bench milvus`: a Milvus server with synthetic vectors."""

from typing import Annotated

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson
from similarity.cli.running import interruptible

COLUMNS = {
    "kind": "index",
    "build_s": "build s",
    "recall@10": "recall@10",
    "server_mb": "MB of the server",
    "p50_ms_1_client": "p50 ms",
    "p95_ms_1_client": "p95 ms",
    "p50_ms_8_clients": "p50 ms, 8 clients",
    "p95_ms_8_clients": "p95 ms",
    "queries_per_s_8_clients": "a second",
}


def milvus(
    uri: Annotated[str, typer.Option("--uri", help="Address of Milvus: http://localhost:19530.")],
    n: Annotated[int, typer.Option("--n", min=1, help="Number of vectors.")] = 100_000,
    dim: Annotated[int, typer.Option("--dim", min=2, help="Numbers in each vector.")] = 1280,
    kind: Annotated[
        list[str] | None,
        typer.Option("--kind", help="IVF_SQ8, as galleries have it, FLAT, HNSW or DISKANN; may be repeated."),
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Measure a Milvus server: time to send vectors, to index them, and to answer one and eight clients, and recall."""
    from similarity.bench.milvus import KINDS, bench_milvus
    from similarity.search.stores import choose_store

    with interruptible(goes_on=False), terminal.indexing() as progress:
        report = bench_milvus(choose_store("milvus", uri), n, dim, kinds=kind or KINDS, progress=progress)
    if as_json:
        terminal.print_json(report)
        return
    terminal.print_line(
        f"{report['n']:,} vectors of {report['dim']} sent {report['sent']} in {report['send_s']:,} s, "
        f"{report['queries']:,} queries"
    )
    rows = [tuple("" if row.get(name) is None else str(row[name]) for name in COLUMNS) for row in report["kinds"]]
    terminal.print_table(tuple(COLUMNS.values()), rows)

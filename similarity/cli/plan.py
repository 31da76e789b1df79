"""`plan`: machines, hours, bytes and cost for given pictures and queries a second."""

import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from similarity.cli import terminal
from similarity.cli.bench_reports import read_report
from similarity.cli.options import AsJson

if TYPE_CHECKING:
    from similarity.bench.capacity import Plan, Rates

UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
NUMBER = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?)\s*([kKmMbB]?)")


def _count(text: str) -> int:
    """Parse a number such as 250k, 1M, 1.5B or 1_000_000."""
    match = NUMBER.fullmatch(text.strip().replace(",", "_"))
    if not match:
        raise typer.BadParameter(f"{text!r} is not a number: write it as 250k, 100M, 10B or 1_000_000")
    return round(float(match[1].replace("_", "")) * UNITS[match[2].lower()])


Images = Annotated[int | None, typer.Option(parser=_count, metavar="N", help="Number of pictures: 250k, 100M, 10B.")]
PlannedStore = Annotated[
    Literal["faiss", "milvus"] | None, typer.Option(help="By default faiss, if one machine has room.")
]
Measured = Annotated[
    list[Path] | None, typer.Option(help="Output of `bench … --json` on your machine; may be repeated.")
]


def plan(
    images: Images = None,
    qps: Annotated[float, typer.Option(help="Queries a second.")] = 10.0,
    model: Annotated[str, typer.Option("--model", "-m", help="A backbone with measured speed.")] = "efficientnet-lite2",
    store: PlannedStore = None,
    cores: Annotated[int, typer.Option(help="Cores of a machine.")] = 16,
    memory: Annotated[float, typer.Option(help="Memory of a machine, in GB.")] = 64.0,
    price: Annotated[float, typer.Option(help="Price of a machine for an hour, in any currency.")] = 0.80,
    hours: Annotated[float, typer.Option(help="Hours in which all pictures should be embedded.")] = 24.0,
    measured: Measured = None,
    check: Annotated[Path | None, typer.Option(help="Compare the plan's rates with this report of `bench`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Compute machines, hours, bytes and cost for a number of pictures, from measured rates."""
    from similarity.bench.capacity import REFERENCE, Machine, Wish, make_plan
    from similarity.bench.capacity.rates import fit_rates
    from similarity.embedding.backbones import get_backbone

    rates = fit_rates([read_report(path) for path in measured], REFERENCE) if measured else REFERENCE
    if check:
        _show_check(read_report(check), rates, as_json=as_json)
        return
    if images is None:
        raise typer.BadParameter("give the number of pictures", param_hint="--images")
    wish = Wish(images, qps, model, get_backbone(model).dim, store, Machine(cores, memory, price), hours)
    made = make_plan(wish, rates)
    if as_json:
        terminal.print_json(made.to_json())
        return
    terminal.print_table(("", "", ""), _rows(made))
    terminal.print_line("Assumptions:")
    terminal.print_table(
        ("assumption", "value", "from"),
        [(rate.name, f"{rate.value:,g} {rate.unit}".strip(), rate.source) for rate in made.assumptions],
    )
    for limit in made.limits:
        terminal.say(limit, as_="Note")


def _rows(made: "Plan") -> list[tuple[str, ...]]:
    """Return the rows of the table: figures with explanations."""
    wish, machine = made.wish, made.wish.machine
    split = f"{made.galleries:,} galleries of {made.pictures_each:,}" if made.galleries > 1 else "one gallery"
    rows = [
        ("pictures", f"{wish.images:,}", split),
        ("index", made.recipe, f"in FAISS; {made.reason}" if made.store == "faiss" else _in_milvus(made.recipe)),
        ("recall@10", f"{made.recall:.3f}", "of the exact answer"),
        ("embedding", _hours(made.embed_core_hours), f"of one core, with {wish.model}"),
        ("", _machines(made.embed_machines), f"of {machine.cores} cores, for {_hours(made.embed_hours)}"),
        ("indexing", _hours(made.build_hours), "each gallery, once it is embedded"),
        ("disk", _size(made.gallery_gb), "galleries, with the state before"),
        ("", _size(made.thumbnails_gb), "thumbnails"),
        ("", _size(made.shards_gb), "shards of `embed`, until they are indexed"),
        ("memory", _size(made.app_memory_gb), "of each app"),
        ("a query", f"{made.query_ms:.1f} ms", f"median; {made.search_ms:.1f} ms of it the search"),
        ("answering", _machines(made.app_machines), f"for {wish.qps:g} queries a second"),
    ]
    if made.store == "milvus":
        rows += [
            ("Milvus", _machines(made.store_machines), f"with {_size(made.store_memory_gb)} of vectors in memory"),
            ("", _size(made.milvus_gb), "of its own storage"),
        ]
    return [
        *rows,
        ("cost", f"{made.cost_embed:,.2f}", "to embed all"),
        ("", f"{made.cost_hour:,.2f}", "for each hour of answering"),
        ("", f"{made.cost_thousand:,.4f}", f"for 1,000 answers, at {wish.qps:g} a second"),
    ]


def _in_milvus(recipe: str) -> str:
    """Describe the index of a recipe in terms of Milvus."""
    from similarity.search.milvus.index_types import index_type

    kind, parameters = index_type(recipe)
    lists = f" with {parameters['nlist']:,} lists" if parameters else ""
    return f"in Milvus: {kind}{lists}, at full length"


def _show_check(report: dict[str, Any], rates: "Rates", *, as_json: bool) -> None:
    """Print the rates of a report beside those of the plan."""
    from dataclasses import asdict

    from similarity.bench.capacity.check import check_report

    checked = check_report(report, rates)
    if as_json:
        terminal.print_json({"checked": [asdict(figure) | {"ratio": round(figure.ratio, 3)} for figure in checked]})
        return
    rows = [
        (figure.name, f"{figure.planned:,.4g}", f"{figure.measured:,.4g}", f"{figure.ratio:.2f}") for figure in checked
    ]
    terminal.print_table(("figure", "planned", "measured", "ratio"), rows)


def _machines(count: int) -> str:
    return f"{count:,} machine{'s' if count > 1 else ''}"


def _hours(hours: float) -> str:
    """Return a duration in hours, minutes or seconds."""
    if hours < 1:
        return f"{hours * 60:.0f} min" if hours * 60 >= 1 else f"{hours * 3600:.1f} s"
    return f"{hours:,.1f} h"


def _size(gigabytes: float) -> str:
    if gigabytes >= 1000:
        return f"{gigabytes / 1000:,.1f} TB"
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{gigabytes * 1000:.0f} MB"

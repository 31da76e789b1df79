"""`plan`: machines, hours, bytes and cost for a number of pictures and queries a second."""

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from similarity.cli import terminal
from similarity.cli.options import AsJson
from similarity.errors import SearchError

if TYPE_CHECKING:
    from similarity.bench.capacity import Plan, Rates

UNITS = {"": 1, "k": 10**3, "m": 10**6, "b": 10**9}
NUMBER = re.compile(r"([0-9][0-9_]*(?:\.[0-9]+)?)\s*([kKmMbB]?)")


def _count(text: str) -> int:
    """The number in 250k, 1M, 1.5B or 1_000_000."""
    found = NUMBER.fullmatch(text.strip().replace(",", "_"))
    if not found:
        raise typer.BadParameter(f"{text!r} is no number of pictures: say 250k, 100M, 10B or 1_000_000")
    return round(float(found[1].replace("_", "")) * UNITS[found[2].lower()])


Images = Annotated[int | None, typer.Option(parser=_count, metavar="N", help="How many pictures: 250k, 100M, 10B.")]
PlannedStore = Annotated[
    Literal["faiss", "milvus"] | None, typer.Option(help="Unless given, faiss as long as one machine has room.")
]
Measured = Annotated[
    list[Path] | None, typer.Option(help="What `bench … --json` printed on your machine; as often as you like.")
]


def plan(
    images: Images = None,
    qps: Annotated[float, typer.Option(help="Questions a second.")] = 10.0,
    model: Annotated[str, typer.Option("--model", "-m", help="A backbone that was measured.")] = "efficientnet-lite2",
    store: PlannedStore = None,
    cores: Annotated[int, typer.Option(help="Of a machine.")] = 16,
    memory: Annotated[float, typer.Option(help="Of a machine, in GB.")] = 64.0,
    price: Annotated[float, typer.Option(help="Of a machine and hour, in any currency.")] = 0.80,
    hours: Annotated[float, typer.Option(help="In which all are to be embedded.")] = 24.0,
    measured: Measured = None,
    check: Annotated[Path | None, typer.Option(help="Compare the plan's rates with this report of `bench`.")] = None,
    as_json: AsJson = False,
) -> None:
    """Work out machines, hours, bytes and cost for so many pictures, from measured rates."""
    from similarity.bench.capacity import REFERENCE, Machine, Wish, make_plan
    from similarity.bench.capacity.rates import fitted
    from similarity.embedding.backbones import get_backbone

    rates = fitted([_read(path) for path in measured], REFERENCE) if measured else REFERENCE
    if check:
        _show_check(_read(check), rates, as_json=as_json)
        return
    if images is None:
        raise typer.BadParameter("say for how many pictures", param_hint="--images")
    wish = Wish(images, qps, model, get_backbone(model).dim, store, Machine(cores, memory, price), hours)
    made = make_plan(wish, rates)
    if as_json:
        terminal.print_json(made.to_json())
        return
    terminal.print_table(("", "", ""), _rows(made))
    terminal.print_line("It rests on:")
    terminal.print_table(
        ("assumption", "value", "from"),
        [(one.name, f"{one.value:,g} {one.unit}".strip(), one.source) for one in made.assumptions],
    )
    for limit in made.limits:
        terminal.say(limit, as_="Note")


def _rows(made: "Plan") -> list[tuple[str, ...]]:
    """The rows of the table: figures with their explanation."""
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
        ("answering", _machines(made.app_machines), f"for {wish.qps:g} questions a second"),
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
    """The index of a recipe as Milvus names it."""
    from similarity.search.milvus.index_types import index_type

    kind, parameters = index_type(recipe)
    lists = f" with {parameters['nlist']:,} lists" if parameters else ""
    return f"in Milvus: {kind}{lists}, at full length"


def _show_check(report: dict[str, Any], rates: "Rates", *, as_json: bool) -> None:
    """Print the rates of a report beside those that the plan counts with."""
    from dataclasses import asdict

    from similarity.bench.capacity.check import check_report

    checked = check_report(report, rates)
    if as_json:
        terminal.print_json({"checked": [asdict(one) | {"ratio": round(one.ratio, 3)} for one in checked]})
        return
    rows = [(one.name, f"{one.planned:,.4g}", f"{one.measured:,.4g}", f"{one.ratio:.2f}") for one in checked]
    terminal.print_table(("figure", "planned", "measured", "ratio"), rows)


def _read(path: Path) -> dict[str, Any]:
    """A report; raises SearchError where there is none."""
    try:
        found = json.loads(path.read_text())
    except (OSError, ValueError) as error:
        raise SearchError(f"{path} cannot be read as a report of `bench` ({error}).") from error
    if not isinstance(found, dict):
        raise SearchError(f"{path} is no report of `bench`.")
    return found


def _machines(count: int) -> str:
    return f"{count:,} machine{'s' if count > 1 else ''}"


def _hours(hours: float) -> str:
    """Hours, minutes or seconds."""
    if hours < 1:
        return f"{hours * 60:.0f} min" if hours * 60 >= 1 else f"{hours * 3600:.1f} s"
    return f"{hours:,.1f} h"


def _size(gigabytes: float) -> str:
    if gigabytes >= 1000:
        return f"{gigabytes / 1000:,.1f} TB"
    return f"{gigabytes:.1f} GB" if gigabytes >= 1 else f"{gigabytes * 1000:.0f} MB"

"""The options that several commands have in common."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from similarity.embedding.precision import Precision
from similarity.search.accuracy import Accuracy
from similarity.sources import Split

GalleryName = Annotated[str, typer.Option("--gallery", "-g", help="A gallery's name, or a path to its folder.")]
Model = Annotated[str, typer.Option("--model", "-m", help="A backbone; auto is ResNet-50 if it can be had.")]
WeightsPath = Annotated[
    Path | None, typer.Option("--weights", help="A file of fine-tuned weights, instead of the published ones.")
]
PrecisionName = Annotated[
    Precision, typer.Option(help="Of the network's arithmetic; auto is bf16 or f32 on a CPU, f16 on a GPU.")
]
RecipeName = Annotated[
    str, typer.Option("--recipe", help="Of the index: auto, flat, flat-sq8, ivf, or a FAISS factory string with IVF.")
]
RefinementName = Annotated[
    str, typer.Option("--refinement", help="Of the embeddings: auto, none, centred or neighbours; the README tells.")
]
StoreName = Annotated[
    Literal["faiss", "milvus"] | None, typer.Option("--store", help="Where the index lies: faiss (embedded) or milvus.")
]
StoreUri = Annotated[str | None, typer.Option("--uri", help="Of Milvus: http://host:19530, or a file.db.")]
Count = Annotated[int, typer.Option("-k", min=1, help="How many results.")]
Sheet = Annotated[Path | None, typer.Option(help="Also draw query and results into this PNG file.")]
SOURCES = "A folder of pictures, a zip, a CSV or a Parquet file of paths or URLs, or SOP."
SourcePath = Annotated[Path, typer.Argument(help=SOURCES)]
SourceOrNone = Annotated[Path | None, typer.Argument(metavar="SOURCE", help=SOURCES)]
SplitName = Annotated[Split | None, typer.Option("--split", help="Of Stanford Online Products: which part.")]
Products = Annotated[int | None, typer.Option("--products", min=1, help="Of Stanford Online Products: only so many.")]
Seed = Annotated[int, typer.Option("--seed", help="Draws other products.")]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only say what would change.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")]

INTERRUPTED = 130
Like = Annotated[list[str] | None, typer.Option(help="A further example; as often as you like.")]
Unlike = Annotated[list[str] | None, typer.Option(help="A counter-example; as often as you like.")]
Text = Annotated[
    list[str] | None, typer.Option(help="Words, for a gallery of a CLIP model: alone, or beside a picture.")
]
NotText = Annotated[list[str] | None, typer.Option(help="Words for what it should not be.")]
Weight = Annotated[
    list[float] | None,
    typer.Option(help="How much an example counts: one for the query, for each --like, and for each --text."),
]
Where = Annotated[
    list[str] | None,
    typer.Option(help="label=VALUE, or another column; a repeated column may have any of the values."),
]
MinScore = Annotated[float, typer.Option(help="Leave out what is less similar.")]
Offset = Annotated[int, typer.Option(min=0, help="Pass over so many of the best.")]
Distinct = Annotated[bool, typer.Option("--distinct", help="Of near-identical pictures show the best only.")]
ExcludeQuery = Annotated[
    bool, typer.Option("--exclude-query", help="Leave out pictures that are the query's very file.")
]
AccuracyName = Annotated[Accuracy, typer.Option(help="Of a gallery with an approximate index.")]
SearchPrecision = Annotated[
    float | None, typer.Option(min=0.5, max=0.999, help="Say so if the best result is not right this surely: 0.95.")
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Show on the sheet, or in JSON, which regions make results similar.")
]

"""The options that several commands have in common."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from similarity.embedding.precision import Precision
from similarity.embedding.view_names import Quality, ViewOrAuto
from similarity.errors import PathError
from similarity.paths import EMPTY_PATH
from similarity.search.accuracy import Accuracy
from similarity.sources import Split

GalleryName = Annotated[str, typer.Option("--gallery", "-g", help="A gallery's name, or a path to its folder.")]
GalleryNames = Annotated[
    list[str] | None,
    typer.Option(
        "--gallery",
        "-g",
        help="A gallery's name, or a path to its folder; several, or a pattern such as 'shop-*', are searched at once.",
        show_default="sample",
    ),
]
Model = Annotated[
    str,
    typer.Option("--model", "-m", help="A backbone; auto is ResNet-50 if its weights are here or can be downloaded."),
]
WeightsPath = Annotated[
    Path | None, typer.Option("--weights", help="A file of fine-tuned weights to use instead of the published ones.")
]
PrecisionName = Annotated[
    Precision,
    typer.Option(
        help="Number format of the network; auto is bf16 or f32 on a CPU, or int8 for a large new gallery that loses "
        "nothing by it, and f16 on a CUDA GPU."
    ),
]
ViewName = Annotated[
    ViewOrAuto,
    typer.Option(
        "--view",
        help="Part of a picture that the network sees: crop (its centre), fit (more of a long picture, at no cost), or "
        "both (their mean, twice the time); auto is fit, and crop for transformers and timm's networks.",
    ),
]
QualityName = Annotated[
    Quality,
    typer.Option(
        "--quality",
        help="best takes two to three times the time for better results: both views, two of the bundled models, and "
        "closer neighbours.",
    ),
]
RecipeName = Annotated[
    str, typer.Option("--recipe", help="Kind of index: auto, flat, flat-sq8, ivf, or a FAISS factory string with IVF.")
]
RefinementName = Annotated[
    str, typer.Option("--refinement", help="Refinement of embeddings: auto, none, centred or neighbours.")
]
StoreName = Annotated[
    Literal["faiss", "milvus"] | None,
    typer.Option("--store", help="Store of the index: faiss (a file in the gallery) or milvus."),
]
Shards = Annotated[
    int | None,
    typer.Option(
        "--shards",
        help="Number of galleries that share out the pictures, and are searched and changed as one; 1 for none.",
    ),
]
StoreUri = Annotated[str | None, typer.Option("--uri", help="Address of Milvus: http://host:19530, or a file.db.")]
Count = Annotated[int, typer.Option("-k", min=1, help="Number of results.")]
Sheet = Annotated[Path | None, typer.Option(help="Also draw query and results to this PNG file.")]
Coco = Annotated[Path | None, typer.Option(help="Also write results to this JSON file, in the form of COCO.")]
SOURCES = "A folder of pictures, a zip, a CSV or a Parquet file of paths or URLs, or SOP."
# As texts, since an empty one would be the path of the current folder.
SourcePath = Annotated[str, typer.Argument(help=SOURCES)]
SourceOrNone = Annotated[str | None, typer.Argument(metavar="SOURCE", help=SOURCES)]
SplitName = Annotated[Split | None, typer.Option("--split", help="For Stanford Online Products: the part to take.")]
Products = Annotated[
    int | None, typer.Option("--products", min=1, help="For Stanford Online Products: the number of products to draw.")
]
Seed = Annotated[int, typer.Option("--seed", help="Another seed draws other products.")]
Exclude = Annotated[
    list[str] | None,
    typer.Option(help="Leave out files that match this pattern, as in .gitignore; may be repeated, and is remembered."),
]
DryRun = Annotated[bool, typer.Option("--dry-run", help="Only report the changes, without making them.")]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object, and nothing else, on standard output.")]

INTERRUPTED = 130
Like = Annotated[list[str] | None, typer.Option(help="A further example; may be repeated.")]
Unlike = Annotated[list[str] | None, typer.Option(help="A counter-example; may be repeated.")]
ItemIds = Annotated[
    list[str] | None,
    typer.Option("--item", help="Id or SHA-256 of a picture of the gallery to search with; may be repeated."),
]
VectorFile = Annotated[
    Path | None,
    typer.Option("--vector", help="Search with this embedding by the gallery's model: a .npy file of one row."),
]
Text = Annotated[
    list[str] | None,
    typer.Option(help="Words to search with, alone or with a picture; needs a gallery of a CLIP model."),
]
NotText = Annotated[list[str] | None, typer.Option(help="Words that results should not match.")]
Weight = Annotated[
    list[float] | None,
    typer.Option(help="Weight of an example; repeat it for the query, each --like and each --text, in order."),
]
Where = Annotated[
    list[str] | None,
    typer.Option(
        help="Only results with this value: label=VALUE, or another column. Repeat for more values. "
        "Also != < <= > >= for numbers, dates such as 2024-05, and texts, and ~ for a part of a text."
    ),
]
Sort = Annotated[
    str | None,
    typer.Option(
        metavar="COLUMN", help="Order of the results found: by a column, such as taken, or -taken for the latest first."
    ),
]
Gps = Annotated[
    bool, typer.Option("--gps", help="Keep where pictures were taken, if they say so: columns latitude and longitude.")
]
MinScore = Annotated[float, typer.Option(help="Lowest score of a result.")]
Offset = Annotated[int, typer.Option(min=0, help="Number of best results to skip.")]
Distinct = Annotated[bool, typer.Option("--distinct", help="Hide copies: show only the best of them.")]
OnePerProduct = Annotated[
    bool,
    typer.Option(
        "--one-per-product",
        help="Show only the best picture of each product: of each value of the column product, or of look-alikes where "
        "the gallery has no such column.",
    ),
]
Copies = Annotated[
    bool,
    typer.Option(
        "--copies",
        help="Look at the first 200 a second time: those that show the query's very picture, turned, cut or mirrored, "
        "come first.",
    ),
]
Turned = Annotated[
    bool,
    typer.Option(
        "--turned",
        help="Try the query upright, on either side and upside down, and keep the turn that looks most like the "
        "gallery; done anyway for a query that looks like nothing in it.",
    ),
]
Objects = Annotated[
    bool,
    typer.Option(
        "--objects", help="Search with each of up to five objects that stand out in the picture, and group the results."
    ),
]
WithParts = Annotated[
    bool,
    typer.Option("--parts", help="Embed regions of each picture, too, so that `search --parts` finds things in them."),
]
Parts = Annotated[
    bool,
    typer.Option("--parts", help="Search in parts of pictures, too; needs a gallery that was indexed with --parts."),
]
ExcludeQuery = Annotated[
    bool, typer.Option("--exclude-query", help="Leave out pictures with the same file content as the query.")
]
AccuracyName = Annotated[Accuracy, typer.Option(help="Accuracy of an approximate index: higher is slower.")]
SearchPrecision = Annotated[
    float | None,
    typer.Option(min=0.5, max=0.999, help="Warn if the best result is less likely right than this, such as 0.95."),
]


def given_path(text: str) -> Path:
    """A path that was given; raises PathError for an empty one, which would be the current folder."""
    if not text:
        raise PathError(EMPTY_PATH)
    return Path(text)


Queries = Annotated[
    Path | None,
    typer.Option(
        "--queries",
        parser=given_path,
        metavar="<path>",
        help="Search with each of many pictures: a folder or zip of them, or a CSV or Parquet file with a column path, "
        "url or, in a CSV, item, for ids of the gallery.",
    ),
]
AnswersFile = Annotated[
    Path | None,
    typer.Option("--out", help="Write the results of each query to this file: .parquet, .csv, or .jsonl."),
]
Explain = Annotated[
    bool, typer.Option("--explain", help="Show the regions that make results similar, on the sheet or in JSON.")
]

"""What requests are answered; keys are those of the command line, and may become more."""

from typing import Any, Literal

from pydantic import BaseModel, ConfigDict

from similarity.api.problems import Problem


class Open(BaseModel):
    """An answer that may have further keys."""

    model_config = ConfigDict(extra="allow")


class GalleryFacts(Open):
    """A gallery, as `list --json` has it, with its state, which changes with every change of the gallery."""

    gallery: str
    model: str
    count: int
    created: str
    state: str


class Galleries(BaseModel):
    """The galleries that can be searched."""

    galleries: list[GalleryFacts]


class HitFacts(Open):
    """A hit, as `search --json` has it."""

    rank: int
    score: float
    id: str
    path: str
    label: str | None
    probability: float | None


class ObjectFacts(BaseModel):
    """An object in the query, with the hits of a search with it."""

    box: list[float]
    hits: list[HitFacts]


class SearchFacts(Open):
    """The answer to a search, as `search --json` has it."""

    query: str
    gallery: str
    model: str
    took_ms: float
    belongs: float | None
    verdict: str | None
    hits: list[HitFacts]
    objects: list[ObjectFacts] | None = None


class GalleryHitFacts(HitFacts):
    """A hit of a search in several galleries: the gallery that has it, and others that do."""

    gallery: str
    also_in: list[str]


class LeftOutFacts(BaseModel):
    """A gallery that did not answer."""

    gallery: str
    reason: str


class GalleriesSearchFacts(Open):
    """The answer to a search in several galleries."""

    query: str
    galleries: list[str]
    left_out: list[LeftOutFacts]
    took_ms: float
    hits: list[GalleryHitFacts]


class BatchFacts(BaseModel):
    """The answers to several searches, in their order: for each what it found, or the problem with it."""

    answers: list[SearchFacts | Problem]


class ItemFacts(Open):
    """A picture of a gallery."""

    id: str
    path: str
    label: str | None
    sha256: str
    width: int
    height: int
    metadata: dict[str, str]


class Embedding(BaseModel):
    """An embedding: of unit length, neither projected nor refined."""

    model: str
    dim: int
    embedding: list[float]


class ReportFacts(Open):
    """The report of a change, as `index`, `add`, `sync` and `remove` have it with `--json`."""

    gallery: str
    model: str
    dim: int
    indexed: int
    added: int
    changed: int
    removed: int
    skipped: list[dict[str, str]]
    dry_run: bool


class ProgressFacts(BaseModel):
    """How far a job is."""

    task: str
    done: int
    total: int
    seconds: float
    unit: str


class JobFacts(Open):
    """A change in the background; `report` is there once it is done, if it has one, and `error` if it has failed."""

    number: int
    gallery: str
    task: str
    state: Literal["waiting", "running", "done", "failed", "cancelled"]
    progress: ProgressFacts | None
    error: str | None
    started: str
    ended: str | None
    report: ReportFacts | None


class JobList(BaseModel):
    """The jobs on galleries that the caller may search, oldest first; ended ones for some time."""

    jobs: list[JobFacts]


class JobStarted(BaseModel):
    """The job that a request has started."""

    job: JobFacts


Json = dict[str, Any]

"""The end of a run: the next generation is written, unless nothing has changed, and what is not needed is deleted."""

from similarity.indexing.known import Known
from similarity.indexing.run import Base, Run
from similarity.progress import OnProgress
from similarity.storage.generations import Generation
from similarity.storage.manifest import Report
from similarity.storage.writing import write_generation


def finish(run: Run, before: Generation, progress: OnProgress | None = None) -> Report:
    """Finish a run that has nothing to embed."""
    report = write(run, before, Known(before, None), progress)
    run.clear_up()
    return report


def write(run: Run, before: Generation, known: Known, progress: OnProgress | None) -> Report:
    """Write the next generation, unless nothing has changed."""
    report = run.report()
    draft = run.draft(report, Base.of(before), known)
    if not run.is_unchanged(draft):
        write_generation(run.directory, draft, progress)
    return report

"""The report of a change as JSON, for the command line and the API; its keys are a contract."""

from typing import Any

from similarity.storage.manifest import Manifest, Report


def report_facts(report: Report, gallery: str, manifest: Manifest, *, dry_run: bool = False) -> dict[str, Any]:
    """Return the report of a change, or of a preview of one.

    Args:
        gallery: the gallery's name.
        manifest: that of the gallery after the change, or as it is if there was only a preview.
        dry_run: whether it was only a preview.
    """
    facts = {
        "gallery": gallery,
        "model": manifest.model,
        "dim": manifest.dim,
        "indexed": manifest.count + manifest.duplicates,
        "skipped": [{"path": file.path, "reason": file.reason} for file in report.skipped],
        "seconds": report.seconds,
        "images_per_second": report.images_per_second,
        "view": manifest.view,
        "recipe": manifest.recipe,
        "refinement": manifest.refinement,
        "parts": manifest.parts,
        "notes": report.notes,
    }
    facts |= report.counts | {"duplicates": manifest.duplicates, "dry_run": dry_run}
    return facts | {"passed_over": report.passed_over}

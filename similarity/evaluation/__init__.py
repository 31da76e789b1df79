"""Evaluation of galleries: metrics on their own or on other pictures, comparisons, and reports.

`evaluate` compares every query with every picture and returns an `Evaluation`; `compare` tests whether one gallery is
significantly better than another; `render_report` makes a page of an evaluation; `calibrate` fits the confidence in a
gallery's hits.
"""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.evaluation.comparison import Comparison, compare
    from similarity.evaluation.findings import Estimate
    from similarity.evaluation.gallery_calibration import calibrate
    from similarity.evaluation.protocol import evaluate
    from similarity.evaluation.report.page import render_report
    from similarity.evaluation.results import Evaluation
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "Comparison": "similarity.evaluation.comparison",
            "Estimate": "similarity.evaluation.findings",
            "Evaluation": "similarity.evaluation.results",
            "calibrate": "similarity.evaluation.gallery_calibration",
            "compare": "similarity.evaluation.comparison",
            "evaluate": "similarity.evaluation.protocol",
            "render_report": "similarity.evaluation.report.page",
        },
    )

__all__ = ["Comparison", "Estimate", "Evaluation", "calibrate", "compare", "evaluate", "render_report"]

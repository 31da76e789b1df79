"""Evaluation of galleries: metrics on their own or on other pictures, comparisons, and reports.

`evaluate` compares every query with every picture and returns an `Evaluation`; `compare` tests whether one gallery is
significantly better than another; `render_report` makes a page of an evaluation; `calibrate` fits the confidence in a
gallery's hits.
"""

from similarity.evaluation.calibrate import calibrate
from similarity.evaluation.comparison import Comparison, compare
from similarity.evaluation.findings import Estimate
from similarity.evaluation.protocol import evaluate
from similarity.evaluation.report.page import render_report
from similarity.evaluation.results import Evaluation

__all__ = ["Comparison", "Estimate", "Evaluation", "calibrate", "compare", "evaluate", "render_report"]

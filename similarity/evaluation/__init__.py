"""How well a gallery answers: metrics on a gallery or on other pictures, two of them compared, and a report.

`evaluate` compares every query with every picture and gives an `Evaluation`; `compare` says whether one gallery answers
better than another, or whether that cannot be told; `render_report` makes a page of an evaluation; `calibrate` learns
how sure a gallery's hits are.
"""

from similarity.evaluation.calibrate import calibrate
from similarity.evaluation.comparison import Comparison, compare
from similarity.evaluation.findings import Estimate
from similarity.evaluation.protocol import evaluate
from similarity.evaluation.report.page import render_report
from similarity.evaluation.results import Evaluation

__all__ = ["Comparison", "Estimate", "Evaluation", "calibrate", "compare", "evaluate", "render_report"]

"""How many machines, hours and bytes so many pictures take: arithmetic on measured rates, no measuring.

rates   what was measured, where and with which command, and the laws that lead from there to other sizes
sizes   bytes on the disk and in memory, which follow from the formats
plan    all of it for one wish
check   a plan against what `bench` measures, figure by figure
"""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.bench.capacity.plan import Machine, Plan, Wish, make_plan
    from similarity.bench.capacity.rates import REFERENCE, Rates
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "REFERENCE": "similarity.bench.capacity.rates",
            "Machine": "similarity.bench.capacity.plan",
            "Plan": "similarity.bench.capacity.plan",
            "Rates": "similarity.bench.capacity.rates",
            "Wish": "similarity.bench.capacity.plan",
            "make_plan": "similarity.bench.capacity.plan",
        },
    )

__all__ = ["REFERENCE", "Machine", "Plan", "Rates", "Wish", "make_plan"]

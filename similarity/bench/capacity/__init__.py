"""Capacity planning: machines, hours and bytes for a number of pictures, computed from measured rates.

wish          pictures, queries a second, and the kind of machine
rates         the measurements, with machine and command, and their scaling to other sizes
milvus_rates  those of a Milvus server
sizes         bytes on disk and in memory, which follow from the formats
plan          the plan for a workload
assumptions   what it rests on, and what was never measured
check         a plan compared with measurements of `bench`, figure by figure
"""

from typing import TYPE_CHECKING

from similarity.lazy import public_names

if TYPE_CHECKING:
    from similarity.bench.capacity.plan import Plan, make_plan
    from similarity.bench.capacity.rates import REFERENCE, Rates
    from similarity.bench.capacity.wish import Machine, Wish
else:
    __getattr__, __dir__ = public_names(
        __name__,
        {
            "REFERENCE": "similarity.bench.capacity.rates",
            "Machine": "similarity.bench.capacity.wish",
            "Plan": "similarity.bench.capacity.plan",
            "Rates": "similarity.bench.capacity.rates",
            "Wish": "similarity.bench.capacity.wish",
            "make_plan": "similarity.bench.capacity.plan",
        },
    )

__all__ = ["REFERENCE", "Machine", "Plan", "Rates", "Wish", "make_plan"]

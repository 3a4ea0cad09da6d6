# SPDX-License-Identifier: Apache-2.0
"""`carnot plan`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, call
from .._document import Document


def plan(problem: Optional[Value] = None, *, solver: Optional[Value] = None,
         out: Optional[Value] = None, generate: Optional[Value] = None,
         data: Optional[Value] = None, check: Optional[Value] = None,
         seed: Optional[Value] = None, threads: Optional[Value] = None,
         time_limit: Optional[Value] = None, pareto: Optional[Value] = None,
         require_all: bool = False, iterations: Optional[Value] = None,
         block_jobs: Optional[Value] = None, progress: Progress = None) -> Document:
    """Which job runs where, when and in which mode, with a proven bound.

    problem: problem.json; docs/formats/plan.md
    solver: exact (default for few jobs), large (default for many), columns (default for
        problems beyond the contract) or blocks (default for several ranks; for millions of
        jobs)
    out: The plan (default: plan.json; its assignments beside it in .csv); the folder of
        --generate
    generate: Make a random problem: jobs=J,sites=S,slots=T,modes=M,seed=N
    data: Folder of hourly site tables for --generate
    check: Recompute a plan from its files; exit 1 if it does not hold
    seed: Of the search (default: 1)
    threads: Default: all CPUs; the plan is the same
    time_limit: Seconds; ends with the best there is, then not reproducible
    pareto: What less carbon and better quality cost: plans at so many carbon prices
    require_all: No job may be dropped; if that cannot be, says why and exits with 1
    iterations: Of the prices (default: by size)
    block_jobs: Jobs of a block of the solver blocks (default: 15 for each site and slot, at
        least 20,000)
    progress: called with a line now and then; False ends the work.
    """
    return call("plan", ("problem",), {"problem": problem, "solver": solver, "out": out,
                "generate": generate, "data": data, "check": check, "seed": seed,
                "threads": threads, "time-limit": time_limit, "pareto": pareto,
                "require-all": require_all, "iterations": iterations, "block-jobs": block_jobs},
                progress)

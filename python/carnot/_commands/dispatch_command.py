# SPDX-License-Identifier: Apache-2.0
"""`carnot dispatch`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, call
from .._document import Document


def dispatch(config: Optional[Value] = None, *, dry_run: bool = False,
             once: bool = False, release: bool = False, why: Optional[Value] = None,
             allow_root: bool = False, progress: Progress = None) -> Document:
    """Slurm clusters under a policy or a plan: when and where their jobs run.

    config: CONFIG.toml: sites, power and prices, policy, jobs
    dry_run: Prints every command with its reason and gives none
    once: Looks, orders and ends, as for a timer
    release: Takes back begin times, suspensions and reservations, and ends
    why: What was ordered for a job, and why
    allow_root: Works as root, which is else refused
    progress: called with a line now and then; False ends the work.
    """
    return call("dispatch", ("config",), {"config": config, "dry-run": dry_run, "once": once,
                "release": release, "why": why, "allow-root": allow_root}, progress)

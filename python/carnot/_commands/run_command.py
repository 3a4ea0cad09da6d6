# SPDX-License-Identifier: Apache-2.0
"""`carnot run`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


def run(scenario: Optional[Value] = None, *, policy: Optional[Values] = None,
        precisions: Optional[Values] = None, set: Optional[Values] = None,
        seed: Optional[Value] = None, data_dir: Optional[Value] = None,
        out: Optional[Value] = None, force: bool = False,
        html: Optional[Value] = None, resume: Optional[Value] = None,
        speed: Optional[Value] = None, threads: Optional[Value] = None,
        sites: Optional[Value] = None, starts: Optional[Value] = None,
        every: Optional[Value] = None, progress: Progress = None) -> Document:
    """Train on the power there is: run a scenario under policies, side by side; or keep a command
    within a power profile: run --follow PROFILE -- COMMAND.

    scenario: Scenario file (TOML); docs/formats/scenario.md
    policy: Policies: grid-f32, pause-resume, fixed:MODE, paper, cpt, pfq, adaptive, oracle
        (default: the scenario's)
    precisions: Modes of the job (default: f32,bf16,int8,int4)
    set: Override a key of the scenario, such as work.epochs=2
    seed: Override the scenario's seed
    data_dir: Where relative data paths are looked up first
    out: Write the ledger's journal here
    force: Replace the journal if it exists
    html: Write the report page here
    resume: Go on with an interrupted run's journal
    speed: Live on a wall clock: site seconds in a real second
    threads: Threads of the learner
    sites: One model trained at several sites, when their power is clean: a file as in
        docs/formats/sites.md
    starts: With --sites: the same task from so many starts, without training
    every: Hours between starts (default 24)
    progress: called with a line now and then; False ends the work.
    """
    return call("run", ("scenario",), {"scenario": scenario, "policy": policy,
                "precisions": precisions, "set": set, "seed": seed, "data-dir": data_dir,
                "out": out, "force": force, "html": html, "resume": resume, "speed": speed,
                "threads": threads, "sites": sites, "starts": starts, "every": every}, progress)

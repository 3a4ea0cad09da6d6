# SPDX-License-Identifier: Apache-2.0
"""`carnot scaling`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


def scaling(file: Value, *, effort: Optional[Value] = None,
            error: Optional[Value] = None, target: Optional[Values] = None,
            flop: Optional[Values] = None, resamples: Optional[Value] = None,
            seed: Optional[Value] = None, progress: Progress = None) -> Document:
    """What half the error takes: a law fitted to your points, with its interval.

    file: CSV: two columns, effort and error; or columns parameters, tokens, loss
    effort: Column of FLOP, joules, hours ...
    error: Column of the error; default `error`
    target: An error to be reached; again for more
    flop: Compute whose best tokens a parameter are asked; again for more
    resamples: Refits behind the intervals; 1000, or 500
    seed: Of the resamples; default 1
    progress: called with a line now and then; False ends the work.
    """
    return call("scaling", ("file",), {"file": file, "effort": effort, "error": error,
                "target": target, "flop": flop, "resamples": resamples, "seed": seed}, progress)

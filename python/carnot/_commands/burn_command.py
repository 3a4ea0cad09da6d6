# SPDX-License-Identifier: Apache-2.0
"""`carnot burn`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, call
from .._document import Document


def burn(*, threads: Optional[Value] = None, share: Optional[Value] = None,
         for_: Optional[Value] = None, units: Optional[Value] = None,
         progress: Progress = None) -> Document:
    """A load of known size, for measuring meters.

    threads: Threads; default: one a CPU
    share: Share of the time that is computed, 0 to 1
    for_: How long, such as '2 s'
    units: How much: units of 2^20 multiply-adds
    progress: called with a line now and then; False ends the work.
    """
    return call("burn", (), {"threads": threads, "share": share, "for": for_, "units": units},
                progress)

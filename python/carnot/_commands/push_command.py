# SPDX-License-Identifier: Apache-2.0
"""`carnot push`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


def push(journals: Values, *, to: Optional[Value] = None,
         machine: Optional[Value] = None, replace: bool = False,
         progress: Progress = None) -> Document:
    """Bring journals into a ledger that many machines share: PostgreSQL or a SQLite file.

    journals: Journals, and folders of them
    to: postgresql://HOST/DATABASE, service=NAME, postgresql: (all from PG* variables), or the
        path of a SQLite file; default: the variable CARNOT_LEDGER. Passwords: ~/.pgpass or
        PGPASSFILE
    machine: Name recorded with new journals (default: this host's)
    replace: Where the ledger has other entries from another machine, take these instead
    progress: called with a line now and then; False ends the work.
    """
    return call("push", ("journals",), {"journals": journals, "to": to, "machine": machine,
                "replace": replace}, progress)

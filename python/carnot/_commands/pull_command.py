# SPDX-License-Identifier: Apache-2.0
"""`carnot pull`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


def pull(journals: Optional[Values] = None, *, from_: Optional[Value] = None,
         out: Optional[Value] = None, sql: Optional[Value] = None,
         progress: Progress = None) -> Document:
    """List the journals of a shared ledger, fetch some of them, or ask it a question.

    journals: Ids, or how they begin; none: list all
    from_: postgresql://HOST/DATABASE, service=NAME, postgresql: (all from PG* variables), or
        the path of a SQLite file; default: the variable CARNOT_LEDGER. Passwords: ~/.pgpass or
        PGPASSFILE
    out: Folder for what is fetched (default: this one)
    sql: Print the answer to one SELECT, tab-separated
    progress: called with a line now and then; False ends the work.
    """
    return call("pull", ("journals",), {"journals": journals, "from": from_, "out": out,
                "sql": sql}, progress)

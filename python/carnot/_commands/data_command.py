# SPDX-License-Identifier: Apache-2.0
"""`carnot data`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


class _Data:
    """Public data sets, and a look at files."""

    def get(self, set: Value, *, dir: Optional[Value] = None,
            mirror: Optional[Values] = None, mirrors_file: Optional[Value] = None,
            timeout: Optional[Value] = None, offline: bool = False,
            progress: Progress = None) -> Document:
        """Download a set, checked and resumable.

        set: Which, such as mnist
        dir: Folder that holds the sets
        mirror: URL prefix tried first; may be repeated
        mirrors_file: Text file of URL prefixes
        timeout: Seconds without a byte before the next mirror
        offline: Only check what is there
        progress: called with a line now and then; False ends the work.
        """
        return call("data get", ("set",), {"set": set, "dir": dir, "mirror": mirror,
                    "mirrors-file": mirrors_file, "timeout": timeout, "offline": offline},
                    progress)

    def look(self, file: Value, *, time_column: Optional[Value] = None,
             time_format: Optional[Value] = None, zone: Optional[Value] = None,
             times: Optional[Value] = None, decimal: Optional[Value] = None,
             skip_rows: Optional[Value] = None, progress: Progress = None) -> Document:
        """Show what the reader of series understands of a CSV file.

        file: Power, price, carbon or weather over time
        time_column: Column of the times
        time_format: Such as %d.%m.%Y %H:%M
        zone: Of times that state none: Z, +01:00 or Europe/Berlin
        times: What times mark: starts or ends
        decimal: The decimal sign: . or ,
        skip_rows: Lines above the header
        progress: called with a line now and then; False ends the work.
        """
        return call("data look", ("file",), {"file": file, "time-column": time_column,
                    "time-format": time_format, "zone": zone, "times": times, "decimal": decimal,
                    "skip-rows": skip_rows}, progress)


data = _Data()

# SPDX-License-Identifier: Apache-2.0
"""`carnot decode`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, call
from .._document import Document


def decode(input: Value, *, output: Optional[Value] = None,
           inputs: Optional[Value] = None, chip: Optional[Value] = None,
           energy_table: Optional[Value] = None, force: bool = False,
           progress: Progress = None) -> Document:
    """Unpack what `carnot encode` wrote, to the bit.

    input: The coded file; - for standard input
    output: Default: the input's name without .carnot
    inputs: The rows whose labels the file holds: unpacks what `learn two-part` or `learn
        prequential` wrote with --message, a label a line (default output: standard output)
    chip: The chip of the catalogue whose operations are priced, such as h200-sxm (default:
        asic-45nm)
    energy_table: CSV of joules per operation instead; docs/formats/energy-table.md
    force: Replace an output file that is there
    progress: called with a line now and then; False ends the work.
    """
    return call("decode", ("input",), {"input": input, "output": output, "inputs": inputs,
                "chip": chip, "energy-table": energy_table, "force": force}, progress)

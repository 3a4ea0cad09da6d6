# SPDX-License-Identifier: Apache-2.0
"""`carnot encode`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, call
from .._document import Document


def encode(input: Value, *, output: Optional[Value] = None,
           contexts: Optional[Value] = None, table_bits: Optional[Value] = None,
           weight_bits: Optional[Value] = None, counter_bits: Optional[Value] = None,
           always_learn: bool = False, compare: bool = False,
           chip: Optional[Value] = None, energy_table: Optional[Value] = None,
           force: bool = False, progress: Progress = None) -> Document:
    """Code any file as what a learner of bytes cannot foretell; bits and joules of it.

    input: The file; - for standard input
    output: Default: the input's name and .carnot
    contexts: What the learner looks at: all, none, or some of
        o1,o2,o3,o4,o5,o6,o8,word,words,skip,line,match (default: all)
    table_bits: Slots of a context's table are 2^this, 8 to 20 (default: by the size)
    weight_bits: Of a mixing weight, 4 to 20 (default: 20)
    counter_bits: Of a probability, 6 to 16 (default: 16)
    always_learn: Go on learning where nothing was learned (default: store and look again)
    compare: Also run gzip, bzip2, zstd and xz, where installed
    chip: The chip of the catalogue whose operations are priced, such as h200-sxm (default:
        asic-45nm)
    energy_table: CSV of joules per operation instead; docs/formats/energy-table.md
    force: Replace an output file that is there
    progress: called with a line now and then; False ends the work.
    """
    return call("encode", ("input",), {"input": input, "output": output, "contexts": contexts,
                "table-bits": table_bits, "weight-bits": weight_bits, "counter-bits": counter_bits,
                "always-learn": always_learn, "compare": compare, "chip": chip,
                "energy-table": energy_table, "force": force}, progress)

# SPDX-License-Identifier: Apache-2.0
"""`carnot limits`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, call
from .._document import Document


def limits(*, temperature: Optional[Value] = None, bits: Optional[Value] = None,
           map: Optional[Value] = None, input: Optional[Value] = None,
           design: Optional[Value] = None, work: Optional[Value] = None,
           progress: Progress = None) -> Document:
    """What physics asks at least, and what is taken today.

    temperature: Temperature, such as '300 K' or '20 degC'
    bits: Bits erased
    map: One map of states instead of all: erase, identity, not, copy, and, or, xor, nand,
        half_adder, randomise
    input: Distribution of the map's inputs, such as 0.9,0.1; default: uniform
    design: The one the machine was built for; default: the input's
    work: BEFORE,AFTER: code lengths of data in bits, before and after learning
    progress: called with a line now and then; False ends the work.
    """
    return call("limits", (), {"temperature": temperature, "bits": bits, "map": map,
                "input": input, "design": design, "work": work}, progress)

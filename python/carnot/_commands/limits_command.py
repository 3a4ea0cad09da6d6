# SPDX-License-Identifier: Apache-2.0
"""`carnot limits`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, call
from .._document import Document


def limits(*, temperature: Optional[Value] = None, bits: Optional[Value] = None,
           progress: Progress = None) -> Document:
    """What physics asks at least.

    temperature: Temperature, such as '300 K' or '20 degC'
    bits: Bits erased
    progress: called with a line now and then; False ends the work.
    """
    return call("limits", (), {"temperature": temperature, "bits": bits}, progress)

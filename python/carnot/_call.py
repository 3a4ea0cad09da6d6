# SPDX-License-Identifier: Apache-2.0
"""How a call of a command becomes its words, and what it printed a document."""
import json
import os
from typing import Any, Callable, Dict, List, Optional, Sequence, Tuple, Union

from ._document import Document
from ._errors import Stopped
from ._native import core

Value = Union[str, int, float, "os.PathLike[str]"]
Values = Union[Value, Sequence[Value]]
Progress = Optional[Callable[[str], Optional[bool]]]

_INTERRUPTED = 130


def call(words: str, positional: Sequence[str], options: Dict[str, Any], progress: Progress,
         job: Sequence[Value] = ()) -> Document:
    """Runs a command. `options` by their names on the command line; None and False are left out.

    The document has the command's words as the command line would have them.
    """
    line: List[bytes] = [word.encode() for word in words.split()]
    for name in positional:
        for value in _several(options[name]):
            line.append(_word(value))
    for name, given in options.items():
        if name in positional or given is None or _is(given, False):
            continue
        flag = b"--" + name.encode()
        for value in [True] if _is(given, True) else _several(given):
            if value is True:
                line.append(flag)
                continue
            word = _word(value)
            # A value that begins with a dash would be taken for a flag.
            line += [flag + b"=" + word] if word.startswith(b"-") else [flag, word]
    line.append(b"--json")
    if job:
        line.append(b"--")
        line += [_word(value) for value in job]
    code, out, files, said = core().run(line, line, progress, True)
    if code == _INTERRUPTED and not out:
        raise Stopped("; ".join(said) or "stopped")
    if not out.lstrip().startswith(("{", "[")):  # a list for people: a document of its text
        out = json.dumps({"text": out}, indent=2) + "\n"
    return Document(out, code, said, files)


def _is(given: Any, truth: bool) -> bool:
    """Whether it is this truth value, of Python or of NumPy."""
    return type(given).__name__ in ("bool", "bool_") and bool(given) == truth


def _several(given: Any) -> Tuple[Any, ...]:
    if given is None:
        return ()
    if isinstance(given, (str, bytes, os.PathLike)) or not hasattr(given, "__iter__"):
        return (given,)
    return tuple(given)


def _word(value: Any) -> bytes:
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        value = int(value)
    if isinstance(value, (str, os.PathLike)):
        return os.fsencode(value)
    if isinstance(value, bytes):
        return value
    # float(): NumPy's own repr() is "np.float64(0.25)".
    return (repr(float(value)) if isinstance(value, float) else str(value)).encode()

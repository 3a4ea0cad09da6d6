# SPDX-License-Identifier: Apache-2.0
"""`carnot catalogue`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


class _Catalogue:
    """Chips, energies and grids that explain stands on, with source and grade."""

    def list(self, *, add: Optional[Values] = None, kind: Optional[Value] = None,
             progress: Progress = None) -> Document:
        """All of a kind.

        add: CSV or TOML of chips of your own; again for more
        kind: chips (default), energy, memories, links, networks, pue, technologies, training or
            grids
        progress: called with a line now and then; False ends the work.
        """
        return call("catalogue list", (), {"add": add, "kind": kind}, progress)

    def show(self, chip: Value, *, add: Optional[Values] = None,
             progress: Progress = None) -> Document:
        """A chip's values.

        add: CSV or TOML of chips of your own; again for more
        chip: Id or name
        progress: called with a line now and then; False ends the work.
        """
        return call("catalogue show", ("chip",), {"add": add, "chip": chip}, progress)

    def diff(self, chips: Values, *, add: Optional[Values] = None,
             progress: Progress = None) -> Document:
        """Where two chips differ.

        add: CSV or TOML of chips of your own; again for more
        chips: Two ids or names
        progress: called with a line now and then; False ends the work.
        """
        return call("catalogue diff", ("chips",), {"add": add, "chips": chips}, progress)

    def lint(self, *, add: Optional[Values] = None, progress: Progress = None) -> Document:
        """What contradicts itself or physics; ends with 1 if anything does.

        add: CSV or TOML of chips of your own; again for more
        progress: called with a line now and then; False ends the work.
        """
        return call("catalogue lint", (), {"add": add}, progress)


catalogue = _Catalogue()

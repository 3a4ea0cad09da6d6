# SPDX-License-Identifier: Apache-2.0
"""A measurement in a notebook."""
from typing import Any, List, Tuple

from ._errors import Error
from ._estimate import Energy, _escaped


def measurement_html(m: Any) -> str:
    """A table of its figures, each with a bar of its interval on one scale."""
    try:
        rows: List[Tuple[str, Energy]] = [("this process", m.energy), ("machine", m.machine_energy)]
        rows += [(f"machine: {domain}", energy) for domain, energy in m.by_domain.items()]
        caption = f"{m.duration_s:.4g} s, {m.cpu_s:.4g} s of CPU time"
    except Error as error:
        return f"<p><b>{_escaped(m.label)}</b>: {_escaped(str(error))}</p>"
    most = max((energy.high for _, energy in rows), default=0.0) or 1.0
    body = "".join(f"<tr><th style='text-align:left'>{_escaped(name)}</th>"
                   f"<td>{energy._repr_html_()}</td><td>{_bar(energy, most)}</td></tr>"
                   for name, energy in rows)
    return (f"<table><caption><b>{_escaped(m.label) or 'measurement'}</b>: {caption}</caption>"
            f"{body}</table>")


def _bar(energy: Energy, most: float) -> str:
    def at(value: float) -> float:
        return 200 * max(0.0, value) / most

    return ("<svg xmlns='http://www.w3.org/2000/svg' width='204' height='14' role='img' "
            f"aria-label='{energy.low:.3g} to {energy.high:.3g} J'>"
            f"<rect x='2' y='3' width='{at(energy.value):.1f}' height='8' fill='#0072b2' "
            "fill-opacity='.45'/>"
            f"<line x1='{2 + at(energy.low):.1f}' x2='{2 + at(energy.high):.1f}' y1='7' y2='7' "
            "stroke='currentColor' stroke-width='2'/></svg>")

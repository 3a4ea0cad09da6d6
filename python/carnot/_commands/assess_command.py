# SPDX-License-Identifier: Apache-2.0
"""`carnot assess`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


def assess(folder: Value, *, html: Optional[Value] = None,
           role: Optional[Value] = None, location: Optional[Value] = None,
           pue: Optional[Value] = None, budget: Optional[Value] = None,
           functional_units: Optional[Values] = None,
           market_based: Optional[Value] = None, offsets: Optional[Value] = None,
           revenue: Optional[Value] = None, progress: Progress = None) -> Document:
    """Where an organisation stands, from a folder of bills, jobs, meters and usage.

    folder: Bills (FOCUS, AWS, Azure, Google), sacct -P, Prometheus ranges, server lists, meter
        readings, model usage, emissions.csv, journals; known by what they hold
    html: Writes a page
    role: Of the machines that are not a cloud's: owner (default), tenant of a hall, cloud-user
    location: Of what has no place of its own, such as DE or US-CA; default the world's range
    pue: Of own halls, from 1 on; default the range of ordinary halls
    budget: EUR to spend once on actions; default no limit
    functional_units: NAME=COUNT, R of the SCI score, such as requests=1e6
    market_based: g CO2e a kWh by contracts, for scope 2 market-based
    offsets: Tonnes bought; stated apart, never subtracted
    revenue: Million EUR, for emissions over revenue
    progress: called with a line now and then; False ends the work.
    """
    return call("assess", ("folder",), {"folder": folder, "html": html, "role": role,
                "location": location, "pue": pue, "budget": budget,
                "functional-units": functional_units, "market-based": market_based,
                "offsets": offsets, "revenue": revenue}, progress)

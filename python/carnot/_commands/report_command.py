# SPDX-License-Identifier: Apache-2.0
"""`carnot report`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


def report(file: Value, *, html: Optional[Value] = None, csv: Optional[Value] = None,
           store: Optional[Value] = None, sql: Optional[Value] = None,
           series: bool = False, codecarbon: Optional[Value] = None,
           location: Optional[Value] = None, pue: Optional[Value] = None,
           carbon_intensity: Optional[Value] = None,
           carbon_trace: Optional[Value] = None, price: Optional[Value] = None,
           machine: Optional[Value] = None, machine_share: Optional[Value] = None,
           units: Optional[Value] = None, unit: Optional[Value] = None,
           problem: Optional[Value] = None, server_cost: Optional[Values] = None,
           server_carbon: Optional[Values] = None, own_cost: Optional[Values] = None,
           work_per_kwh: Optional[Values] = None, work_unit: Optional[Value] = None,
           lifetime: Optional[Value] = None, rate: Optional[Value] = None,
           progress: Progress = None) -> Document:
    """Rebuild any report of a run, a measurement or a plan from its file.

    file: Journal of `carnot run` or `carnot measure`, a plan of `carnot plan`, or an
        emissions.csv of CodeCarbon
    html: Write the report page here
    csv: Write every slot, or every interval, as CSV here
    store: Load the run into this SQLite file
    sql: Answer a question, such as 'select * from lane_totals'
    series: Of a measurement: every interval in the JSON, too
    codecarbon: Of a measurement: write a row under CodeCarbon's columns here
    location: Country, US state or grid region of the machine, such as DE or US-CA
    pue: Facility energy over machine energy, from 1 on
    carbon_intensity: g CO2e a kWh, in place of the location's
    carbon_trace: CSV of time and g CO2e a kWh, in place of a mean
    price: EUR a kWh, in place of the location's
    machine: What making it emitted: server, workstation, laptop, an accelerator's name
    machine_share: Share of the machine that is yours
    units: Functional units done, for the SCI score
    unit: Name of the functional unit, such as epoch
    problem: Of a plan: its problem, in place of the one it names
    server_cost: Of a plan: EUR for a kW of IT capacity, assumed, for levelised cost
    server_carbon: Of a plan: kg CO2e of making a kW of IT capacity, assumed
    own_cost: Of a plan: EUR a kWh of own power, assumed (default: it would go unused)
    work_per_kwh: Of a plan: work done with a kWh of IT energy, assumed
    work_unit: Unit of that work (default: unit)
    lifetime: Of servers, years (default: 5)
    rate: Of interest, real, a year (default: 0.05)
    progress: called with a line now and then; False ends the work.
    """
    return call("report", ("file",), {"file": file, "html": html, "csv": csv, "store": store,
                "sql": sql, "series": series, "codecarbon": codecarbon, "location": location,
                "pue": pue, "carbon-intensity": carbon_intensity, "carbon-trace": carbon_trace,
                "price": price, "machine": machine, "machine-share": machine_share, "units": units,
                "unit": unit, "problem": problem, "server-cost": server_cost,
                "server-carbon": server_carbon, "own-cost": own_cost, "work-per-kwh": work_per_kwh,
                "work-unit": work_unit, "lifetime": lifetime, "rate": rate}, progress)

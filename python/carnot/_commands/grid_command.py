# SPDX-License-Identifier: Apache-2.0
"""`carnot grid`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


class _Grid:
    """Power flow and its optimum over a transmission grid."""

    def flow(self, case: Value, *, branches: Optional[Value] = None,
             hour: Optional[Value] = None, time: Optional[Value] = None,
             progress: Progress = None) -> Document:
        """What the wires carry at the dispatch of the file.

        case: MATPOWER case (.m) or folder of RTS-GMLC
        branches: Susceptance of a branch: resistance, x/(r^2+x^2), or tap, 1/(x tap) with phase
            shift; default tap
        hour: Hour of the folder's year, from 0
        time: The same as a time, such as 2020-07-10T12:00
        progress: called with a line now and then; False ends the work.
        """
        return call("grid flow", ("case",), {"case": case, "branches": branches, "hour": hour,
                    "time": time}, progress)

    def opf(self, case: Value, *, branches: Optional[Value] = None,
            hour: Optional[Value] = None, time: Optional[Value] = None,
            losses: bool = False, dc_links: bool = False,
            shed_price: Optional[Value] = None, progress: Progress = None) -> Document:
        """The cheapest dispatch that the wires can carry.

        case: MATPOWER case (.m) or folder of RTS-GMLC
        branches: Susceptance of a branch: resistance, x/(r^2+x^2), or tap, 1/(x tap) with phase
            shift; default tap
        hour: Hour of the folder's year, from 0
        time: The same as a time, such as 2020-07-10T12:00
        losses: Count what the branches turn into heat
        dc_links: Dispatch direct-current lines too
        shed_price: Price per MWh at which demand may go unserved; default: it may not
        progress: called with a line now and then; False ends the work.
        """
        return call("grid opf", ("case",), {"case": case, "branches": branches, "hour": hour,
                    "time": time, "losses": losses, "dc-links": dc_links,
                    "shed-price": shed_price}, progress)

    def year(self, case: Value, *, branches: Optional[Value] = None,
             losses: bool = False, dc_links: bool = False,
             shed_price: Optional[Value] = None, hours: Optional[Value] = None,
             csv: Optional[Value] = None, progress: Progress = None) -> Document:
        """The cheapest dispatch of every hour of RTS-GMLC.

        case: MATPOWER case (.m) or folder of RTS-GMLC
        branches: Susceptance of a branch: resistance, x/(r^2+x^2), or tap, 1/(x tap) with phase
            shift; default resistance
        losses: Count what the branches turn into heat
        dc_links: Dispatch direct-current lines too
        shed_price: Price per MWh at which demand may go unserved; default: it may not
        hours: Only so many, from the first; default: all
        csv: Writes a row for each hour
        progress: called with a line now and then; False ends the work.
        """
        return call("grid year", ("case",), {"case": case, "branches": branches, "losses": losses,
                    "dc-links": dc_links, "shed-price": shed_price, "hours": hours, "csv": csv},
                    progress)

    def place(self, folder: Value, *, sites: Optional[Values] = None,
              utilisation: Optional[Value] = None, deferrable: Optional[Value] = None,
              movable: Optional[Value] = None, window: Optional[Value] = None,
              units_pay: Optional[Value] = None, shed_price: Optional[Value] = None,
              carbon_price: Optional[Value] = None, signals: Optional[Values] = None,
              time: Optional[Value] = None, hours: Optional[Value] = None,
              week: Optional[Value] = None, csv: Optional[Value] = None,
              progress: Progress = None) -> Document:
        """Computing on the grid: its work placed by several signals, the grid dispatched again for
        each.

        folder: Folder of RTS-GMLC
        sites: Computing sites: BUS:MW, comma-separated; default: 250 MW at each of the four buses
            with most wind and sun
        utilisation: Mean power of the work over capacity, 0 to 1; default 0.7
        deferrable: Share of the work that may run at any hour of its window; default 0
        movable: Share that may besides run at any site; default 0.7. The rest runs evenly
        window: Hours in which work that arises evenly must be done; default 24
        units_pay: What units pay for a tonne of CO2, in every variant; default 0
        shed_price: Price per MWh of demand that goes unserved; default 10000
        carbon_price: What a tonne counts in the plan joint-carbon; default 100
        signals: Only these, and what they rest on: no-computing, no-shift, average-carbon, price,
            marginal-carbon, joint-cost, joint-carbon
        time: First hour, such as 2020-07-10; default: the year's
        hours: Only so many; default: all to the end of the year
        week: Which week the document shows hour by hour, from 0; default: the one in which average-
            carbon adds most CO2
        csv: Writes a row for each variant and hour
        progress: called with a line now and then; False ends the work.
        """
        return call("grid place", ("folder",), {"folder": folder, "sites": sites,
                    "utilisation": utilisation, "deferrable": deferrable, "movable": movable,
                    "window": window, "units-pay": units_pay, "shed-price": shed_price,
                    "carbon-price": carbon_price, "signals": signals, "time": time, "hours": hours,
                    "week": week, "csv": csv}, progress)

    def farm(self, folder: Value, *, bus: Optional[Value] = None,
             shape: Optional[Value] = None, sizes: Optional[Values] = None,
             sites: Optional[Values] = None, utilisation: Optional[Value] = None,
             deferrable: Optional[Value] = None, movable: Optional[Value] = None,
             window: Optional[Value] = None, units_pay: Optional[Value] = None,
             shed_price: Optional[Value] = None, carbon_price: Optional[Value] = None,
             signals: Optional[Values] = None, capital: Optional[Value] = None,
             upkeep: Optional[Value] = None, lifetime: Optional[Value] = None,
             interest: Optional[Value] = None, time: Optional[Value] = None,
             hours: Optional[Value] = None, progress: Progress = None) -> Document:
        """What a new wind farm is worth behind the lines there are, with computing and without.

        folder: Folder of RTS-GMLC
        bus: Where the farm is; default: at the greatest one there is
        shape: Generator whose hours it has, scaled by installed power; default: the greatest of
            wind and sun at the bus
        sizes: MW, comma-separated; default 250,500,1000,2000
        sites: Computing sites: BUS:MW, comma-separated; default: 250 MW at each of the four buses
            with most wind and sun
        utilisation: Mean power of the work over capacity, 0 to 1; default 0.7
        deferrable: Share of the work that may run at any hour of its window; default 0
        movable: Share that may besides run at any site; default 0.7. The rest runs evenly
        window: Hours in which work that arises evenly must be done; default 24
        units_pay: What units pay for a tonne of CO2, in every variant; default 0
        shed_price: Price per MWh of demand that goes unserved; default 10000
        carbon_price: What a tonne counts in the plan joint-carbon; default 100
        signals: How computing runs; default no-computing, no-shift, joint-cost
        capital: Cost of the farm per kW; default 1500
        upkeep: Per kW and year; default 40
        lifetime: Years; default 25
        interest: Real, a year; default 0.07
        time: First hour, such as 2020-07-10; default: the year's
        hours: Only so many; default: all to the end of the year
        progress: called with a line now and then; False ends the work.
        """
        return call("grid farm", ("folder",), {"folder": folder, "bus": bus, "shape": shape,
                    "sizes": sizes, "sites": sites, "utilisation": utilisation,
                    "deferrable": deferrable, "movable": movable, "window": window,
                    "units-pay": units_pay, "shed-price": shed_price, "carbon-price": carbon_price,
                    "signals": signals, "capital": capital, "upkeep": upkeep, "lifetime": lifetime,
                    "interest": interest, "time": time, "hours": hours}, progress)

    def stranded(self, *, rts: Optional[Value] = None, buses: Optional[Values] = None,
                 prices: Optional[Value] = None, zones: Optional[Values] = None,
                 gb: Optional[Value] = None, price: Optional[Values] = None,
                 least: Optional[Value] = None, nodes: Optional[Value] = None,
                 load: Optional[Value] = None, seed: Optional[Value] = None,
                 progress: Progress = None) -> Document:
        """When power is stranded, for how long, and what batch jobs gain from it.

        rts: Folder of RTS-GMLC: its price and curtailment at buses
        buses: Which, comma-separated; default: the four with most wind and sun
        prices: Hourly site table of prices in USD/MWh, column `utc` and one a zone
        zones: Which of them; default AU-VIC,DE-LU
        gb: Great Britain's wind, planned and curtailed, by 15 minutes
        price: Power is stranded at such a price per MWh or below; default 0,5
        least: MW of curtailed power that count; default 20
        nodes: Of the base machine, and as many on stranded power; default 128
        load: Jobs, as a share of what the base machine can do; default 0.9
        seed: Of the jobs; default 1
        progress: called with a line now and then; False ends the work.
        """
        return call("grid stranded", (), {"rts": rts, "buses": buses, "prices": prices,
                    "zones": zones, "gb": gb, "price": price, "least": least, "nodes": nodes,
                    "load": load, "seed": seed}, progress)


grid = _Grid()

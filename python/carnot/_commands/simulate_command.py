# SPDX-License-Identifier: Apache-2.0
"""`carnot simulate`. Written by tools/generate_python_api from the command itself."""
from typing import Optional

from .._call import Progress, Value, Values, call
from .._document import Document


def simulate(*, jobs: Optional[Value] = None, sites: Optional[Value] = None,
             policy: Optional[Values] = None, list: bool = False,
             format: Optional[Value] = None, trace_zone: Optional[Value] = None,
             kill_at_estimate: bool = False, time_unit: Optional[Value] = None,
             max_jobs: Optional[Value] = None, cores_per_node: Optional[Value] = None,
             zones: Optional[Values] = None, nodes_per_site: Optional[Value] = None,
             load: Optional[Value] = None, node_power_w: Optional[Value] = None,
             idle_power_w: Optional[Value] = None, start: Optional[Value] = None,
             days: Optional[Value] = None, own: Optional[Value] = None,
             own_capacity_kw: Optional[Value] = None,
             export_limit_kw: Optional[Value] = None, uses: Optional[Value] = None,
             battery_kwh: Optional[Value] = None, battery_kw: Optional[Value] = None,
             sla: Optional[Value] = None, max_wait: Optional[Value] = None,
             carbon_price: Optional[Value] = None,
             start_delay: Optional[Value] = None, stop_delay: Optional[Value] = None,
             move_delay: Optional[Value] = None, save_every: Optional[Value] = None,
             save_time: Optional[Value] = None, failures: Optional[Value] = None,
             reserve: Optional[Value] = None, closures: Optional[Value] = None,
             ensemble: Optional[Value] = None, threads: Optional[Value] = None,
             events: Optional[Value] = None, replay: Optional[Value] = None,
             checkpoint: Optional[Value] = None, resume: Optional[Value] = None,
             seed: Optional[Value] = None, progress: Progress = None) -> Document:
    """A fleet of sites works through a job trace under policies.

    jobs: Job trace: SWF, CSV, sacct, Batsim and others, plain, .gz or .zip
    sites: Folder of hourly site tables
    policy: Policies, side by side (default: no-wait)
    list: Which policies there are
    format: auto (default), swf, csv, gaia, philly, sacct, helios, alibaba, batsim or philly-
        json
    trace_zone: Of the trace's dates that state none: +01:00 or Europe/Berlin (default: UTC)
    kill_at_estimate: Jobs end at their time limit, as clusters enforce it
    time_unit: Of arrival_time and length: s, min or h
    max_jobs: Only the first so many
    cores_per_node: Of an SWF trace (default: its MaxProcs over its MaxNodes, else 1)
    zones: Sites (default: all with price, carbon, temperature)
    nodes_per_site: Default: as --load says
    load: Share of all nodes that the trace needs (default: 0.3)
    node_power_w: Of a node at work (default: 400)
    idle_power_w: Of a free node (default: 100)
    start: Date at which the trace begins (default: the tables')
    days: Ends then (default: when all jobs are done)
    own: Own power: a table of kW, or a folder with windspeed_10m_kmh.csv
    own_capacity_kw: Of the turbines (default: 1000)
    export_limit_kw: Of own power (default: 0)
    uses: all-own (default) or curtailed: what export leaves
    battery_kwh: A site's battery (default: none)
    battery_kw: Its power (default: full in two hours)
    sla: Deadline: so many times a job's length after its arrival
    max_wait: Hours that a start may be put off (default: 24)
    carbon_price: EUR/t, for policies that weigh it
    start_delay: Seconds to load a job's state
    stop_delay: Seconds to save it
    move_delay: Seconds to carry it to another site
    save_every: Minutes between saves while running
    save_time: Seconds that each takes
    failures: HOURS[,SHAPE[,REPAIR_HOURS]]: nodes break
    reserve: Calls: site,start_s,length_s,power_kw,direction
    closures: Maintenance: site,start_s,length_s,nodes
    ensemble: So many starts spread over the year
    threads: Of the ensemble (default: all CPUs)
    events: Writes the event log
    replay: Recomputes a log's totals and compares them
    checkpoint: Written every 30 days, and when interrupted
    resume: Goes on from a checkpoint
    seed: Of failures (default: 1)
    progress: called with a line now and then; False ends the work.
    """
    return call("simulate", (), {"jobs": jobs, "sites": sites, "policy": policy, "list": list,
                "format": format, "trace-zone": trace_zone, "kill-at-estimate": kill_at_estimate,
                "time-unit": time_unit, "max-jobs": max_jobs, "cores-per-node": cores_per_node,
                "zones": zones, "nodes-per-site": nodes_per_site, "load": load,
                "node-power-w": node_power_w, "idle-power-w": idle_power_w, "start": start,
                "days": days, "own": own, "own-capacity-kw": own_capacity_kw,
                "export-limit-kw": export_limit_kw, "uses": uses, "battery-kwh": battery_kwh,
                "battery-kw": battery_kw, "sla": sla, "max-wait": max_wait,
                "carbon-price": carbon_price, "start-delay": start_delay, "stop-delay": stop_delay,
                "move-delay": move_delay, "save-every": save_every, "save-time": save_time,
                "failures": failures, "reserve": reserve, "closures": closures,
                "ensemble": ensemble, "threads": threads, "events": events, "replay": replay,
                "checkpoint": checkpoint, "resume": resume, "seed": seed}, progress)

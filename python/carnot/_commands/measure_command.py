# SPDX-License-Identifier: Apache-2.0
"""`carnot measure`. Written by tools/generate_python_api from the command itself."""
from typing import Optional, Sequence

from .._call import Progress, Value, call
from .._document import Document


def measure_command(command: Sequence[Value] = (), *, pid: Optional[Value] = None,
                    cgroup: Optional[Value] = None, for_: Optional[Value] = None,
                    interval: Optional[Value] = None, out: Optional[Value] = None,
                    force: bool = False, resume: Optional[Value] = None,
                    live: bool = False, list: bool = False,
                    estimate: Optional[Value] = None,
                    experiment: Optional[Value] = None, sweep: Optional[Value] = None,
                    values: Optional[Value] = None, rounds: Optional[Value] = None,
                    html: Optional[Value] = None, csv: Optional[Value] = None,
                    store: Optional[Value] = None,
                    static_policy: Optional[Value] = None,
                    location: Optional[Value] = None, pue: Optional[Value] = None,
                    carbon_intensity: Optional[Value] = None,
                    carbon_trace: Optional[Value] = None,
                    price: Optional[Value] = None, machine: Optional[Value] = None,
                    machine_share: Optional[Value] = None,
                    units: Optional[Value] = None, unit: Optional[Value] = None,
                    show_command: bool = False, host: Optional[Value] = None,
                    sysfs_root: Optional[Value] = None,
                    procfs_root: Optional[Value] = None, nvml: Optional[Value] = None,
                    amd_smi: Optional[Value] = None, msr: bool = False,
                    ipmi: bool = False, redfish: Optional[Value] = None,
                    redfish_user: Optional[Value] = None,
                    external: Optional[Value] = None, record: Optional[Value] = None,
                    replay: Optional[Value] = None, progress: Progress = None) -> Document:
    """Measure a command, a process, a control group or the machine.

    pid: Measure this process and what it starts
    cgroup: Measure this control group (its folder)
    for_: Stop after this time, such as '10 s'
    interval: Milliseconds between samples (default: adaptive)
    out: Write the journal here (default: in the state folder)
    force: Replace the journal if it exists
    resume: Go on with the journal of an interrupted measurement
    live: Show it while it goes on, on a terminal
    list: Say what can be measured here, and how to measure more
    estimate: Power model for the hosts of this table (CSV)
    experiment: A series: power against load, energy and memory against batch, energy x time
        against frequency (the clock rate)
    sweep: A series of your own: batch=16,64,256, and {batch} in the command
    values: Values of --experiment instead of its own
    rounds: Times each value of a series is measured
    html: Write the report page here
    csv: Write one row an interval here
    store: Load the measurement into this SQLite file
    static_policy: Who pays for power at rest: capacity, busy, whole, none
    location: Country, US state or grid region of the machine, such as DE or US-CA
    pue: Facility energy over machine energy, from 1 on
    carbon_intensity: g CO2e a kWh, in place of the location's
    carbon_trace: CSV of time and g CO2e a kWh, in place of a mean
    price: EUR a kWh, in place of the location's
    machine: What making it emitted: server, workstation, laptop, an accelerator's name
    machine_share: Share of the machine that is yours
    units: Functional units done, for the SCI score
    unit: Name of the functional unit, such as epoch
    show_command: Record and show the words of the command, which may hold secrets
    host: Facts for the power model: tdp_w=280,chips=2,...
    sysfs_root: Folder that stands for /sys
    procfs_root: Folder that stands for /proc
    nvml: NVML library to load; none: do not look
    amd_smi: AMD SMI library to load; none: do not look
    msr: Also try /dev/cpu/N/msr
    ipmi: Also ask the BMC through /dev/ipmi0
    redfish: Also ask this Redfish service, such as https://bmc
    redfish_user: Its user; password in CARNOT_REDFISH_PASSWORD
    external: Also read a meter at the plug: a file that grows, or the http address of a Shelly,
        Tasmota or HomeWizard plug
    record: Copy every reading to this file
    replay: Read these readings instead of the machine's
    command: words of the program to measure.
    progress: called with a line now and then; False ends the work.
    """
    return call("measure", (), {"pid": pid, "cgroup": cgroup, "for": for_, "interval": interval,
                "out": out, "force": force, "resume": resume, "live": live, "list": list,
                "estimate": estimate, "experiment": experiment, "sweep": sweep, "values": values,
                "rounds": rounds, "html": html, "csv": csv, "store": store,
                "static-policy": static_policy, "location": location, "pue": pue,
                "carbon-intensity": carbon_intensity, "carbon-trace": carbon_trace, "price": price,
                "machine": machine, "machine-share": machine_share, "units": units, "unit": unit,
                "show-command": show_command, "host": host, "sysfs-root": sysfs_root,
                "procfs-root": procfs_root, "nvml": nvml, "amd-smi": amd_smi, "msr": msr,
                "ipmi": ipmi, "redfish": redfish, "redfish-user": redfish_user,
                "external": external, "record": record, "replay": replay}, progress, command)

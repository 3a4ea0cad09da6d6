# SPDX-License-Identifier: Apache-2.0
"""The names of CodeCarbon over carnot's meter: change the import, keep the program.

    from carnot.codecarbon import EmissionsTracker

Same main parameters, attributes and columns of emissions.csv. What is different, on purpose:

- an unknown location is the world's range, never a country, and nothing asks the network;
- figures no sensor tells apart are NaN (empty in the CSV), not 0;
- energy is the machine's (`tracking_mode="machine"`) or this process's ("process") by CPU time and
  accelerator time, whatever sensors there are; `pue` multiplies energy, power and emissions alike;
- a killed program loses no more than `measure_power_secs`: the row so far lies beside the CSV and is
  added to it by the next tracker with the same output folder;
- energies are kWh, powers W, emissions kg CO2e, as there; intervals are in `tracker.measurement`.

Settings come from the call, else from variables `CODECARBON_NAME`, else from `.codecarbon.config` in the
working folder, else in the home folder. What has no meaning here is named in one warning, wherever it
was stated. A tracker that only ran tasks (`start_task`, `stop_task`) writes at `stop()` the sum of them to
`output_file`, and a row a task to `emissions_NAME_RUN.csv`, NAME being `experiment_name` or `base`.
"""
import csv
import dataclasses
import functools
import io
import json
import logging
import math
import os
import platform
import threading
import time
import uuid
import warnings
from typing import Any, Callable, Dict, List, Optional

from ._codecarbon_settings import state_code, stated
from ._figures import counts
from ._library import MeterError
from ._measurement import Measurement
from ._meter import Meter

_JOULES_PER_KWH = 3.6e6
_NAN = float("nan")
_ACCEPTED = frozenset(  # parameters of CodeCarbon that mean nothing here or are always so
    """api_call_interval api_endpoint api_key experiment_name emissions_endpoint
    logging_logger tracking_pid gpu_ids allow_multiple_runs default_cpu_power force_cpu_power
    force_ram_power force_mode_cpu_load rapl_include_dram rapl_prefer_psys log_level
    electricitymaps_api_token co2_signal_api_token save_to_api save_to_prometheus save_to_logfire
    prometheus_url save_to_logger output_handlers on_csv_write cloud_provider cloud_region region
    country_2letter_iso_code wue force_carbon_intensity_g_co2e_kwh""".split())
_SILENT = frozenset(["log_level", "allow_multiple_runs", "api_call_interval", "tracking_pid",
                     "force_mode_cpu_load"])
_TAKEN = frozenset(["wue", "force_carbon_intensity_g_co2e_kwh", "country_2letter_iso_code", "region",
                    "experiment_name"])
_log = logging.getLogger("carnot.codecarbon")
__version__ = "3.3.2"  # the version of CodeCarbon whose names and columns these are


@dataclasses.dataclass
class EmissionsData:
    """One row of emissions.csv."""

    timestamp: str
    project_name: str
    run_id: str
    experiment_id: str
    duration: float
    emissions: float
    emissions_rate: float
    cpu_power: float
    gpu_power: float
    ram_power: float
    cpu_energy: float
    gpu_energy: float
    ram_energy: float
    energy_consumed: float
    water_consumed: float
    country_name: str
    country_iso_code: str
    region: str
    cloud_provider: str
    cloud_region: str
    os: str
    python_version: str
    codecarbon_version: str
    cpu_count: float
    cpu_model: str
    gpu_count: float
    gpu_model: str
    longitude: float
    latitude: float
    ram_total_size: float
    tracking_mode: str
    cpu_utilization_percent: float
    gpu_utilization_percent: float
    ram_utilization_percent: float
    ram_used_gb: float
    on_cloud: str = "N"
    pue: float = 1.0
    wue: float = 0.0

    @property
    def values(self) -> Dict[str, Any]:
        return dataclasses.asdict(self)

    def toJSON(self) -> str:
        return json.dumps(self.values, sort_keys=True, indent=4)


COLUMNS = tuple(field.name for field in dataclasses.fields(EmissionsData))
TASK_COLUMNS = ("task_name",) + COLUMNS
_SUMS = ("duration", "emissions", "cpu_energy", "gpu_energy", "ram_energy", "energy_consumed",
         "water_consumed")


def _sum_of(parts: List[EmissionsData]) -> EmissionsData:
    """One row for several spans of time; powers are means over them."""
    sums: Any = {name: math.fsum(getattr(part, name) for part in parts)
                 for name in _SUMS}
    total = dataclasses.replace(parts[-1], **sums)
    for power, energy in (("cpu_power", "cpu_energy"), ("gpu_power", "gpu_energy"),
                          ("ram_power", "ram_energy")):
        mean = getattr(total, energy) * _JOULES_PER_KWH / total.duration if total.duration else _NAN
        changed: Any = {power: mean}
        total = dataclasses.replace(total, **changed)
    rate = total.emissions / total.duration if total.duration else _NAN
    return dataclasses.replace(total, emissions_rate=rate)


def _cell(value: Any) -> Any:
    return "" if isinstance(value, float) and math.isnan(value) else value


class _File:
    """emissions.csv, and the rows of trackers that have not ended beside it."""

    def __init__(self, folder: str, name: str, run_id: str) -> None:
        self.path = os.path.join(folder, name)
        self._part = f"{self.path}.{run_id}.part"

    def keep(self, row: Dict[str, Any]) -> None:
        """Writes the row so far; whole or not at all."""
        fresh = self._part + ".new"
        with open(fresh, "w", encoding="utf-8") as file:
            json.dump({"pid": os.getpid(), "started": _started(os.getpid()), "row": row}, file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(fresh, self._part)

    def append(self, row: Dict[str, Any], columns_of_a_new_file: Any = COLUMNS) -> None:
        """Adds the row under the columns the file has; a new file gets all."""
        columns = list(columns_of_a_new_file)
        if os.path.exists(self.path) and os.path.getsize(self.path) > 0:
            with open(self.path, newline="", encoding="utf-8") as file:
                columns = next(csv.reader(file), columns)
            lines: List[List[Any]] = []
        else:
            lines = [list(columns)]
        lines.append([_cell(row.get(column, "")) for column in columns])
        text = io.StringIO()
        csv.writer(text, lineterminator="\n").writerows(lines)
        # One write, so that rows of several processes do not mix.
        fd = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o666)
        try:
            data = text.getvalue().encode()
            if os.write(fd, data) != len(data):
                raise OSError(f"{self.path}: the disk took a part of a row only")
            os.fsync(fd)
        finally:
            os.close(fd)
        try:
            os.unlink(self._part)
        except FileNotFoundError:
            pass

    def _has(self, run_id: str) -> bool:
        if not os.path.exists(self.path):
            return False
        with open(self.path, newline="", encoding="utf-8") as file:
            return any(row.get("run_id") == run_id for row in csv.DictReader(file))

    def adopt(self) -> None:
        """Adds the rows of trackers whose process was killed."""
        folder, name = os.path.split(self.path)
        for entry in sorted(os.listdir(folder or ".")):
            if not (entry.startswith(name + ".") and entry.endswith(".part")):
                continue
            path = os.path.join(folder, entry)
            mine = f"{path}.{os.getpid()}.adopted"
            try:
                with open(path, encoding="utf-8") as file:
                    left = json.load(file)
                if _started(left["pid"]) == left["started"]:
                    continue  # still running
                os.rename(path, mine)  # of several trackers one wins
                if not self._has(left["row"]["run_id"]):  # killed after its row was added
                    self.append(left["row"])
                os.unlink(mine)
                if os.path.exists(path + ".new"):  # killed while keeping the next
                    os.unlink(path + ".new")
            except (OSError, ValueError, KeyError, TypeError) as error:
                _log.warning("cannot take over %s: %s", path, error)


def _started(pid: int) -> Optional[str]:
    """When a process started, in the kernel's ticks; None if there is none."""
    try:
        with open(f"/proc/{pid}/stat", encoding="utf-8", errors="replace") as file:
            return file.read().rpartition(")")[2].split()[19]
    except (OSError, IndexError):
        return None


def _cpu_model() -> str:
    try:
        with open("/proc/cpuinfo", encoding="utf-8", errors="replace") as file:
            for line in file:
                if line.startswith("model name"):
                    return line.partition(":")[2].strip()
    except OSError:
        pass
    return platform.processor()


def _ram_gb() -> float:
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    except (ValueError, OSError):
        return _NAN


class EmissionsTracker:
    """Tracks energy and emissions between start() and stop(); see the module."""

    def __init__(self, project_name: Optional[str] = None,
                 measure_power_secs: Optional[float] = None, *, meter: Optional[Meter] = None,
                 **given: Any) -> None:
        """project_name "codecarbon", measure_power_secs 15, experiment_id, experiment_name,
        output_dir ".", output_file "emissions.csv", save_to_file True, country_iso_code, region,
        tracking_mode "machine", pue 1, wue 0, force_carbon_intensity_g_co2e_kwh."""
        given.update(project_name=project_name, measure_power_secs=measure_power_secs)
        settings = {**stated(), **{key: value for key, value in given.items() if value is not None}}

        def take(key: str, usual: Any) -> Any:
            return settings.pop(key, usual)
        self._project_name = take("project_name", "codecarbon")
        interval = take("measure_power_secs", 15)
        self._experiment_id = take("experiment_id", "5b0fa12a-3dd7-45bb-9766-cc326314d9f1")
        output_dir, output_file = take("output_dir", "."), take("output_file", "emissions.csv")
        save_to_file = take("save_to_file", True)
        country = take("country_iso_code", "") or settings.get("country_2letter_iso_code") or ""
        self._tracking_mode = take("tracking_mode", "machine")
        self._pue = float(take("pue", 1.0))
        if self._tracking_mode not in ("machine", "process"):
            raise ValueError("tracking_mode: allowed: machine, process; given: "
                             f"{self._tracking_mode!r}")
        if not float(interval) > 0:
            raise ValueError(f"measure_power_secs: allowed: > 0; given: {interval}")
        if save_to_file and not os.path.isdir(output_dir):
            raise OSError(f"Folder '{output_dir}' doesn't exist !")
        self._interval_s = float(interval)
        self._region = settings.get("region") or ""
        self._country, self._place = country, state_code(country, self._region) or country
        self._intensity = float(settings.get("force_carbon_intensity_g_co2e_kwh") or 0.0)
        self._wue = float(settings.get("wue") or 0.0)
        self._meter = meter
        self.run_id = uuid.uuid4()
        self._file = _File(output_dir, output_file, str(self.run_id)) if save_to_file else None
        name = settings.get("experiment_name") or "base"
        self._task_file = _File(output_dir, f"emissions_{name}_{self.run_id}.csv",
                                str(self.run_id)) if save_to_file else None
        self._lock = threading.Lock()
        self._ended = threading.Event()
        self._tasks: Dict[str, Measurement] = {}
        self._task_data: Dict[str, EmissionsData] = {}
        self._active_task: Optional[str] = None
        self.measurement: Optional[Measurement] = None
        self.final_emissions: Optional[float] = None
        self.final_emissions_data: Optional[EmissionsData] = None
        without = [key for key, value in settings.items()
                   if key not in _ACCEPTED or (value not in (None, False) and
                                               key not in _SILENT | _TAKEN)]
        if self._region and self._place == country:
            without.append(f"region={self._region!r} (names of states of the USA are known)")
        if without:
            warnings.warn("carnot.codecarbon does without " + ", ".join(sorted(without)),
                          UserWarning, stacklevel=2)
        self._measure("")  # a location that is not known is told at once

    def _measure(self, label: str) -> Measurement:
        return Measurement(label, meter=self._meter, location=self._place,
                           policy="capacity", carbon_g_per_kwh=self._intensity or None,
                           pue=self._pue if self._pue > 1 else None)

    # ---- whole runs

    def start(self) -> None:
        """Begins; a second call does nothing."""
        with self._lock:
            if self.measurement is not None:
                return
            self.measurement = self._measure(self._project_name).start()
        if self._file is not None:
            self._keep_safely(self._file.adopt)
            self._keep_safely(self._keep)
            threading.Thread(target=self._keep_on, name="carnot-codecarbon", daemon=True).start()

    def _keep_safely(self, action: Callable[[], None]) -> None:
        try:
            action()
        except (OSError, MeterError) as error:
            _log.warning("emissions so far could not be kept: %s", error)

    def _keep(self) -> None:
        with self._lock:
            if self._file is None or self.measurement is None or self._ended.is_set():
                return
            self._file.keep(self._data(self.measurement).values)

    def _keep_on(self) -> None:
        while not self._ended.wait(self._interval_s):
            self._keep_safely(self._keep)

    def flush(self) -> Optional[float]:
        """Emissions so far, kg; None if it does not run."""
        if self.measurement is None:
            return None
        self._keep_safely(self._keep)
        return self._data(self.measurement).emissions

    def stop(self) -> Optional[float]:
        """Ends and gives the emissions in kg CO2e; None if it never began. Raises MeterError if
        nothing could be measured."""
        with self._lock:
            if self.final_emissions is not None:
                return self.final_emissions
            if self.measurement is None and not self._tasks:
                _log.warning("stop() without start()")
                return None
            self._ended.set()
            for name, task in self._tasks.items():
                task.stop()
                self._task_data.setdefault(name, self._data(task))
            if self.measurement is not None:
                self.measurement.stop()
                self.final_emissions_data = self._data(self.measurement)
            else:
                self.final_emissions_data = _sum_of(list(self._task_data.values()))
            self.final_emissions = self.final_emissions_data.emissions
            self._save()
            return self.final_emissions

    def _save(self) -> None:
        if self._file is None or self._task_file is None or self.final_emissions_data is None:
            return
        try:
            self._file.append(self.final_emissions_data.values)
            for name, data in self._task_data.items():
                self._task_file.append({"task_name": name, **data.values}, TASK_COLUMNS)
        except OSError as error:
            _log.error("emissions could not be saved: %s", error)

    def __enter__(self) -> "EmissionsTracker":
        self.start()
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        if error is None:
            self.stop()
            return
        try:  # the program's own exception is the one to be seen
            self.stop()
        except Exception as problem:
            _log.error("emissions could not be had: %s", problem)

    # ---- tasks

    def start_task(self, task_name: Optional[str] = None) -> str:
        name = task_name or uuid.uuid4().hex
        with self._lock:
            if name in self._tasks and self._tasks[name].running:
                raise ValueError(f"task {name!r} runs already")
            if self.final_emissions is not None:
                raise ValueError(f"task {name!r}: the tracker was stopped")
            if name in self._tasks:  # once more: a row of its own
                name = f"{name}_{uuid.uuid4().hex}"
            self._tasks[name] = self._measure(name).start()
            self._active_task = name
        return name

    def stop_task(self, task_name: Optional[str] = None) -> EmissionsData:
        """What the task (by default the latest) took."""
        name = task_name or self._active_task
        if name is None or name not in self._tasks:
            raise ValueError(f"no task {name!r} was started")
        data = self._data(self._tasks[name].stop())
        self._task_data.setdefault(name, data)
        return data

    # ---- figures

    def _data(self, m: Measurement) -> EmissionsData:
        whole = self._tracking_mode == "machine"
        account = m.account(whole_machine=whole)
        duration = m.duration_s
        energy = m.machine_energy_j if whole else m.energy_j
        part = energy / m.machine_energy_j if m.machine_energy_j > 0 else _NAN
        by_kind: Dict[str, float] = {}
        for domain, figure in m.domains.items():
            if counts(domain, figure):
                by_kind[domain.kind] = by_kind.get(domain.kind, 0.0) + figure.value
        scale = part * self._pue / _JOULES_PER_KWH
        gpus = [d for d in m.domains if d.kind == "gpu" and d.role == "counted"]
        cpu = by_kind.get("package", _NAN) * scale
        ram = by_kind.get("dram", _NAN) * scale
        gpu = by_kind.get("gpu", _NAN if by_kind.get("module") else 0.0) * scale

        def power(kwh: float) -> float:
            return kwh * _JOULES_PER_KWH / duration if duration > 0 else _NAN
        kilograms = account.carbon.value / 1000
        kwh = energy * self._pue / _JOULES_PER_KWH
        return EmissionsData(
            timestamp=time.strftime("%Y-%m-%dT%H:%M:%S"), project_name=self._project_name,
            run_id=str(self.run_id), experiment_id=self._experiment_id, duration=duration,
            emissions=kilograms, emissions_rate=kilograms / duration if duration > 0 else _NAN,
            cpu_power=power(cpu), gpu_power=power(gpu), ram_power=power(ram), cpu_energy=cpu,
            gpu_energy=gpu, ram_energy=ram, energy_consumed=kwh,
            water_consumed=kwh * self._wue, country_name=account.grid_name,
            country_iso_code=self._country, region=self._region, cloud_provider="", cloud_region="",
            os=platform.platform(), python_version=platform.python_version(),
            codecarbon_version="carnot", cpu_count=os.cpu_count() or _NAN,
            cpu_model=_cpu_model(), gpu_count=len(gpus),
            gpu_model=", ".join(sorted({d.label for d in gpus})), longitude=_NAN, latitude=_NAN,
            ram_total_size=_ram_gb(), tracking_mode=self._tracking_mode,
            cpu_utilization_percent=_NAN, gpu_utilization_percent=_NAN,
            ram_utilization_percent=_NAN, ram_used_gb=_NAN, pue=self._pue, wue=self._wue)


class OfflineEmissionsTracker(EmissionsTracker):
    """As EmissionsTracker, which asks no network either."""


class TaskEmissionsTracker:
    """A task of a tracker as a block: `with TaskEmissionsTracker("load", tracker=t):`. Without a
    tracker it has one of its own, which ends with it."""

    def __init__(self, task_name: Optional[str] = None, tracker: Optional[EmissionsTracker] = None,
                 **options: Any) -> None:
        self._own = tracker is None
        self.tracker = EmissionsTracker(**options) if tracker is None else tracker
        self.task_name = task_name
        self.data: Optional[EmissionsData] = None

    def __enter__(self) -> "TaskEmissionsTracker":
        self.task_name = self.tracker.start_task(self.task_name)
        return self

    def __exit__(self, kind: Any, error: Any, trace: Any) -> None:
        self.data = self.tracker.stop_task(self.task_name)
        if self._own:
            self.tracker.stop()


def track_task_emissions(fn: Optional[Callable[..., Any]] = None,
                         tracker: Optional[EmissionsTracker] = None,
                         task_name: Optional[str] = None) -> Any:
    """Decorator: every call is a task of the tracker, named after the function unless told."""
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def tracked(*args: Any, **kwargs: Any) -> Any:
            with TaskEmissionsTracker(task_name or function.__name__, tracker):
                return function(*args, **kwargs)
        return tracked
    return wrap if fn is None else wrap(fn)


def track_emissions(fn: Optional[Callable[..., Any]] = None, project_name: Optional[str] = None,
                    *, offline: bool = False, **options: Any) -> Any:
    """Decorator: a tracker around every call. What the function raises is what its caller sees."""
    def wrap(function: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(function)
        def tracked(*args: Any, **kwargs: Any) -> Any:
            with EmissionsTracker(project_name, **options):
                return function(*args, **kwargs)
        return tracked
    return wrap if fn is None else wrap(fn)

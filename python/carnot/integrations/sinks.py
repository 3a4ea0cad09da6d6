# SPDX-License-Identifier: Apache-2.0
"""Energies where trainings are tracked: MLflow, Weights & Biases, TensorBoard, OpenTelemetry.

    from carnot.integrations import sinks

    with carnot.measure("train", location="DE") as m:
        train()
    sinks.to_mlflow(m)                    # of the active run
    sinks.to_wandb(m, run)
    sinks.to_tensorboard(m, writer, step=epoch)
    counter = sinks.to_opentelemetry()    # hw.energy of this process, for as long as it is kept

What is written of a figure is its value and its interval; origin and boundary go where the tracker
has words. Anything may be given that has energies: a measurement, a span of the other integrations,
an estimator after `fit`, an Energy by name. Imports none of the trackers by itself.
"""
from typing import Any, Dict, Mapping, Optional, Tuple

from .._errors import Error, InputError
from .._estimate import Estimate
from .._measurement import Measurement
from ._spans import Span

__all__ = ["metrics", "to_mlflow", "to_opentelemetry", "to_tensorboard", "to_wandb", "words"]

_UNITS = {"Energy": "j", "Carbon": "g", "Cost": "eur"}


def _figures(thing: Any) -> Dict[str, Estimate]:
    if isinstance(thing, Measurement):
        account = thing.account()
        return {"energy": thing.energy, "machine_energy": thing.machine_energy,
                "exclusive_energy": thing.exclusive_energy, "carbon": account.carbon,
                "cost": account.cost}
    if isinstance(thing, Span):
        return {"energy": thing.energy, "machine_energy": thing.machine_energy,
                "exclusive_energy": thing.exclusive_energy}
    if isinstance(thing, Estimate):
        return {"energy": thing}
    if isinstance(thing, Mapping) and all(isinstance(v, Estimate) for v in thing.values()):
        return {str(name): figure for name, figure in thing.items()}
    if isinstance(getattr(thing, "energy_", None), Estimate):
        return {"energy": thing.energy_}
    raise InputError("sinks: allowed: a Measurement, a Span, an Energy, a dict of them by name or a "
                     f"fitted estimator; given: {type(thing).__name__}")


def metrics(thing: Any, prefix: str = "carnot/") -> Dict[str, float]:
    """Numbers by name: NAME_UNIT, NAME_low_UNIT, NAME_high_UNIT, and `duration_s` of a span."""
    out: Dict[str, float] = {}
    for name, figure in _figures(thing).items():
        unit = _UNITS.get(type(figure).__name__, "")
        ending = f"_{unit}" if unit else ""
        out[f"{prefix}{name}{ending}"] = figure.value
        out[f"{prefix}{name}_low{ending}"] = figure.low
        out[f"{prefix}{name}_high{ending}"] = figure.high
    if isinstance(thing, (Measurement, Span)):
        out[f"{prefix}duration_s"] = float(thing.duration_s)
    return out


def words(thing: Any, prefix: str = "carnot.") -> Dict[str, str]:
    """Origin, boundary and causes of the figures, as tags."""
    out: Dict[str, str] = {}
    for name, figure in _figures(thing).items():
        out[f"{prefix}{name}.origin"] = figure.origin
        out[f"{prefix}{name}.boundary"] = figure.boundary
    return out


def to_mlflow(thing: Any, *, step: Optional[int] = None, run_id: Optional[str] = None) -> None:
    """Metrics and tags of a run of MLflow: the active one, or `run_id`'s."""
    import mlflow
    mlflow.log_metrics(metrics(thing), step=step, run_id=run_id)
    if run_id is None:
        mlflow.set_tags(words(thing))
    else:
        client = mlflow.MlflowClient()
        for key, value in words(thing).items():
            client.set_tag(run_id, key, value)


def to_wandb(thing: Any, run: Any = None, *, step: Optional[int] = None) -> None:
    """Metrics of a run of Weights & Biases, online or offline; origins into its config."""
    if run is None:
        import wandb
        run = wandb.run
        if run is None:
            raise InputError("to_wandb: no run: wandb.init() first, or give one")
    run.log(metrics(thing), step=step)
    run.config.update(words(thing), allow_val_change=True)


def to_tensorboard(thing: Any, writer: Any, *, step: Optional[int] = None) -> None:
    """Scalars of a SummaryWriter, of torch or tensorboardX; origins as text."""
    for name, value in metrics(thing).items():
        writer.add_scalar(name, value, global_step=step)
    for name, word in words(thing, "carnot/").items():
        writer.add_text(name, word, global_step=step)


class EnergyCounter:
    """What `to_opentelemetry` returns: the measurement behind the instruments."""

    def __init__(self, measurement: Measurement) -> None:
        self.measurement = measurement
        self._last: Optional[Tuple[float, float]] = None

    def observe(self) -> Tuple[float, float, Dict[str, str]]:
        """Joules and seconds since it began, and the attributes of the figure."""
        energy = self.measurement.energy
        attributes = {"hw.type": "process", "carnot.origin": energy.origin,
                      "carnot.boundary": energy.boundary}
        return energy.value, self.measurement.duration_s, attributes

    def stop(self) -> None:
        """The figures stay as they are from now on."""
        self.measurement.stop()


def to_opentelemetry(meter_provider: Any = None, **options: Any) -> EnergyCounter:
    """`hw.energy` (J, a counter) and `hw.power` (W, mean since the last look) of this process, by the
    names of OpenTelemetry's conventions, to a MeterProvider or the global one. `options` are
    `carnot.measure`'s. A figure that cannot be had is not reported."""
    from opentelemetry import metrics as api
    counter = EnergyCounter(Measurement("opentelemetry", **options).start())
    meter = api.get_meter("carnot", meter_provider=meter_provider)

    def energy(_: Any) -> Any:
        try:
            joules, _seconds, attributes = counter.observe()
        except Error:
            return []
        return [api.Observation(joules, attributes)]

    def power(_: Any) -> Any:
        try:
            joules, seconds, attributes = counter.observe()
        except Error:
            return []
        before, counter._last = counter._last or (0.0, 0.0), (joules, seconds)
        if seconds <= before[1]:
            return []
        return [api.Observation((joules - before[0]) / (seconds - before[1]), attributes)]

    meter.create_observable_counter("hw.energy", [energy], unit="J",
                                    description="Energy of this process since the counter began")
    meter.create_observable_gauge("hw.power", [power], unit="W",
                                  description="Mean power of this process since the last look")
    return counter

# SPDX-License-Identifier: Apache-2.0
"""Energies in trackers, each against the real package where it is installed: what was logged is what
was measured."""
import glob
import importlib.util
import os
import struct
import tempfile
import unittest

import carnot
from carnot.integrations import sinks


def needs(package):
    return unittest.skipUnless(importlib.util.find_spec(package.split(".")[0]),
                               f"{package} is not installed")


def measured():
    with carnot.measure("train", location="DE") as m:
        sum(range(100_000))
    return m


class Metrics(unittest.TestCase):
    def test_names_and_values(self):
        m = measured()
        got = sinks.metrics(m)
        self.assertEqual(got["carnot/energy_j"], m.energy.value)
        self.assertEqual(got["carnot/energy_low_j"], m.energy.low)
        self.assertEqual(got["carnot/carbon_g"], m.carbon.value)
        self.assertEqual(got["carnot/duration_s"], m.duration_s)
        self.assertEqual(sinks.words(m)["carnot.energy.origin"], m.energy.origin)
        named = sinks.metrics({"idle": carnot.Energy(1, 1, 1, "measured", "node")}, "")
        self.assertEqual(named, {"idle_j": 1.0, "idle_low_j": 1.0, "idle_high_j": 1.0})

    def test_what_has_no_energy_is_refused(self):
        with self.assertRaisesRegex(carnot.InputError, "a Measurement"):
            sinks.metrics(3)


@needs("mlflow")
class MLflow(unittest.TestCase):
    def test_a_run(self):
        os.environ.setdefault("MLFLOW_ALLOW_FILE_STORE", "true")
        import mlflow
        m = measured()
        with tempfile.TemporaryDirectory() as folder:
            mlflow.set_tracking_uri(f"file://{folder}")
            with mlflow.start_run(experiment_id=mlflow.create_experiment("carnot")) as run:
                sinks.to_mlflow(m, step=3)
            sinks.to_mlflow(m, step=4, run_id=run.info.run_id)
            data = mlflow.MlflowClient().get_run(run.info.run_id).data
            self.assertEqual(data.metrics["carnot/energy_j"], m.energy.value)
            self.assertEqual(data.tags["carnot.energy.boundary"], m.energy.boundary)
            history = mlflow.MlflowClient().get_metric_history(run.info.run_id, "carnot/energy_j")
            self.assertEqual([point.step for point in history], [3, 4])


@needs("tensorboardX")
class TensorBoard(unittest.TestCase):
    def test_scalars(self):
        from tensorboardX import SummaryWriter
        from tensorboardX.proto.event_pb2 import Event
        m = measured()
        with tempfile.TemporaryDirectory() as folder:
            with SummaryWriter(folder) as writer:
                sinks.to_tensorboard(m, writer, step=7)
                writer.flush()
            events = b"".join(open(name, "rb").read() for name in glob.glob(folder + "/events*"))
            values = {}
            while events:  # records: length, checksum, an event, checksum
                length = struct.unpack("<Q", events[:8])[0]
                event = Event.FromString(events[12:12 + length])
                events = events[16 + length:]
                for value in event.summary.value:
                    values[value.tag] = event.step, value.simple_value, value.tensor.string_val
            step, joules, _ = values["carnot/energy_j"]
            self.assertEqual(step, 7)
            self.assertAlmostEqual(joules, m.energy.value, delta=1e-6 * m.energy.value)
            said = values["carnot/energy.origin/text_summary"][2]
            self.assertEqual(said, [m.energy.origin.encode()])


@needs("opentelemetry")
class OpenTelemetry(unittest.TestCase):
    def test_a_counter_and_a_power(self):
        if importlib.util.find_spec("opentelemetry.sdk") is None:
            self.skipTest("opentelemetry-sdk is not installed: pip install opentelemetry-sdk")
        from opentelemetry.sdk.metrics import MeterProvider
        from opentelemetry.sdk.metrics.export import InMemoryMetricReader
        reader = InMemoryMetricReader()
        provider = MeterProvider([reader])
        counter = sinks.to_opentelemetry(provider, policy="busy")

        def points():
            data = reader.get_metrics_data()
            return {metric.name: (metric.unit, metric.data.data_points[0])
                    for resource in data.resource_metrics for scope in resource.scope_metrics
                    for metric in scope.metrics}

        sum(range(300_000))
        first = points()
        sum(range(300_000))
        second = points()
        self.assertEqual(first["hw.energy"][0], "J")
        self.assertEqual(first["hw.power"][0], "W")
        self.assertGreaterEqual(second["hw.energy"][1].value, first["hw.energy"][1].value)
        attributes = dict(first["hw.energy"][1].attributes)
        self.assertEqual(attributes["carnot.origin"], counter.measurement.energy.origin)
        counter.stop()
        self.assertEqual(points()["hw.energy"][1].value, counter.measurement.energy.value)
        provider.shutdown()


@needs("wandb")
class WeightsAndBiases(unittest.TestCase):
    def test_offline(self):
        import wandb
        m = measured()
        with tempfile.TemporaryDirectory() as folder:
            run = wandb.init(project="carnot", mode="offline", dir=folder,
                             settings=wandb.Settings(silent=True, console="off"))
            sinks.to_wandb(m, run)
            self.assertEqual(run.summary["carnot/energy_j"], m.energy.value)
            self.assertEqual(run.config["carnot.energy.origin"], m.energy.origin)
            run.finish()
            self.assertTrue(glob.glob(f"{folder}/wandb/offline-run-*/*.wandb"))


@needs("xgboost")
class XGBoost(unittest.TestCase):
    def test_rounds_within_a_training(self):
        import numpy
        import xgboost
        from carnot.integrations.xgboost import EnergyCallback
        draw = numpy.random.default_rng(1)
        x = draw.normal(size=(2000, 8))
        energy = EnergyCallback(rounds=True)
        xgboost.train({"objective": "reg:squarederror", "nthread": 1},
                      xgboost.DMatrix(x, x[:, 0] + x[:, 1]), 6, callbacks=[energy])
        kinds = [span.kind for span in energy.spans]
        self.assertEqual(kinds, ["round"] * 6 + ["train"])
        self.assertLessEqual(sum(s.energy.value for s in energy.spans[:-1]),
                             energy.spans[-1].energy.value * (1 + 1e-9))
        exclusive = sum(span.exclusive_energy.value for span in energy.spans)
        self.assertAlmostEqual(exclusive, energy.spans[-1].energy.value,
                               delta=1e-6 * energy.spans[-1].energy.value)


if __name__ == "__main__":
    unittest.main()

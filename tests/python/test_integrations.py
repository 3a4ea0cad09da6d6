# SPDX-License-Identifier: Apache-2.0
import importlib
import sys
import tempfile
import types
import unittest
import unittest.mock
import warnings

import carnot
from carnot.integrations import lightning, torch, transformers
from sensors import burn, tree


class FakeLogger:
    def __init__(self):
        self.rows = []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, metrics))


# What the fake frameworks spend, in joules; halves of halves, so that sums are exact.
STEP, LOADING, BETWEEN, SETUP = 0.25, 0.0625, 0.5, 0.125
EPOCH = 3 * (LOADING + STEP)
WHOLE = SETUP + 2 * (EPOCH + BETWEEN)


class FakeTrainer:
    """Calls callbacks in the order Lightning does, with moments they may not know."""

    def __init__(self, callback, spend, epochs=2, batches=3):
        self.callback, self.spend = callback, spend
        self.epochs, self.batches = epochs, batches
        self.logger, self.global_step, self.is_global_zero = FakeLogger(), 0, True

    def call(self, moment, *args, **kwargs):
        getattr(self.callback, moment)(self, None, *args, **kwargs)

    def fit(self, fail_at=None):
        try:
            self.call("setup", stage="fit")
            self.call("on_fit_start")
            self.call("on_train_start")
            self.spend(SETUP)
            for _ in range(self.epochs):
                self.call("on_train_epoch_start")
                for batch in range(self.batches):
                    self.spend(LOADING)
                    self.call("on_train_batch_start", None, batch)
                    self.spend(STEP)
                    if self.global_step == fail_at:
                        raise ValueError("mine")
                    self.global_step += 1
                    self.call("on_train_batch_end", None, None, batch)
                self.call("on_validation_epoch_start")
                self.call("on_train_epoch_end")
                self.spend(BETWEEN)
            self.call("on_train_end")
        except BaseException as error:
            self.call("on_exception", error)
            raise


class State:
    def __init__(self):
        self.log_history, self.global_step, self.epoch = [], 0, 0.0


def fake_transformers(callback, state, spend):
    """Calls a callback in the order the trainer of transformers does: 2 epochs of 3 steps."""
    extra = {"model": None, "optimizer": None}
    callback.on_init_end(None, state, None, **extra)
    callback.on_train_begin(None, state, None, **extra)
    spend(SETUP)
    for epoch in range(2):
        callback.on_epoch_begin(None, state, None, **extra)
        for _ in range(3):
            spend(LOADING)
            callback.on_step_begin(None, state, None, **extra)
            spend(STEP)
            state.global_step += 1
            callback.on_step_end(None, state, None, **extra)
            callback.on_log(None, state, None, logs={}, **extra)
        state.epoch = epoch + 1.0
        callback.on_epoch_end(None, state, None, **extra)
        spend(BETWEEN)
        callback.on_evaluate(None, state, None, metrics={}, **extra)
    callback.on_train_end(None, state, None, **extra)


class Callbacks(unittest.TestCase):
    """Over a counter that moves when the test says so: figures are known to the last microjoule."""

    def setUp(self):
        self.context = tree(paced=True)
        self.tree = self.context.__enter__()
        self.meter = self.tree.meter()

    def tearDown(self):
        self.context.__exit__(None, None, None)

    def are_exact(self, spans):
        """Of 2 epochs with 3 steps each, all that is spent being the process's own."""
        of = {kind: [s for s in spans if s.kind == kind] for kind in ("train", "epoch", "step")}
        self.assertEqual([len(of[k]) for k in ("train", "epoch", "step")], [1, 2, 6])
        expected = {"train": (WHOLE, SETUP + 2 * BETWEEN), "epoch": (EPOCH, 3 * LOADING),
                    "step": (STEP, STEP)}
        for span in spans:
            energy, exclusive = expected[span.kind]
            for figure in (span.machine_energy, span.energy):
                self.assertAlmostEqual(figure.value, energy, delta=1e-9, msg=span.kind)
                self.assertLessEqual(figure.low, figure.value)
                self.assertGreaterEqual(figure.high, figure.value)
            self.assertAlmostEqual(span.exclusive_energy.value, exclusive, delta=1e-9,
                                   msg=span.kind)
        for spans_of_kind in of.values():
            self.assertEqual([s.number for s in spans_of_kind], list(range(len(spans_of_kind))))
        self.sums_up(spans)

    def sums_up(self, spans):
        whole = next(s for s in spans if s.kind == "train")
        self.assertAlmostEqual(sum(s.exclusive_energy.value for s in spans), whole.energy.value,
                               delta=1e-9 + 1e-9 * whole.energy.value)

    def test_lightning(self):
        callback = lightning.EnergyCallback(steps=True, meter=self.meter)
        trainer = FakeTrainer(callback, self.tree.spend)
        trainer.fit()
        self.are_exact(callback.spans)
        step, metrics = trainer.logger.rows[-1]
        self.assertEqual(step, 6)
        self.assertEqual(metrics["energy/train_energy_j"], callback.spans[-1].energy.value)
        self.assertEqual(metrics["energy/train_exclusive_energy_j"],
                         callback.spans[-1].exclusive_energy.value)
        self.assertEqual(callback.failures, [])
        self.assertEqual(callback.state_dict(), {})
        with self.assertRaises(AttributeError):
            callback.nonsense  # noqa: B018

    def test_lightning_training_that_fails(self):
        callback = lightning.EnergyCallback(meter=self.meter)
        with self.assertRaisesRegex(ValueError, "mine"):
            FakeTrainer(callback, self.tree.spend).fit(fail_at=4)
        self.assertEqual([s.kind for s in callback.spans], ["epoch", "epoch", "train"])
        self.sums_up(callback.spans)
        self.assertAlmostEqual(callback.spans[1].machine_energy.value, 2 * (LOADING + STEP),
                               delta=1e-9)

    def test_a_span_begun_again_is_the_innermost(self):
        callback = lightning.EnergyCallback(meter=self.meter)
        callback.on_train_epoch_start(None, None)
        callback.on_train_start(None, None)  # not what a trainer does, but it may
        callback.on_train_epoch_start(None, None)
        self.tree.spend(STEP)
        callback.on_exception(None, None, ValueError())
        self.assertEqual([s.kind for s in callback.spans], ["epoch", "train"])
        self.sums_up(callback.spans)

    def test_transformers(self):
        callback = transformers.EnergyCallback(steps=True, meter=self.meter)
        state = State()
        fake_transformers(callback, state, self.tree.spend)
        self.are_exact(callback.spans)
        self.assertEqual(len(state.log_history), 9)
        self.assertEqual(state.log_history[-1]["energy/train_energy_j"],
                         callback.spans[-1].energy.value)
        self.assertEqual(state.log_history[-1]["step"], 6)

    def test_shares_of_a_process_sum_up_too(self):
        callback = transformers.EnergyCallback(
            steps=True, meter=self.tree.meter(procfs_root="/proc"))

        def spend(joules):
            burn(1e-4)
            self.tree.spend(joules)
        fake_transformers(callback, State(), spend)
        self.sums_up(callback.spans)

    def test_torch_hook(self):
        class Handle:
            def __init__(self, hooks, hook):
                self.hooks, self.hook = hooks, hook

            def remove(self):
                self.hooks.remove(self.hook)

        class Optimizer:
            hooks = []

            def register_step_post_hook(self, hook):
                self.hooks.append(hook)
                return Handle(self.hooks, hook)

            def step(self):
                for hook in self.hooks:
                    hook(self, (), {})

        optimizer, calls = Optimizer(), []
        hook = torch.EnergyHook(optimizer, synchronize=lambda: calls.append(1), meter=self.meter)
        for _ in range(3):
            self.tree.spend(STEP)
            optimizer.step()
        hook.remove()
        optimizer.step()
        self.assertEqual([s.kind for s in hook.spans], ["step"] * 3)
        for span in hook.spans:
            self.assertAlmostEqual(span.machine_energy.value, STEP, delta=1e-9)
        self.assertEqual(len(calls), 3)

    def test_torch_hook_wants_an_optimizer_with_hooks(self):
        with self.assertRaisesRegex(TypeError, "torch 2.0"):
            torch.EnergyHook(object(), meter=self.meter)

    def test_failures_are_told_and_harm_nothing(self):
        class Broken(carnot.Meter):
            def __init__(self):
                self._handle = None

            @property
            def notes(self):
                return []
        callback = lightning.EnergyCallback(meter=Broken())
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            FakeTrainer(callback, self.tree.spend).fit()
        self.assertEqual(callback.spans, [])
        self.assertEqual(len(callback.failures), 3)

    def test_lightning_callback_is_of_the_class_its_trainer_wants(self):
        class Callback:
            state_key = "base"

        module = types.ModuleType("lightning.pytorch.callbacks")
        module.Callback = Callback
        with unittest.mock.patch.dict(sys.modules, {module.__name__: module}):
            callback = lightning.EnergyCallback(meter=self.meter)
        self.assertIsInstance(callback, Callback)
        self.assertIsInstance(callback, lightning.EnergyCallback)
        FakeTrainer(callback, self.tree.spend).fit()
        self.assertEqual(len(callback.spans), 3)


class CallbacksBesideTheClock(unittest.TestCase):
    """Over counters that go on by themselves, however busy the machine is."""

    def test_epochs_and_what_is_between_them_are_the_whole(self):
        with tree(watts=100.0) as made:
            callback = transformers.EnergyCallback(steps=True, meter=made.meter())
            fake_transformers(callback, State(), lambda joules: burn(joules / 100))
        spans = callback.spans
        whole = next(s for s in spans if s.kind == "train")
        epochs = sum(s.machine_energy.value for s in spans if s.kind == "epoch")
        self.assertLessEqual(epochs, whole.machine_energy.value + 1e-9)
        self.assertAlmostEqual(sum(s.exclusive_energy.value for s in spans), whole.energy.value,
                               delta=1e-9 * whole.energy.value)
        for span in spans:
            self.assertGreater(span.machine_energy.high, 0)
            self.assertGreaterEqual(span.energy.low, 0)


def found(name):
    """The module, None if it is not installed."""
    try:
        return importlib.import_module(name)
    except ImportError:
        return None


real_torch = found("torch")
real_lightning = found("lightning.pytorch")
real_transformers = found("transformers") if real_torch else None


@unittest.skipIf(real_torch is None or real_torch.__version__ < "2", "torch 2 is not installed")
class RealTorch(unittest.TestCase):
    def test_hook(self):
        with tree(watts=100.0) as made:
            layer = real_torch.nn.Linear(4, 1)
            optimizer = real_torch.optim.SGD(layer.parameters(), lr=0.1)
            hook = torch.EnergyHook(optimizer, meter=made.meter())
            for _ in range(3):
                optimizer.zero_grad()
                layer(real_torch.ones(8, 4)).sum().backward()
                optimizer.step()
            self.assertEqual(len(hook.spans), 3)
            hook.remove()


@unittest.skipIf(real_lightning is None, "lightning is not installed")
class RealLightning(unittest.TestCase):
    def test_callback(self):
        class Model(real_lightning.LightningModule):
            def __init__(self):
                super().__init__()
                self.layer = real_torch.nn.Linear(4, 1)

            def training_step(self, batch, index):
                return self.layer(batch).sum()

            def configure_optimizers(self):
                return real_torch.optim.SGD(self.parameters(), lr=1e-3)

        with tree(watts=100.0) as made, tempfile.TemporaryDirectory() as folder:
            callback = lightning.EnergyCallback(steps=True, meter=made.meter())
            trainer = real_lightning.Trainer(
                max_epochs=2, accelerator="cpu", callbacks=[callback], default_root_dir=folder,
                enable_progress_bar=False, enable_model_summary=False, log_every_n_steps=1,
                logger=real_lightning.loggers.CSVLogger(folder))
            trainer.fit(Model(), real_torch.utils.data.DataLoader(real_torch.ones(6, 4),
                                                                  batch_size=2))
            kinds = [s.kind for s in callback.spans]
            self.assertEqual([kinds.count(k) for k in ("train", "epoch", "step")], [1, 2, 6])
            with open(trainer.logger.log_dir + "/metrics.csv") as file:
                self.assertIn("energy/epoch_energy_j", file.readline())


@unittest.skipIf(real_transformers is None, "transformers is not installed")
class RealTransformers(unittest.TestCase):
    def test_callback(self):
        class Model(real_torch.nn.Module):
            def __init__(self):
                super().__init__()
                self.layer = real_torch.nn.Linear(4, 1)

            def forward(self, x, labels=None):
                out = self.layer(x)
                return {"loss": ((out - labels) ** 2).mean(), "logits": out}

        rows = [{"x": real_torch.ones(4), "labels": real_torch.ones(1)} for _ in range(6)]
        with tree(watts=100.0) as made, tempfile.TemporaryDirectory() as folder:
            callback = transformers.EnergyCallback(meter=made.meter())
            arguments = real_transformers.TrainingArguments(
                folder, num_train_epochs=2, per_device_train_batch_size=2, report_to=[],
                disable_tqdm=True, save_strategy="no")
            trainer = real_transformers.Trainer(model=Model(), args=arguments, train_dataset=rows,
                                                callbacks=[callback])
            trainer.train()
            self.assertEqual([s.kind for s in callback.spans], ["epoch", "epoch", "train"])
            logged = [r for r in trainer.state.log_history if "energy/epoch_energy_j" in r]
            self.assertEqual(len(logged), 2)


if __name__ == "__main__":
    unittest.main()

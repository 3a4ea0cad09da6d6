# SPDX-License-Identifier: Apache-2.0
import unittest
import warnings

import carnot
from carnot.integrations import lightning, torch, transformers
from sensors import burn, tree


class FakeLogger:
    def __init__(self):
        self.rows = []

    def log_metrics(self, metrics, step=None):
        self.rows.append((step, metrics))


class FakeTrainer:
    """Calls callbacks in the order Lightning does, with moments they may not know."""

    def __init__(self, callback, epochs=2, batches=3):
        self.callback, self.epochs, self.batches = callback, epochs, batches
        self.logger, self.global_step, self.is_global_zero = FakeLogger(), 0, True

    def call(self, moment, *args, **kwargs):
        getattr(self.callback, moment)(self, None, *args, **kwargs)

    def fit(self, fail_at=None):
        try:
            self.call("setup", stage="fit")
            self.call("on_fit_start")
            self.call("on_train_start")
            for _ in range(self.epochs):
                self.call("on_train_epoch_start")
                for batch in range(self.batches):
                    self.call("on_train_batch_start", None, batch)
                    burn(0.002)
                    if self.global_step == fail_at:
                        raise ValueError("mine")
                    self.global_step += 1
                    self.call("on_train_batch_end", None, None, batch)
                self.call("on_validation_epoch_start")
                self.call("on_train_epoch_end")
            self.call("on_train_end")
        except BaseException as error:
            self.call("on_exception", error)
            raise


class State:
    def __init__(self):
        self.log_history, self.global_step, self.epoch = [], 0, 0.0


class Callbacks(unittest.TestCase):
    def setUp(self):
        self.context = tree(watts=100.0)
        self.tree = self.context.__enter__()
        self.meter = self.tree.meter()

    def tearDown(self):
        self.context.__exit__(None, None, None)

    def sums_up(self, spans, epochs, steps):
        of = {kind: [s for s in spans if s.kind == kind] for kind in ("train", "epoch", "step")}
        self.assertEqual([len(of[k]) for k in ("train", "epoch", "step")], [1, epochs, steps])
        whole = of["train"][0].machine_energy.value
        self.assertAlmostEqual(sum(s.machine_energy.value for s in of["epoch"]), whole,
                               delta=0.5 + 0.1 * whole)
        self.assertEqual([s.index for s in of["epoch"]], list(range(epochs)))
        for span in spans:
            self.assertGreater(span.machine_energy.high, 0)
            self.assertGreaterEqual(span.energy.low, 0)

    def test_lightning(self):
        callback = lightning.EnergyCallback(steps=True, meter=self.meter)
        trainer = FakeTrainer(callback)
        trainer.fit()
        self.sums_up(callback.spans, 2, 6)
        step, metrics = trainer.logger.rows[-1]
        self.assertEqual(step, 6)
        self.assertEqual(metrics["energy/train_energy_j"], callback.spans[-1].energy.value)
        self.assertEqual(callback.failures, [])
        self.assertEqual(callback.state_dict(), {})
        with self.assertRaises(AttributeError):
            callback.nonsense  # noqa: B018

    def test_lightning_training_that_fails(self):
        callback = lightning.EnergyCallback(meter=self.meter)
        with self.assertRaisesRegex(ValueError, "mine"):
            FakeTrainer(callback).fit(fail_at=4)
        self.assertEqual([s.kind for s in callback.spans], ["epoch", "train", "epoch"])

    def test_transformers(self):
        callback = transformers.EnergyCallback(steps=True, meter=self.meter)
        state, extra = State(), {"model": None, "optimizer": None}
        callback.on_init_end(None, state, None, **extra)
        callback.on_train_begin(None, state, None, **extra)
        for epoch in range(2):
            callback.on_epoch_begin(None, state, None, **extra)
            for _ in range(3):
                callback.on_step_begin(None, state, None, **extra)
                burn(0.002)
                state.global_step += 1
                callback.on_step_end(None, state, None, **extra)
                callback.on_log(None, state, None, logs={}, **extra)
            state.epoch = epoch + 1.0
            callback.on_epoch_end(None, state, None, **extra)
        callback.on_train_end(None, state, None, **extra)
        self.sums_up(callback.spans, 2, 6)
        self.assertEqual(len(state.log_history), 9)
        self.assertEqual(state.log_history[-1]["energy/train_energy_j"],
                         callback.spans[-1].energy.value)
        self.assertEqual(state.log_history[-1]["step"], 6)

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
            burn(0.002)
            optimizer.step()
        hook.remove()
        optimizer.step()
        self.assertEqual([s.kind for s in hook.spans], ["step"] * 3)
        self.assertEqual(len(calls), 3)

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
            FakeTrainer(callback).fit()
        self.assertEqual(callback.spans, [])
        self.assertEqual(len(callback.failures), 3)


try:
    import torch as real_torch
except ImportError:
    real_torch = None


@unittest.skipIf(real_torch is None, "torch is not installed")
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


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
import importlib.util
import os
import sys
import tempfile
import types
import unittest
import unittest.mock

import carnot
from carnot._follow import Ranks, _ModeFile
from carnot.integrations import lightning, transformers


class Machine:
    """Time and CPU time of a training of one CPU: a step takes what it says, sleeping takes time."""

    def __init__(self):
        self.now, self.spent, self.slept = 100.0, 5.0, 0.0

    def work(self, seconds):
        self.now += seconds
        self.spent += seconds

    def sleep(self, seconds):
        self.now += seconds
        self.slept += seconds

    def options(self, **more):
        return dict(clock=lambda: self.now, cpu=lambda: self.spent, sleep=self.sleep,
                    wall=lambda: 1.7e9 + self.now, watts_per_cpu=10.0, **more)


class FakeTorch(types.ModuleType):
    """What is used of torch: the settings of autocast, with a cache that goes stale."""

    bfloat16, float16, float32 = "bf16", "f16", "f32"

    def __init__(self):
        super().__init__("torch")
        self.enabled, self.dtype, self.cleared, self.cache = False, "f16", 0, None

    def is_autocast_enabled(self, device):
        return self.enabled

    def get_autocast_dtype(self, device):
        return self.dtype

    def set_autocast_enabled(self, device, enabled):
        self.enabled = enabled

    def set_autocast_dtype(self, device, dtype):
        self.dtype = dtype

    def clear_autocast_cache(self):
        self.cleared += 1
        self.cache = None

    def cast(self, weight):
        """Of a weight, as autocast would give it to an operation."""
        if not self.enabled:
            return weight
        if self.cache is None:
            self.cache = weight
        return self.cache


class Simulated(unittest.TestCase):
    def setUp(self):
        self.machine = Machine()
        self.addCleanup(os.environ.pop, "CARNOT_MODE_FILE", None)


class Loop(Simulated):

    def run_loop(self, profile, steps, step_s=0.02, **options):
        follow = carnot.Follow(profile, **self.machine.options(**options))
        for _ in follow(range(steps)):
            self.machine.work(step_s)
        return follow

    def test_it_keeps_to_the_profile_and_the_accounts_balance(self):
        follow = self.run_loop("2 W for 10 s, 6 W for 10 s", 2000)
        r = follow.report
        self.assertAlmostEqual(r.used_j, 2000 * 0.02 * 10, places=6)
        self.assertAlmostEqual(r.used_j / r.offered_j, 1.0, delta=0.01)
        self.assertAlmostEqual(r.offered_j, r.used_j + r.could_not_use_j + r.left_j, places=6)
        self.assertAlmostEqual(r.waited_s, self.machine.slept, places=6)
        self.assertLess(r.worst_over_w, 0.05 * 6)
        self.assertEqual((r.steps, r.origin), ([2000], "assumed"))

    def test_with_power_enough_nothing_is_done(self):
        torch = FakeTorch()
        with unittest.mock.patch.dict(sys.modules, torch=torch):
            follow = self.run_loop("1 kW", 100, precision="bfloat16")
        self.assertEqual(self.machine.slept, 0.0)
        self.assertEqual((torch.cleared, torch.enabled, torch.dtype), (0, False, "f16"))
        self.assertEqual(follow.report.steps, [100, 0])

    def test_batches_come_through_unchanged_and_in_order(self):
        batches = [object() for _ in range(10)]
        given = list(carnot.follow(batches, "1 kW", **self.machine.options()))
        self.assertTrue(all(a is b for a, b in zip(given, batches)))

    def test_a_profile_that_is_over_frees_the_training(self):
        follow = self.run_loop("0 W for 3 s", 100, then="release")
        self.assertAlmostEqual(self.machine.slept, 3.0, delta=0.1)
        self.assertAlmostEqual(follow.report.free_used_j, 100 * 0.02 * 10, delta=0.5)

    def test_low_precision_where_power_is_scarce_never_with_stale_weights(self):
        torch, seen, weight = FakeTorch(), [], 0
        with unittest.mock.patch.dict(sys.modules, torch=torch):
            follow = carnot.Follow("2 W for 10 s, 9 W for 10 s", precision="bfloat16",
                                   **self.machine.options())
            for _ in follow(range(9000)):
                self.assertEqual(torch.cast(weight), weight)
                weight += 1  # the optimiser's step
                seen.append(torch.enabled)
                self.assertEqual(torch.enabled, follow.mode == 1)
                self.assertEqual(torch.dtype, "bf16" if torch.enabled else "f16")
                self.machine.work(0.002)  # several steps without a pause between them
        self.assertEqual((torch.enabled, torch.dtype), (False, "f16"))
        self.assertGreater(sum(seen), 1000)
        self.assertLess(sum(seen), 8000)
        self.assertEqual(follow.report.steps, [9000 - sum(seen), sum(seen)])

    def test_settings_are_put_back_after_an_exception_and_a_break(self):
        torch = FakeTorch()
        with unittest.mock.patch.dict(sys.modules, torch=torch):
            for end in ("break", "raise"):
                try:
                    for i in carnot.follow(range(100), "1 W", precision="bfloat16",
                                           **self.machine.options()):
                        self.machine.work(0.02)
                        if i == 50:
                            self.assertTrue(torch.enabled)
                            if end == "break":
                                break
                            raise KeyError
                except KeyError:
                    pass
                self.assertEqual((torch.enabled, torch.dtype), (False, "f16"), end)

    def test_the_users_own_autocast_comes_back(self):
        torch = FakeTorch()
        torch.enabled, torch.dtype = True, "f16"
        with unittest.mock.patch.dict(sys.modules, torch=torch):
            self.run_loop("1 W", 20, precision="bfloat16")
        self.assertEqual((torch.enabled, torch.dtype), (True, "f16"))

    def test_a_long_pause_asks_for_a_checkpoint_between_steps(self):
        calls = []
        follow = carnot.Follow("8 W for 5 s, 0 W for 30 s, 8 W for 5 s, 0 W for 5 s",
                               checkpoint_after=20, on_pause=lambda: calls.append(inside),
                               **self.machine.options())
        inside = False
        for _ in range(250):
            follow.step()
            inside = True
            self.machine.work(0.02)
            inside = False
        follow.close()
        self.assertEqual(calls, [False])

    def test_parts_keep_the_effective_batch(self):
        class Rows:
            def __init__(self, values):
                self.values = list(values)

            def __len__(self):
                return len(self.values)

            def __getitem__(self, at):
                return Rows(self.values[at])
        follow = carnot.Follow("1 kW", accumulate=3, **self.machine.options())
        batch = (Rows(range(10)), Rows(range(10, 20)))
        seen, shares, last = [], 0.0, []
        for x, y in follow([batch, batch]):
            seen += list(zip(x.values, y.values))
            shares += follow.part_share
            last.append(follow.last_part)
        self.assertEqual(seen, 2 * list(zip(range(10), range(10, 20))))
        self.assertAlmostEqual(shares, 2.0)
        self.assertEqual(last, 2 * [False, False, True])

    def test_ranks_take_the_answer_of_rank_0(self):
        sent = []
        first = carnot.Follow("3 W", **self.machine.options(
            ranks=Ranks(0, lambda n: sent.append(list(n)) or n, lambda n: 2 * n)))
        other = Machine()
        second = carnot.Follow("3 W", **other.options(
            ranks=Ranks(1, lambda n: sent.pop(0), lambda n: 2 * n)))
        for _ in range(200):
            first.step()
            second.step()
            self.assertEqual(first.mode, second.mode)
            self.assertEqual(sent, [])
            self.machine.work(0.01)
            other.work(0.01)
        self.assertAlmostEqual(other.slept, self.machine.slept, places=9)
        # Both ranks' CPUs count: 20 W of work within 3 W.
        self.assertAlmostEqual(self.machine.slept / (self.machine.slept + 2.0), 0.85, delta=0.02)

    def test_joules_that_are_told_correct_the_cpu_time(self):
        follow = carnot.Follow("4 W", clock=lambda: self.machine.now, cpu=lambda: self.machine.spent,
                               sleep=self.machine.sleep,
                               energy=lambda: 25.0 * (self.machine.spent - 5.0))
        for _ in follow(range(1000)):
            self.machine.work(0.02)
        r = follow.report
        self.assertAlmostEqual(r.used_j, 25.0 * 20.0, delta=5)
        self.assertAlmostEqual(25.0 * 20.0 / r.offered_j, 1.0, delta=0.02)
        self.assertEqual(r.origin, "measured")

    def test_by_default_the_meter_tells_the_joules(self):
        with carnot.follow(profile="1 kW") as follow:
            for _ in range(3):
                follow.step()
        self.assertIn(follow.report.origin, ("measured", "modelled", "assumed"))

    def test_refusals_say_what_is_allowed(self):
        for arguments, words in (((), "profile: allowed"), (("nothing.csv",), "no such file"),
                                 (("4 kWh",), "power")):
            with self.assertRaisesRegex(ValueError, words):
                carnot.Follow(*arguments, watts_per_cpu=10.0)
        with self.assertRaisesRegex(ValueError, "accumulate"):
            carnot.Follow("1 W", accumulate=0)
        with self.assertRaisesRegex(TypeError, "no option 'burts'"):
            carnot.Follow("1 W", watts_per_cpu=10.0, burts=3)


class ModeFile(Simulated):
    def setUp(self):
        super().setUp()
        self.folder = tempfile.TemporaryDirectory()
        self.addCleanup(self.folder.cleanup)
        self.path = os.path.join(self.folder.name, "mode")

    def say(self, line):
        with open(self.path + ".new", "w") as f:
            f.write(line)
        os.replace(self.path + ".new", self.path)

    def steps(self, follow, count):
        before = self.machine.slept
        for _ in range(count):
            follow.step()
            self.machine.work(0.02)
        return self.machine.slept - before

    def until(self, seconds):
        from datetime import datetime, timezone
        at = datetime.fromtimestamp(1.7e9 + self.machine.now + seconds, timezone.utc)
        return at.strftime("%Y-%m-%dT%H:%M:%SZ")

    def test_power_and_mode_hold_until_they_are_stale(self):
        os.environ["CARNOT_MODE_FILE"] = self.path
        torch = FakeTorch()
        with unittest.mock.patch.dict(sys.modules, torch=torch):
            follow = carnot.Follow(precision="bfloat16", **self.machine.options())
            self.assertEqual(self.steps(follow, 50), 0.0)  # missing: the user's own settings
            self.say(f"1 5 {self.until(30)}\n")
            self.machine.now += 1
            slept = self.steps(follow, 500)
            self.assertAlmostEqual(slept, 10.0, delta=0.5)
            self.assertTrue(torch.enabled)
            self.machine.now += 30
            self.assertEqual(self.steps(follow, 50), 0.0)
            self.assertFalse(torch.enabled)
            follow.close()
        r = follow.report
        self.assertAlmostEqual(r.used_j, 100.0, delta=2)
        self.assertEqual(sum(r.steps), 600)

    def test_beside_a_profile_only_the_mode_counts(self):
        self.say(f"-1 1000 {self.until(10)}\n")
        follow = carnot.Follow("5 W", mode_file=self.path, **self.machine.options())
        self.steps(follow, 1)
        self.assertGreaterEqual(self.machine.slept, 9)
        self.assertAlmostEqual(self.steps(follow, 500), 10, delta=0.5)

    def test_minus_one_pauses(self):
        follow = carnot.Follow(mode_file=self.path, **self.machine.options())
        self.say(f"-1 0 {self.until(20)}\n")
        follow.step()
        self.assertGreaterEqual(self.machine.slept, 19)

    def test_lines_that_are_none_leave_the_users_own_settings_and_are_told(self):
        for line in ("", "1\n", "1 5 tomorrow\n", "x 5 2099-01-01T00:00:00Z\n",
                     "1 -5 2099-01-01T00:00:00Z\n", "1 nan 2099-01-01T00:00:00Z\n",
                     "1 5 2099-01-01T00:00:00\n", "\x00\xff 1 2\n"):
            self.say(line)
            file = _ModeFile(self.path, lambda: 0.0)
            self.assertIsNone(file.look(0.0), line)
            self.assertIn("mode power_w valid_until_utc", file.problem)


class Callbacks(unittest.TestCase):
    def setUp(self):
        self.machine = Machine()

    def test_lightning(self):
        saved = []
        trainer = types.SimpleNamespace(precision="32-true", save_checkpoint=saved.append)
        callback = lightning.FollowCallback("5 W for 5 s, 0 W for 100 s", checkpoint="last.ckpt",
                                            **self.machine.options())
        callback.on_train_start(trainer, None)
        for batch in range(200):
            callback.on_train_batch_start(trainer, None, None, batch)
            self.machine.work(0.02)
            callback.on_train_batch_end(trainer, None, None, None, batch)
        callback.on_train_end(trainer, None)
        self.assertEqual(saved, ["last.ckpt"])
        self.assertEqual(sum(callback.follow.report.steps), 200)
        self.assertGreater(self.machine.slept, 100)

    def test_transformers_saves_before_a_long_pause(self):
        control = types.SimpleNamespace(should_save=False)
        callback = transformers.FollowCallback("5 W for 5 s, 0 W for 100 s", save=True,
                                               **self.machine.options())
        args = types.SimpleNamespace(bf16=False, fp16=False)
        callback.on_train_begin(args, None, control)
        saves = []
        for step in range(200):
            callback.on_step_begin(args, None, control)
            self.machine.work(0.02)
            callback.on_step_end(args, None, control)
            if control.should_save:
                saves.append(step)
                control.should_save = False
        callback.on_train_end(args, None, control)
        self.assertEqual(len(saves), 1)
        self.assertEqual(sum(callback.follow.report.steps), 200)

    def test_a_trainers_own_precision_is_not_fought(self):
        torch = FakeTorch()
        with unittest.mock.patch.dict(sys.modules, torch=torch):
            callback = lightning.FollowCallback("1 kW", precision="bfloat16",
                                                **self.machine.options())
            callback.on_train_start(types.SimpleNamespace(precision="bf16-mixed"), None)
        self.assertIn("bf16-mixed", callback.follow.problems[0])


class Floor(unittest.TestCase):
    def test_bounds_are_those_of_clopper_and_pearson(self):
        floor = carnot.QualityFloor(0.95)
        self.assertTrue(floor.look(9800, 10000))
        # Each look spends 6 / (pi k)^2 of alpha: the same figure proves less the second time.
        first = floor.lower_bound
        floor.look(9800, 10000)
        self.assertLess(floor.lower_bound, first)
        # All of n right: the bound is alpha_1 ** (1 / n).
        alone = carnot.QualityFloor(0.5)
        alone.look(100, 100)
        self.assertAlmostEqual(alone.lower_bound, (0.05 * 6 / 3.141592653589793 ** 2) ** 0.01,
                               places=9)
        again = carnot.QualityFloor(0.95)
        again.load_state_dict(floor.state_dict())
        self.assertEqual((again.looks, again.certified), (2, True))

    def test_refusals(self):
        for successes, trials in ((3, 2), (-1, 5), (0, 0)):
            with self.assertRaises(ValueError):
                carnot.QualityFloor(0.5).look(successes, trials)
        with self.assertRaises(ValueError):
            carnot.QualityFloor(1.5)


@unittest.skipUnless(importlib.util.find_spec("torch"), "torch is not installed: pip install torch")
class RealTorch(unittest.TestCase):
    def train(self, profile, wrap=True, steps=60, **options):
        import torch
        torch.manual_seed(1)
        torch.set_num_threads(1)
        model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU(),
                                    torch.nn.Linear(64, 10))
        optimiser = torch.optim.SGD(model.parameters(), lr=0.05)
        truth = torch.randn(64, 10)
        data = [torch.randn(32, 64) for _ in range(steps)]
        losses = []
        for x in carnot.follow(data, profile, watts_per_cpu=10.0, **options) if wrap else data:
            loss = torch.nn.functional.cross_entropy(model(x).float(), (x @ truth).argmax(1))
            optimiser.zero_grad()
            loss.backward()
            optimiser.step()
            losses.append(float(loss.detach()))
        return losses

    def test_bit_identical_where_nothing_is_asked(self):
        self.assertEqual(self.train("1 kW", precision="bfloat16"), self.train("", wrap=False))

    def test_low_precision_learns_on_with_fresh_weights(self):
        import torch
        plain, low = self.train("", wrap=False), self.train("1 W", steps=60, precision="bfloat16")
        self.assertFalse(torch.is_autocast_enabled("cpu"))
        self.assertNotEqual(plain, low)
        self.assertAlmostEqual(plain[-1], low[-1], delta=0.02)  # stale weights: 0.07 off

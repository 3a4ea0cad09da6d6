# SPDX-License-Identifier: Apache-2.0
"""Energy, Carbon and Cost as values; measurements sent to other processes."""
import copy
import math
import multiprocessing
import pickle
import random
import subprocess
import sys
import unittest

import carnot


def spent(label):
    with carnot.measure(label) as m:
        sum(range(50_000))
    return m


class Sums(unittest.TestCase):
    def energy(self, value, width, cause, boundary="chip", origin="modelled"):
        return carnot.Energy(value, value - width, value + width, origin, boundary, cause=cause)

    def test_a_shared_cause_counts_once(self):
        counter = [self.energy(10, 1, "scale") for _ in range(100)]
        whole = sum(counter)
        self.assertIsInstance(whole, carnot.Energy)
        self.assertAlmostEqual(whole.value, 1000)
        self.assertAlmostEqual(whole.high - whole.value, 100)  # errs as one

    def test_independent_causes_add_in_quadrature(self):
        whole = sum(self.energy(10, 1, f"meter {i}") for i in range(100))
        self.assertAlmostEqual(whole.value - whole.low, 10)

    def test_a_difference_of_the_same_is_exact(self):
        e = self.energy(7, 2, "table") + self.energy(3, 1, "meter")
        self.assertEqual((e - e).low, 0.0)
        self.assertEqual((e - e).high, 0.0)

    def test_asymmetric_ranges_and_negative_factors(self):
        e = carnot.Energy(10, 9, 14, "published", "node", cause="range")
        self.assertEqual((-e).low, -14)
        self.assertEqual((-e).high, -9)
        self.assertEqual((e * 2).high, 28)
        self.assertEqual((2 * e / 4).low, 4.5)

    def test_a_ratio_of_shared_causes_is_known_better(self):
        a, b = self.energy(10, 5, "scale"), self.energy(20, 10, "scale")
        ratio = a / b
        self.assertEqual((ratio.low, ratio.value, ratio.high), (0.5, 0.5, 0.5))
        self.assertNotIsInstance(ratio, carnot.Energy)

    def test_boundaries_do_not_add(self):
        with self.assertRaisesRegex(carnot.InputError, "different boundaries: chip and facility"):
            self.energy(1, 0, "", "chip") + self.energy(1, 0, "", "facility")
        with self.assertRaises(ValueError):  # the standard kind, too
            sum([self.energy(1, 0, "", "chip"), self.energy(1, 0, "", "node")])

    def test_kinds_do_not_add(self):
        with self.assertRaises(TypeError):
            self.energy(1, 0, "") + carnot.Carbon(1, 1, 1, "published")
        with self.assertRaises(TypeError):
            self.energy(1, 0, "") + 1
        with self.assertRaises(TypeError):
            self.energy(1, 0, "") * self.energy(1, 0, "")

    def test_the_worst_origin_wins(self):
        whole = self.energy(1, 0, "", origin="measured") + self.energy(1, 0, "", origin="assumed")
        self.assertEqual(whole.origin, "assumed")

    def test_unnamed_errors_are_never_understated(self):
        a = carnot.Energy(10, 9, 11, "measured", "chip")
        self.assertEqual((a + a).high, 22)

    def test_nonsense_is_refused(self):
        for bad in [(1, 2, 3), (1, 0, math.nan), (math.inf, 0, math.inf), (1, 0, 0.5)]:
            with self.subTest(bad=bad), self.assertRaises(carnot.InputError):
                carnot.Energy(*bad)
        with self.assertRaisesRegex(ValueError, "measured, published, modelled, assumed"):
            carnot.Energy(1, 1, 1, "guessed", "chip")
        with self.assertRaisesRegex(ValueError, "chip, node, facility, none"):
            carnot.Energy(1, 1, 1, "measured", "rack")

    def test_of_a_record_of_a_document(self):
        record = {"value": 10.0, "low": 8.0, "high": 13.0, "origin": "modelled", "boundary": "chip",
                  "sources": ["b 2014", "a 2020"]}
        a = carnot.Energy.of(record)
        self.assertEqual((a.value, a.low, a.high, a.origin, a.boundary),
                         (10, 8, 13, "modelled", "chip"))
        self.assertEqual((a + a).high, 26)  # the same sources err together
        other = carnot.Energy.of({**record, "sources": ["c"]})
        self.assertLess((a + other).high, 26)
        self.assertIsInstance(carnot.Carbon.of({**record, "boundary": "none"}), carnot.Carbon)
        for bad in ({}, {"value": "x"}, {**record, "origin": "guessed"}, {**record, "low": 11}, 3):
            with self.subTest(bad=bad), self.assertRaises(carnot.InputError):
                carnot.Energy.of(bad)

    def test_order_does_not_matter(self):
        draw = random.Random(1)
        parts = [self.energy(draw.uniform(1, 9), draw.uniform(0, 1), draw.choice("abcd"))
                 for _ in range(40)]
        whole = sum(parts)
        for _ in range(10):
            draw.shuffle(parts)
            other = sum(parts)
            self.assertAlmostEqual(other.low, whole.low, 9)
            self.assertAlmostEqual(other.high, whole.high, 9)


class Values(unittest.TestCase):
    FIGURES = (carnot.Energy(3, 2, 5, "modelled", "node", cause="model"),
               carnot.Carbon(3, 2, 5, "published", "DE", 380.0, cause="grid"),
               carnot.Cost(3, 2, 5, "published", cause="price"),
               carnot.Energy(1, 0.5, 2, "measured", "chip", cause="a")
               + carnot.Energy(1, 0.5, 2, "measured", "chip", cause="b"))

    def test_pickle_and_copy(self):
        for figure in self.FIGURES:
            for protocol in range(2, pickle.HIGHEST_PROTOCOL + 1):
                self.assertEqual(pickle.loads(pickle.dumps(figure, protocol)), figure)
            self.assertEqual(copy.copy(figure), figure)
            self.assertEqual(copy.deepcopy([figure]), [figure])
            self.assertEqual(hash(pickle.loads(pickle.dumps(figure))), hash(figure))

    def test_they_cannot_be_changed(self):
        with self.assertRaises(AttributeError):
            self.FIGURES[0].value = 1
        with self.assertRaises(AttributeError):
            del self.FIGURES[0].low
        with self.assertRaises(AttributeError):
            self.FIGURES[0].watts = 1

    def test_text(self):
        self.assertEqual(str(self.FIGURES[0]), "3 J [2, 5] modelled, node")
        self.assertEqual(f"{self.FIGURES[0]:.2f}", "3.00")
        self.assertIn("<b>3 J</b>", self.FIGURES[0]._repr_html_())
        self.assertEqual(self.FIGURES[1].to_dict()["grid"], "DE")

    def test_a_sum_of_two_grids_names_none(self):
        whole = self.FIGURES[1] + carnot.Carbon(3, 2, 5, "published", "FR", 50.0, cause="grid FR")
        self.assertEqual(whole.grid, "")
        self.assertTrue(math.isnan(whole.grid_g_per_kwh))


class Elsewhere(unittest.TestCase):
    def check(self, there, label):
        self.assertEqual(there.label, label)
        self.assertGreater(there.energy.high, 0)
        self.assertGreater(there.duration_s, 0)
        self.assertFalse(there.running)
        self.assertEqual(set(there.by_domain), {d.id for d in there.domains} & set(there.by_domain))
        self.assertGreater(there.carbon.value, 0)

    def test_a_measurement_is_pickled_with_its_figures(self):
        m = spent("here")
        there = pickle.loads(pickle.dumps(m))
        self.check(there, "here")
        for name in ("energy", "machine_energy", "exclusive_energy", "by_domain", "notes",
                     "duration_s", "cpu_s", "power_w"):
            self.assertEqual(getattr(there, name), getattr(m, name), name)
        self.assertEqual(pickle.loads(pickle.dumps(there)).energy, m.energy)
        self.check(copy.deepcopy(m), "here")

    def test_spawned_workers_return_measurements(self):
        with multiprocessing.get_context("spawn").Pool(2) as pool:
            measurements = pool.map(spent, ["a", "b", "c"])
        for m, label in zip(measurements, "abc"):
            self.check(m, label)
        self.assertIsInstance(sum(m.exclusive_energy for m in measurements), carnot.Energy)

    def test_joblib(self):
        try:
            import joblib
        except ImportError:
            self.skipTest("joblib is not installed: pip install joblib")
        measurements = joblib.Parallel(n_jobs=2)(joblib.delayed(spent)(str(i)) for i in range(4))
        self.assertEqual(len({m.label for m in measurements}), 4)

    def test_two_measurements_of_one_model_err_together(self):
        a, b = spent("a"), spent("b")
        if a.machine_energy.origin != "modelled":
            self.skipTest("this machine has a sensor: what is modelled without one is not shown")
        shared = set(a.machine_energy.causes) & set(b.machine_energy.causes)
        self.assertTrue(shared)
        both = a.machine_energy + b.machine_energy
        apart = a.machine_energy.high - a.machine_energy.value
        self.assertGreater(both.high - both.value, apart)

    def test_carbon_carries_the_causes_of_its_energy(self):
        m = spent("a")
        self.assertLessEqual(set(m.energy.causes), set(m.carbon.causes) | {""})
        self.assertGreater(len(m.carbon.causes), len(m.energy.causes))  # and the grid's
        account = m.account()
        self.assertAlmostEqual(account.cost.value, account.cost_eur)
        self.assertAlmostEqual(account.cost.low, account.cost_low_eur, delta=1e-9 + 1e-6 * account.cost_eur)
        self.assertAlmostEqual(account.embodied.high, account.embodied_high_g,
                               delta=1e-9 + 1e-6 * account.embodied_high_g)

    def test_a_failed_measurement_says_so_elsewhere_too(self):
        m = carnot.measure("never begun")
        there = pickle.loads(pickle.dumps(m))
        with self.assertRaises(carnot.MeterError):
            there.energy

    def test_a_measurement_in_a_notebook(self):
        html = spent("<b>a</b>")._repr_html_()
        self.assertIn("&lt;b&gt;a", html)
        self.assertIn("<svg", html)
        self.assertIn("not begun", carnot.measure("x")._repr_html_())


class Light(unittest.TestCase):
    def test_import_takes_neither_numpy_nor_the_core(self):
        program = ("import sys, carnot; "
                   "sys.exit(str([m for m in ('numpy', 'carnot._core', 'carnot._commands', 'json', "
                   "'sklearn', 'pandas') if m in sys.modules] or '') or 0)")
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
        self.assertEqual(result.stderr.strip(), "")

    def test_without_the_core_it_is_said_what_to_do(self):
        program = ("import carnot\n"
                   "try:\n    carnot.limits()\n"
                   "except carnot.DeviceError as e:\n    print(e)\n"
                   "print(carnot.build_info()['core'])")
        import os
        result = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                                env={**os.environ, "CARNOT_CORE": "/nowhere/_core.so"})
        self.assertIn("pip install .", result.stdout)
        self.assertIn("False", result.stdout)

    def test_what_there_is_not_is_an_attribute_error(self):
        with self.assertRaises(AttributeError):
            carnot.plann
        self.assertTrue(hasattr(carnot, "plan"))
        self.assertIn("explain", dir(carnot))


if __name__ == "__main__":
    unittest.main()

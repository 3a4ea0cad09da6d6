# SPDX-License-Identifier: Apache-2.0
import csv
import glob
import math
import os
import signal
import subprocess
import sys
import tempfile
import time
import unittest
import warnings

from carnot.codecarbon import (COLUMNS, TASK_COLUMNS, EmissionsTracker, OfflineEmissionsTracker,
                               TaskEmissionsTracker, track_emissions, track_task_emissions)
from sensors import burn, tree


def rows(folder, name="emissions.csv"):
    with open(os.path.join(folder, name), newline="") as file:
        return list(csv.DictReader(file))


class Tracker(unittest.TestCase):
    def setUp(self):
        self.context = tree(watts=100.0, dram_watts=20.0)
        self.tree = self.context.__enter__()
        self.meter = self.tree.meter()
        self.folder = tempfile.TemporaryDirectory()
        self.options = {"output_dir": self.folder.name, "meter": self.meter}

    def tearDown(self):
        self.folder.cleanup()
        self.context.__exit__(None, None, None)

    def test_figures_and_row(self):
        tracker = EmissionsTracker("p", country_iso_code="FRA", **self.options)
        tracker.start()
        burn(0.1)
        kg = tracker.stop()
        data = tracker.final_emissions_data
        self.assertIsInstance(kg, float)
        self.assertEqual(tracker.final_emissions, kg)
        self.assertEqual(data.emissions, kg)
        self.assertAlmostEqual(data.energy_consumed, 120 * data.duration / 3.6e6,
                               delta=120 * 0.05 / 3.6e6)
        self.assertAlmostEqual(data.cpu_energy / data.ram_energy, 5.0, delta=0.2)
        self.assertAlmostEqual(data.cpu_power, 100.0, delta=20)
        self.assertAlmostEqual(data.cpu_energy + data.ram_energy + data.gpu_energy,
                               data.energy_consumed, delta=1e-12)
        self.assertAlmostEqual(data.emissions_rate, kg / data.duration, delta=1e-15)
        self.assertEqual(tracker.stop(), kg, "a second stop changes nothing")
        row, = rows(self.folder.name)
        self.assertEqual(tuple(row), COLUMNS)
        self.assertEqual(float(row["emissions"]), kg)
        self.assertEqual(row["project_name"], "p")
        self.assertEqual(row["latitude"], "", "what is not known is empty, not 0")
        self.assertEqual(os.listdir(self.folder.name), ["emissions.csv"])

    def test_carbon_is_energy_times_grid(self):
        tracker = OfflineEmissionsTracker(force_carbon_intensity_g_co2e_kwh=500.0, **self.options)
        with tracker:
            burn(0.05)
        data = tracker.final_emissions_data
        self.assertAlmostEqual(data.emissions, data.energy_consumed * 0.5, delta=1e-12)

    def test_pue_on_energy_power_and_emissions(self):
        tracker = OfflineEmissionsTracker(force_carbon_intensity_g_co2e_kwh=500.0, pue=2.0,
                                          **self.options)
        with tracker:
            burn(0.05)
        data = tracker.final_emissions_data
        self.assertAlmostEqual(data.energy_consumed, 240 * data.duration / 3.6e6,
                               delta=240 * 0.05 / 3.6e6)
        self.assertAlmostEqual(data.cpu_power, 200.0, delta=60)
        self.assertAlmostEqual(data.emissions, data.energy_consumed * 0.5, delta=1e-12)

    def test_tasks_alone_make_a_run(self):
        tracker = EmissionsTracker("p", output_file="t.csv", experiment_name="e", **self.options)
        for name in ("load", "train", "load"):
            tracker.start_task(name)
            burn(0.03)
            tracker.stop_task()
        burn(0.1)  # belongs to none
        kg = tracker.stop()
        self.assertGreater(kg, 0)
        self.assertEqual(tracker.stop(), kg)
        tasks = rows(self.folder.name, f"emissions_e_{tracker.run_id}.csv")
        self.assertEqual(tuple(tasks[0]), TASK_COLUMNS)
        self.assertEqual([row["task_name"].split("_")[0] for row in tasks], ["load", "train", "load"])
        self.assertEqual(len({row["task_name"] for row in tasks}), 3)
        row, = rows(self.folder.name, "t.csv")
        for name in ("duration", "emissions", "energy_consumed", "cpu_energy"):
            self.assertAlmostEqual(float(row[name]), math.fsum(float(t[name]) for t in tasks),
                                   delta=1e-12 + 1e-9 * float(row[name]))
        self.assertAlmostEqual(float(row["cpu_power"]), 100.0, delta=30)
        self.assertEqual(sorted(os.listdir(self.folder.name)),
                         sorted([f"emissions_e_{tracker.run_id}.csv", "t.csv"]))

    def test_task_blocks_and_decorators(self):
        tracker = EmissionsTracker(**self.options)

        @track_task_emissions(tracker=tracker)
        def work():
            burn(0.02)
            return 7
        self.assertEqual(work(), 7)
        with TaskEmissionsTracker("block", tracker=tracker) as task:
            burn(0.02)
        self.assertGreater(task.data.energy_consumed, 0)
        tracker.stop()
        tasks = rows(self.folder.name, f"emissions_base_{tracker.run_id}.csv")
        self.assertEqual([row["task_name"] for row in tasks], ["work", "block"])

    def test_settings_of_files_and_variables(self):
        with tempfile.TemporaryDirectory() as home, tempfile.TemporaryDirectory() as here:
            for folder, text in ((home, "project_name=home\nmeasure_power_secs=7\npue=1.5\n"),
                                 (here, "project_name = here\nsave_to_file=no\n")):
                with open(os.path.join(folder, ".codecarbon.config"), "w") as file:
                    file.write("[codecarbon]\n" + text)
            before, kept = os.getcwd(), dict(os.environ)
            try:
                os.chdir(here)
                os.environ.update(HOME=home, CODECARBON_COUNTRY_ISO_CODE="FRA",
                                  CODECARBON_API_KEY="k")
                with self.assertWarnsRegex(UserWarning, "does without api_key"):
                    tracker = EmissionsTracker(meter=self.meter)
                with tracker:
                    pass
                data = tracker.final_emissions_data
                self.assertEqual((data.project_name, data.pue, data.country_iso_code),
                                 ("here", 1.5, "FRA"))
                self.assertEqual(os.listdir(here), [".codecarbon.config"], "save_to_file=no")
                tracker = EmissionsTracker("call", pue=2.0, api_key=False, meter=self.meter)
                with tracker:
                    pass
                self.assertEqual((tracker.final_emissions_data.project_name,
                                  tracker.final_emissions_data.pue), ("call", 2.0))
                os.environ["CODECARBON_PUE"] = "much"
                with self.assertRaisesRegex(ValueError, "pue: a number is needed, not 'much'"):
                    EmissionsTracker(meter=self.meter)
            finally:
                os.chdir(before)
                os.environ.clear()
                os.environ.update(kept)

    def test_regions_by_name(self):
        def name(**where):
            tracker = OfflineEmissionsTracker(save_to_file=False, meter=self.meter, **where)
            with tracker:
                pass
            return tracker.final_emissions_data.country_name
        self.assertEqual(name(country_iso_code="USA", region="california"), "California")
        self.assertEqual(name(country_iso_code="USA", region="New York"), "New York")
        with self.assertWarnsRegex(UserWarning, "region='bavaria'"):
            self.assertEqual(name(country_iso_code="DEU", region="bavaria"), "Germany")

    def test_process_mode_is_less_than_the_machine(self):
        tracker = EmissionsTracker(tracking_mode="process", **self.options)
        with tracker:
            time.sleep(0.1)
        self.assertLess(tracker.final_emissions_data.energy_consumed,
                        tracker.measurement.machine_energy_j / 3.6e6)

    def test_rows_are_appended_under_the_columns_there_are(self):
        with open(os.path.join(self.folder.name, "emissions.csv"), "w") as file:
            file.write("timestamp,emissions,project_name,something_else\nold,1,old,x\n")
        with EmissionsTracker("new", **self.options):
            pass
        first, second = rows(self.folder.name)
        self.assertEqual(first["something_else"], "x")
        self.assertEqual(second["project_name"], "new")
        self.assertEqual(second["something_else"], "")

    def test_tasks(self):
        tracker = EmissionsTracker(**self.options)
        tracker.start()
        tracker.start_task("a")
        burn(0.02)
        a = tracker.stop_task()
        tracker.start_task("b")
        burn(0.02)
        b = tracker.stop_task("b")
        tracker.stop()
        for task in (a, b):
            self.assertGreater(task.energy_consumed, 0)
        self.assertLess(a.energy_consumed + b.energy_consumed,
                        tracker.final_emissions_data.energy_consumed * 1.02)
        with self.assertRaises(ValueError):
            tracker.stop_task("c")

    def test_parallel_trackers(self):
        trackers = [EmissionsTracker(str(i), **self.options) for i in range(8)]
        for t in trackers:
            t.start()
        burn(0.02)
        for t in trackers:
            self.assertGreater(t.stop(), 0)
        self.assertEqual(len(rows(self.folder.name)), 8)

    def test_decorator_passes_results_and_exceptions(self):
        @track_emissions(project_name="d", **self.options)
        def work(x):
            if x < 0:
                raise ImportError("mine")
            return x + 1
        self.assertEqual(work(1), 2)
        with self.assertRaisesRegex(ImportError, "mine"):
            work(-1)
        self.assertEqual(len(rows(self.folder.name)), 2)

    def test_options_of_other_kinds_are_accepted_aloud(self):
        with warnings.catch_warnings(record=True) as caught:
            warnings.simplefilter("always")
            EmissionsTracker(save_to_api=True, log_level="error", frobnicate=3, **self.options)
        self.assertEqual(len(caught), 1)
        self.assertIn("frobnicate, save_to_api", str(caught[0].message))

    def test_bad_options_raise(self):
        for bad in ({"tracking_mode": "galaxy"}, {"measure_power_secs": 0},
                    {"country_iso_code": "Atlantis"}):
            with self.assertRaises(ValueError):
                EmissionsTracker(**self.options, **bad)
        with self.assertRaises(OSError):
            EmissionsTracker(output_dir="/nonexistent")

    def test_a_full_disk_hides_nothing(self):
        tracker = EmissionsTracker(**self.options)
        tracker.start()
        self.folder.cleanup()
        with self.assertLogs("carnot.codecarbon", "ERROR"):
            self.assertGreater(tracker.stop(), 0)

    def test_killed_program_loses_no_row(self):
        program = (f"import sys, time; sys.path[:0] = {sys.path!r}\n"
                   "from carnot.codecarbon import EmissionsTracker\n"
                   f"t = EmissionsTracker('killed', 0.02, output_dir={self.folder.name!r})\n"
                   "t.start()\nprint('up', flush=True)\n"
                   "time.sleep(60)")
        child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE,
                                 text=True)
        self.assertEqual(child.stdout.readline(), "up\n")
        time.sleep(0.3)
        child.send_signal(signal.SIGKILL)
        child.wait()
        child.stdout.close()
        self.assertEqual(len(glob.glob(self.folder.name + "/*.part")), 1)
        with EmissionsTracker("next", **self.options):
            pass
        first, second = rows(self.folder.name)
        self.assertEqual((first["project_name"], second["project_name"]), ("killed", "next"))
        self.assertGreater(float(first["duration"]), 0.15)
        self.assertGreater(float(first["emissions"]), 0)
        self.assertEqual(os.listdir(self.folder.name), ["emissions.csv"])

    def test_killed_after_its_row_was_added(self):
        tracker = EmissionsTracker("once", **self.options)
        tracker.start()
        part, = glob.glob(self.folder.name + "/*.part")
        with open(part) as file:
            left = file.read()
        tracker.stop()
        with open(part, "w") as file:  # as if killed before it could be taken away
            file.write(left.replace(f'"pid": {os.getpid()}', '"pid": 4194305'))
        with open(part + ".new", "w") as file:
            file.write("{")
        with EmissionsTracker("next", **self.options):
            pass
        self.assertEqual([r["project_name"] for r in rows(self.folder.name)], ["once", "next"])
        self.assertEqual(os.listdir(self.folder.name), ["emissions.csv"])

    def test_running_trackers_are_not_taken_over(self):
        running = EmissionsTracker("running", **self.options)
        running.start()
        with EmissionsTracker("other", **self.options):
            pass
        self.assertEqual([r["project_name"] for r in rows(self.folder.name)], ["other"])
        running.stop()
        self.assertEqual(len(rows(self.folder.name)), 2)

    def test_without_a_file(self):
        tracker = EmissionsTracker(save_to_file=False, meter=self.meter)
        tracker.start()
        self.assertGreaterEqual(tracker.flush(), 0)
        self.assertFalse(math.isnan(tracker.stop()))


if __name__ == "__main__":
    unittest.main()

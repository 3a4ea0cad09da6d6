# SPDX-License-Identifier: Apache-2.0
"""Every command from Python: the document is the one that `--json` prints, but for times."""
import json
import os
import re
import subprocess
import tempfile
import unittest

import carnot
import core_inputs

PROGRAM = os.environ["CARNOT_PROGRAM"]
# Words of the wall clock, by key.
TIMES = {"started", "seconds", "plan_seconds", "wall_s", "duration_s", "elapsed_s", "cpu_s", "time_s",
         "rows_per_second", "seconds_measured", "solve_s",
         "training_cpu_s"}


def timeless(value):
    if isinstance(value, dict):
        return {key: "-" if key in TIMES or key.endswith("_seconds") else timeless(v)
                for key, v in value.items()}
    if isinstance(value, list):
        return [timeless(v) for v in value]
    return value


class Documents(unittest.TestCase):
    """In one folder; each test writes and reads there alone."""

    @classmethod
    def setUpClass(cls):
        cls.folder = tempfile.TemporaryDirectory()
        cls.before = os.getcwd()
        os.chdir(cls.folder.name)
        core_inputs.write_all(".")

    @classmethod
    def tearDownClass(cls):
        os.chdir(cls.before)
        cls.folder.cleanup()

    def same(self, document, *words, code=0):
        line = subprocess.run([PROGRAM, *words, "--json"], capture_output=True, text=True,
                              timeout=120)
        self.assertEqual(line.returncode, code, line.stderr)
        self.assertEqual(document.exit_code, code)
        theirs = json.loads(line.stdout)
        self.assertEqual(timeless(document.to_dict()), timeless(theirs))
        # Keys in the same order, numbers written alike.
        blank = re.compile("|".join(rf'"{key}": ?[^,\n]+' for key in sorted(TIMES)) +
                           r'|"\w+_seconds": ?[^,\n]+')
        self.assertEqual(blank.sub("", document.to_json()), blank.sub("", line.stdout))
        return document

    def test_limits(self):
        self.same(carnot.limits(), "limits")

    def test_explain(self):
        d = self.same(carnot.explain("config.json", on="h100-sxm", batch=4), "explain",
                      "config.json", "--on", "h100-sxm", "--batch", "4")
        self.assertIn("<svg", d._repr_html_())
        self.assertIn("<html", d.page())
        d = self.same(carnot.explain("config.json", what_if=["batch=1,8", "on=h100-sxm,h200-sxm"]),
                      "explain", "config.json", "--what-if", "batch=1,8", "--what-if",
                      "on=h100-sxm,h200-sxm")

    def test_catalogue(self):
        d = self.same(carnot.catalogue.list(), "catalogue", "list")
        table = d.table("rows")
        self.assertEqual(len(table), len(d.rows))
        self.assertEqual(table["chip"][0], d.rows[0].chip)
        self.same(carnot.catalogue.show("h100-sxm"), "catalogue", "show", "h100-sxm")
        self.same(carnot.catalogue.diff(["h100-sxm", "h200-sxm"]), "catalogue", "diff", "h100-sxm",
                  "h200-sxm")

    def test_learn_and_predict(self):
        d = self.same(carnot.learn("table.csv", label="kind", learner="gbdt", trees=5,
                                   save="model.carnot"),
                      "learn", "table.csv", "--label", "kind", "--learner", "gbdt", "--trees", "5",
                      "--save", "model.carnot")
        self.assertGreater(d.energy_j.high, d.energy_j.low)
        self.assertEqual(carnot.Energy.of(d.energy_j).boundary, "chip")
        self.assertIn("<svg", d._repr_html_())
        self.same(carnot.predict("model.carnot", "table.csv"), "predict", "model.carnot", "table.csv")
        self.same(carnot.learn("digits", bits=["8", "32"], epochs=1), "learn", "digits", "--epochs", "1",
                  "--bits", "8", "--bits", "32")

    def test_run_and_report(self):
        d = self.same(carnot.run("tiny.toml", policy=["fixed:int8"], out="run.journal", force=True),
                      "run", "tiny.toml", "--policy", "fixed:int8", "--out", "run.journal", "--force")
        self.assertIn("<svg", d._repr_html_())
        self.same(carnot.report("run.journal"), "report", "run.journal")

    def test_plan(self):
        made = carnot.plan(generate="jobs=30,sites=2,slots=24,modes=2,seed=4", out="p")
        self.assertEqual(made.problem, os.path.join("p", "problem.json"))
        d = self.same(carnot.plan("p/problem.json"), "plan", "p/problem.json")
        self.assertTrue(os.path.exists("plan.json"))  # the command line's
        table = d.table("assignments")
        with open("plan.csv") as file:
            rows = file.read().splitlines()
        self.assertEqual(table.names, rows[0].split(","))
        self.assertEqual(len(table), len(rows) - 1)
        self.assertIn("<svg", d._repr_html_())
        self.same(carnot.plan(check="plan.json", problem="p/problem.json"), "plan", "p/problem.json",
                  "--check", "plan.json")
        self.same(carnot.plan("p/problem.json", pareto=3), "plan", "p/problem.json", "--pareto", "3")
        self.same(carnot.report("plan.json"), "report", "plan.json")

    def test_plan_writes_nothing_unasked(self):
        carnot.plan(generate="jobs=5,sites=2,slots=12,modes=1,seed=1", out="q")
        before = set(os.listdir("."))
        carnot.plan("q/problem.json")
        self.assertEqual(set(os.listdir(".")), before)
        carnot.plan("q/problem.json", out="q/plan.json")
        self.assertTrue(os.path.exists("q/plan.csv"))

    def test_simulate(self):
        words = ["--jobs", "jobs.csv", "--sites", "."]
        d = self.same(carnot.simulate(jobs="jobs.csv", sites="."), "simulate", *words)
        self.assertGreater(len(d.runs), 0)
        self.assertIn("<svg", d._repr_html_())
        self.assertIn("\n", carnot.simulate(list=True).text)

    def test_grid(self):
        self.same(carnot.grid.flow("grid.m"), "grid", "flow", "grid.m")
        if carnot.build_info()["parts"]["clp"]:
            self.same(carnot.grid.opf("grid.m"), "grid", "opf", "grid.m")

    def test_data_and_assess(self):
        self.same(carnot.data.look("wind.csv"), "data", "look", "wind.csv")
        d = self.same(carnot.assess("bills", location="DE"), "assess", "bills", "--location", "DE")
        self.assertIn("<html", d.page())

    def test_measure_a_command(self):
        d = carnot.measure_command(["true"])
        self.assertEqual(d.schema, "carnot.measure/1")
        self.assertEqual(d.exit_code, 0)
        self.assertEqual(carnot.measure_command(["sh", "-c", "exit 3"]).exit_code, 3)
        self.same(carnot.measure_command(list=True), "measure", "--list")
        with self.assertRaisesRegex(carnot.UsageError, "with the command after --"):
            carnot.measure_command(experiment="load")

    def test_figure8(self):
        self.same(carnot.learn_figure8(bits=["2", "8"], rows=200, seeds=1), "learn", "figure8", "--bits",
                  "2", "--bits", "8", "--rows", "200", "--seeds", "1")

    def test_burn(self):
        self.assertEqual(carnot.burn(units=1, threads=1).units, 1)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
"""The package's types, as a user's checker sees them."""
import importlib.util
import os
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]

PROGRAM = """
import carnot

def budget(path: str) -> float:
    plan = carnot.plan(path, time_limit=2.5, solver="exact")
    energies = [carnot.Energy(1, 0.5, 2, "measured", "chip", cause="a")]
    whole: carnot.Energy = energies[0] + energies[0] * 2
    trace: carnot.Trace = carnot.Trace.read(path)
    return float(plan.objective_eur) + whole.value + trace.integral(0, 1)
"""
WRONG = """
import carnot
carnot.plan("p.json", time_limitt=3)
carnot.Energy("3", 2, 5) + 3
"""


@unittest.skipUnless(importlib.util.find_spec("mypy"), "mypy is not installed: pip install mypy")
class Types(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.cache = tempfile.TemporaryDirectory()

    @classmethod
    def tearDownClass(cls):
        cls.cache.cleanup()

    def mypy(self, *words):
        return subprocess.run([sys.executable, "-m", "mypy", "--cache-dir", self.cache.name, *words],
                              capture_output=True, text=True, cwd=ROOT,
                              env={**os.environ, "MYPYPATH": str(ROOT / "python")})

    def test_the_package_is_strict(self):
        result = self.mypy()
        self.assertEqual(result.returncode, 0, result.stdout)

    def test_a_users_program(self):
        with tempfile.TemporaryDirectory() as folder:
            for name, text in (("right.py", PROGRAM), ("wrong.py", WRONG)):
                Path(folder, name).write_text(text)
            result = self.mypy("--config-file=", "--strict", "--follow-imports=silent",
                               f"{folder}/right.py", f"{folder}/wrong.py")
        self.assertNotIn("right.py", result.stdout)
        self.assertIn("time_limitt", result.stdout)
        self.assertRegex(result.stdout, "Found [23] errors in 1 file")


if __name__ == "__main__":
    unittest.main()

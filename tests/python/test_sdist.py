# SPDX-License-Identifier: Apache-2.0
"""The source distribution holds all that a build reads, and nothing of other builds."""
import importlib.util
import os
import subprocess
import sys
import tarfile
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


@unittest.skipUnless(importlib.util.find_spec("scikit_build_core"),
                     "scikit-build-core is not installed")
class SourceDistribution(unittest.TestCase):
    def test_what_is_inside(self):
        program = "import sys; from scikit_build_core.build import build_sdist; build_sdist(sys.argv[1])"
        with tempfile.TemporaryDirectory() as folder:
            subprocess.run([sys.executable, "-c", program, folder], cwd=ROOT, check=True,
                           stdout=subprocess.DEVNULL)
            archive, = Path(folder).iterdir()
            self.assertLess(archive.stat().st_size, 5 << 20)
            with tarfile.open(archive) as tar:
                names = {os.path.join(*name.split("/")[1:]) for name in tar.getnames()
                         if "/" in name}
        # All that the listings of CMake and the sources of the rooms name.
        wanted = {str(path.relative_to(ROOT)) for pattern in (
            "CMakeLists.txt", "cmake/*", "src/**/*.cpp", "src/**/*.hpp", "src/**/*.in",
            "src/**/*.inc", "src/*/CMakeLists.txt", "include/**/*.h*", "apps/*/*", "data/*.csv",
            "data/*.txt", "python/carnot/**/*.py", "python/carnot/py.typed", "web/dist/*")
            for path in ROOT.glob(pattern) if path.is_file()}
        missing = {name for name in wanted - names
                   if not name.endswith("_test.cpp") and "__pycache__" not in name}
        self.assertEqual(missing, set())
        stray = {name for name in names
                 if name.split("/")[0] in ("build", "tests", "docs", "tools", ".git")}
        self.assertEqual(stray, set())


if __name__ == "__main__":
    unittest.main()

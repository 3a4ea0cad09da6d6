# SPDX-License-Identifier: Apache-2.0
"""What docs/how-to/measure-python.md and measure-cpp.md show runs."""
import os
import re
import subprocess
import sys
import tempfile
import unittest
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]


def snippets(page, language):
    return re.findall(rf"```{language}\n(.*?)```", (ROOT / "docs/how-to" / page).read_text(),
                      flags=re.S)


def run(*command, **options):
    return subprocess.run(command, text=True, capture_output=True, **options)


class Pages(unittest.TestCase):
    def test_python(self):
        program = "\n".join(snippets("measure-python.md", "python"))
        self.assertGreater(program.count("carnot.measure("), 2)
        result = run(sys.executable, "-W", "error", "-c", program)
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertIn("J [", result.stdout)
        self.assertIn("kg CO2e", result.stdout)

    def test_c(self):
        snippet, = snippets("measure-cpp.md", "c")
        library = Path(os.environ["CARNOT_LIBRARY"]).resolve()
        with tempfile.TemporaryDirectory() as folder:
            source = Path(folder, "snippet.c")
            source.write_text(snippet)
            built = run(os.environ.get("CC", "cc"), "-std=c99", "-Wall", "-Werror",
                        f"-I{ROOT / 'include'}", str(source), str(library), "-o",
                        f"{folder}/snippet", f"-Wl,-rpath,{library.parent}")
            self.assertEqual(built.returncode, 0, built.stderr)
            result = run(f"{folder}/snippet")
            self.assertEqual(result.returncode, 0, result.stdout)
            self.assertIn(" J in [", result.stdout)

    def test_cpp_is_the_example(self):
        snippet, = snippets("measure-cpp.md", "cpp")
        example = (ROOT / "examples/measure_window.cpp").read_text()
        self.assertIn(snippet.strip(), example, "examples/measure_window.cpp shows what the page does")


if __name__ == "__main__":
    unittest.main()

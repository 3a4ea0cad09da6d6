# SPDX-License-Identifier: Apache-2.0
"""docs/tutorials/notebook.ipynb runs as it stands, cell by cell, and its last values have a face."""
import ast
import contextlib
import io
import json
import unittest
from pathlib import Path

NOTEBOOK = Path(__file__).resolve().parents[2] / "docs" / "tutorials" / "notebook.ipynb"


def shown(source, names):
    """Runs a cell as a notebook does; what it prints, and the value of its last line."""
    tree = ast.parse(source)
    last = tree.body.pop() if isinstance(tree.body[-1], ast.Expr) else None
    out = io.StringIO()
    with contextlib.redirect_stdout(out):
        exec(compile(tree, "cell", "exec"), names)
        value = eval(compile(ast.Expression(last.value), "cell", "eval"), names) if last else None
    return out.getvalue(), value


class Notebook(unittest.TestCase):
    def test_every_cell(self):
        try:
            import sklearn  # noqa: F401
        except ImportError:
            self.skipTest("scikit-learn is not installed: pip install scikit-learn")
        notebook = json.loads(NOTEBOOK.read_text())
        self.assertEqual((notebook["nbformat"], notebook["nbformat_minor"]), (4, 5))
        names, printed, faces = {}, "", []
        for cell in notebook["cells"]:
            if cell["cell_type"] != "code":
                continue
            self.assertEqual(cell["outputs"], [])  # written as it runs here, not as it ran once
            text, value = shown("".join(cell["source"]), names)
            printed += text
            if hasattr(value, "_repr_html_"):
                faces.append(value._repr_html_())
        self.assertIn("0 J [0, 0]", printed)
        self.assertIn("accuracy", printed)
        self.assertIn("no plan costs less than", printed)
        self.assertGreaterEqual(sum("<svg" in face for face in faces), 3)
        energies = [names["half"].energy_.value, names["whole"].energy_.value]
        self.assertLessEqual(energies[0], energies[1] / 2)
        self.assertGreater(names["model"].score(names["x"][2000:], names["y"][2000:]), 0.7)


if __name__ == "__main__":
    unittest.main()

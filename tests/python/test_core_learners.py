# SPDX-License-Identifier: Apache-2.0
"""CarnotClassifier and CarnotRegressor; by scikit-learn's own checks where it is installed."""
import pickle
import subprocess
import os
import tempfile
import unittest

import carnot

try:
    import numpy
    import sklearn.base
except ImportError:
    raise unittest.SkipTest("scikit-learn is not installed")

from carnot import CarnotClassifier, CarnotRegressor

# Failing checks of scikit-learn, and why.
EXPECTED = {}


def blobs(rows=600, seed=0):
    draw = numpy.random.default_rng(seed)
    x = draw.normal(size=(rows, 4))
    return x, numpy.where(x[:, 0] * x[:, 1] + 0.3 * x[:, 2] > 0, "yes", "no")


class Fits(unittest.TestCase):
    def test_every_learner_learns(self):
        x, y = blobs()
        for learner, least in (("gbdt", 0.85), ("forest", 0.85), ("mlp", 0.8), ("softmax", 0.5)):
            with self.subTest(learner=learner):
                model = CarnotClassifier(learner, hidden=16).fit(x[:400], y[:400])
                self.assertGreater(model.score(x[400:], y[400:]), least)
                p = model.predict_proba(x[400:])
                self.assertEqual(p.shape, (200, 2))
                self.assertTrue(numpy.allclose(p.sum(axis=1), 1))
                self.assertGreater(model.energy_.value, 0)
                self.assertLess(model.energy_.low, model.energy_.value)
                self.assertEqual((model.energy_.origin, model.energy_.boundary),
                                 ("modelled", "chip"))
                self.assertGreater(model.bits_["uniform"], model.bits_["data"])

    def test_numbers(self):
        draw = numpy.random.default_rng(1)
        x = draw.normal(size=(500, 3))
        y = 1000 + 50 * x[:, 0] - 20 * x[:, 1] + draw.normal(size=500)
        for learner, least in (("gbdt", 0.9), ("forest", 0.8), ("linear", 0.95), ("mlp", 0.9)):
            with self.subTest(learner=learner):
                model = CarnotRegressor(learner).fit(x[:400], y[:400])
                self.assertGreater(model.score(x[400:], y[400:]), least)

    def test_fewer_bits_take_less_energy(self):
        x, y = blobs()
        energies = [CarnotClassifier("mlp", bits=bits).fit(x, y).energy_.value
                    for bits in ("int4", "int8", "f32")]
        self.assertEqual(energies, sorted(energies))
        self.assertLess(energies[0], energies[2])

    def test_a_budget_is_kept(self):
        x, y = blobs()
        whole = CarnotClassifier("mlp").fit(x, y).energy_.value
        half = CarnotClassifier("mlp", budget_j=whole / 2).fit(x, y).energy_.value
        self.assertLessEqual(half, whole / 2)

    def test_energies_of_models_add(self):
        x, y = blobs()
        a, b = (CarnotClassifier("forest", trees=5, random_state=i).fit(x, y) for i in range(2))
        both = sum(m.energy_ for m in (a, b))
        # One table of energies: its errors are shared.
        self.assertAlmostEqual((both.high - both.value) / both.value,
                               (a.energy_.high - a.energy_.value) / a.energy_.value, 1)

    def test_missing_values(self):
        x, y = blobs()
        x = x.copy()
        x[::7, 0] = numpy.nan
        model = CarnotClassifier().fit(x[:400], y[:400])
        self.assertGreater(model.score(x[400:], y[400:]), 0.75)

    def test_the_same_again_and_pickled(self):
        x, y = blobs()
        a, b = (CarnotClassifier("gbdt", trees=20, n_jobs=n).fit(x, y) for n in (1, 2))
        self.assertTrue((a.predict_proba(x) == b.predict_proba(x)).all())
        again = pickle.loads(pickle.dumps(a))
        self.assertTrue((again.predict_proba(x) == a.predict_proba(x)).all())
        self.assertEqual(again.energy_, a.energy_)
        self.assertTrue((sklearn.base.clone(a).fit(x, y).predict(x) == a.predict(x)).all())

    def test_the_file_is_the_command_lines(self):
        pandas = __import__("importlib").util.find_spec("pandas")
        if pandas is None:
            self.skipTest("pandas is not installed: pip install pandas")
        import pandas
        x, y = blobs()
        frame = pandas.DataFrame(x, columns=["a", "b", "c", "d"])
        model = CarnotClassifier("gbdt", trees=10).fit(frame, y)
        with tempfile.TemporaryDirectory() as folder:
            model.save(os.path.join(folder, "m.carnot"))
            frame.to_csv(os.path.join(folder, "rows.csv"), index=False)
            out = os.path.join(folder, "out.csv")
            carnot.predict(os.path.join(folder, "m.carnot"), os.path.join(folder, "rows.csv"),
                           output=out)
            with open(out) as file:
                said = [line.split(",") for line in file.read().splitlines()[1:]]
        self.assertEqual(len(said), len(y))
        agree = sum(model.predict(frame)[i] in row for i, row in enumerate(said))
        self.assertEqual(agree, len(y))

    def test_what_is_refused(self):
        x, y = blobs(50)
        with self.assertRaisesRegex(ValueError, "gbdt, forest"):
            CarnotClassifier("svm").fit(x, y)
        with self.assertRaisesRegex(ValueError, "one class"):
            CarnotClassifier().fit(x, ["a"] * 50)
        with self.assertRaises(ValueError):
            CarnotClassifier(bits="int3x").fit(x, y)
        with self.assertRaises(ValueError):
            CarnotRegressor().fit(x, y)
        model = CarnotClassifier(trees=2).fit(x, y)
        with self.assertRaises(ValueError):
            model.predict(x[:, :2])


class ScikitLearn(unittest.TestCase):
    def test_its_checks(self):
        from sklearn.utils.estimator_checks import check_estimator
        try:
            from sklearn.utils.estimator_checks import estimator_checks_generator  # noqa: F401
        except ImportError:
            self.skipTest("scikit-learn before 1.6: pip install -U scikit-learn")
        for estimator in (CarnotClassifier(trees=20), CarnotRegressor(trees=20)):
            results = check_estimator(estimator, on_fail=None, on_skip=None)
            failed = {r["check_name"]: str(r["exception"])[:300] for r in results
                      if r["status"] == "failed" and r["check_name"] not in EXPECTED}
            self.assertEqual(failed, {}, type(estimator).__name__)
            self.assertGreater(sum(r["status"] == "passed" for r in results), 40)


if __name__ == "__main__":
    unittest.main()

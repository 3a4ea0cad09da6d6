# SPDX-License-Identifier: Apache-2.0
"""How commands behave inside a program: errors, threads, signals, progress."""
import os
import pickle
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time
import unittest
from pathlib import Path

import carnot
from carnot._call import call
from carnot._native import core

HERE = Path(__file__).resolve().parent


def problem(folder, jobs=300, sites=4, slots=48):
    return carnot.plan(generate=f"jobs={jobs},sites={sites},slots={slots},modes=3,seed=1",
                       out=folder).problem


class Errors(unittest.TestCase):
    def test_a_missing_file(self):
        with self.assertRaisesRegex(carnot.InputFileError, "nowhere.json") as caught:
            carnot.plan("nowhere.json")
        self.assertIsInstance(caught.exception, (carnot.IoError, OSError))

    def test_bad_input_names_its_place(self):
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder, "s.toml")
            path.write_text("name = 'x'\nnodes = [\n")
            with self.assertRaisesRegex(carnot.InputError, r"s\.toml:2"):
                carnot.run(path)
            with self.assertRaises(ValueError):
                carnot.run(path)

    def test_usage(self):
        for wrong in (lambda: carnot.plan(), lambda: carnot.plan("x", threads=0),
                      lambda: carnot.plan("x", solver="fastest"),
                      lambda: carnot.explain("x", compare="a=1", what_if="b=2"),
                      lambda: call("plan", (), {"no-such-option": "1"}, None),
                      lambda: call("fly", (), {}, None)):
            with self.subTest(), self.assertRaises(carnot.UsageError):
                wrong()
        with self.assertRaises(TypeError):
            carnot.plan("x", sovler="exact")

    def test_a_file_that_cannot_be_written(self):
        with self.assertRaisesRegex(carnot.IoError, "/proc/none"):
            carnot.learn("digits", epochs=0.1, html="/proc/none/x.html")

    def test_the_rest_of_the_kinds(self):
        for kind, base in (("DeviceError", RuntimeError), ("InternalError", RuntimeError),
                           ("Stopped", carnot.Error), ("UsageError", carnot.InputError)):
            self.assertTrue(issubclass(getattr(carnot, kind), (base,)))
        self.assertTrue(issubclass(carnot.MeterError, carnot.DeviceError))
        with self.assertRaises(carnot.InputError):
            core().Estimate(1.0, 2.0, 3.0, "measured", "chip", "x")

    def test_names_that_are_no_utf8(self):
        with self.assertRaises(carnot.InputFileError):
            carnot.plan(os.fsdecode(b"\xff\xfe.json"))

    def test_following_is_for_programs_of_their_own(self):
        with self.assertRaisesRegex(carnot.UsageError, "carnot.follow"):
            call("run", (), {"follow": "10 W", "pid": os.getpid()}, None)


class Documents(unittest.TestCase):
    def test_attributes_items_and_pickles(self):
        d = carnot.limits()
        self.assertTrue(d)
        self.assertEqual(d.schema, d["schema"])
        self.assertIsInstance(d, dict)
        again = pickle.loads(pickle.dumps(d))
        self.assertEqual(again, d)
        self.assertEqual(again.to_json(), d.to_json())
        self.assertEqual(type(again), carnot.Document)
        with self.assertRaisesRegex(AttributeError, "schema"):
            d.skema
        self.assertIn("schema", dir(d))
        self.assertIn("<table>", d._repr_html_())
        with self.assertRaisesRegex(carnot.InputError, "no page"):
            d.page()

    def test_help_and_numbers_as_words(self):
        from carnot._call import _word
        import numpy
        self.assertEqual([_word(v) for v in (numpy.float64(0.25), numpy.float64(2), numpy.int64(7))],
                         [b"0.25", b"2", b"7"])
        self.assertIn("text", carnot.simulate(list=numpy.True_))
        self.assertEqual([_word(v) for v in (3, 3.0, 0.25, "x", Path("a/b"), -1)],
                         [b"3", b"3", b"0.25", b"x", b"a/b", b"-1"])


class Threads(unittest.TestCase):
    def test_several_at_once_answer_as_one(self):
        with tempfile.TemporaryDirectory() as folder:
            path = problem(folder, jobs=60, sites=3, slots=24)
            alone = carnot.plan(path, seed=7).objective_eur
            answers = [None] * 4

            def work(i):
                answers[i] = carnot.plan(path, seed=7).objective_eur

            threads = [threading.Thread(target=work, args=(i,)) for i in range(4)]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
            self.assertEqual(answers, [alone] * 4)

    def test_other_threads_go_on_and_progress_stops(self):
        """A heartbeat keeps beating, progress comes in the caller's thread, and False ends it."""
        beats, stop, lines, callers = [0], threading.Event(), [], set()

        def beat():
            while not stop.is_set():
                beats[0] += 1
                time.sleep(0.002)

        def look(line):
            lines.append((line, beats[0]))
            callers.add(threading.get_ident())
            return False if len(lines) == 3 else None

        with tempfile.TemporaryDirectory() as folder:
            path = problem(folder)
            thread = threading.Thread(target=beat)
            thread.start()
            try:
                early = carnot.plan(path, iterations=1_000_000, threads=1, progress=look)
            finally:
                stop.set()
                thread.join()
        self.assertEqual(len(lines), 3)
        self.assertIn("%", lines[0][0])
        self.assertEqual(callers, {threading.get_ident()})
        # Between two lines lie 100 ms or more: no beat, were the interpreter's lock kept.
        self.assertGreater(lines[2][1] - lines[0][1], 10)
        self.assertEqual(early.exit_code, 130)  # the best there was
        self.assertGreater(early.bound_eur, 0)

    def test_what_progress_raises_is_raised(self):
        with tempfile.TemporaryDirectory() as folder:
            path = problem(folder)

            def look(line):
                raise KeyError("mine")

            with self.assertRaisesRegex(KeyError, "mine"):
                carnot.plan(path, iterations=1_000_000, progress=look)

    def test_ctrl_c(self):
        program = """
import sys, time, carnot
def look(line):
    print("at work", flush=True)
try:
    carnot.plan(sys.argv[1], iterations=1000000, progress=look)
except KeyboardInterrupt:
    print("interrupted", flush=True)
    print(carnot.limits().schema)
"""
        with tempfile.TemporaryDirectory() as folder:
            path = problem(folder)
            child = subprocess.Popen([sys.executable, "-c", program, path], text=True,
                                     stdout=subprocess.PIPE)
            self.assertEqual(child.stdout.readline().strip(), "at work")
            child.send_signal(signal.SIGINT)
            out, _ = child.communicate(timeout=60)
            self.assertIn("interrupted", out)
            self.assertIn("carnot.", out)  # and it goes on
            self.assertEqual(child.returncode, 0)


class Estimates(unittest.TestCase):
    """The arithmetic of _estimate.py against that of the C++ library."""

    def test_sums_products_and_ratios(self):
        draw = random.Random(5)
        native = core().Estimate
        for _ in range(300):
            pairs = []
            for _ in range(draw.randrange(1, 8)):
                value = draw.uniform(0.5, 100)
                figure = (value, value - draw.choice([0, draw.uniform(0, 9)]),
                          value + draw.uniform(0, 9), draw.choice(["measured", "modelled"]),
                          draw.choice(["chip", "none"]))
                cause = draw.choice("abc")
                pair = (carnot.Energy(*figure, cause=cause), native(*figure, cause))
                factor = draw.choice([1.0, -2.5, draw.uniform(-3, 3)])
                pairs.append((pair[0] * factor, pair[1].scaled(factor)))
            ours, theirs = pairs[0]
            for a, b in pairs[1:]:
                ours, theirs = ours + a, theirs.plus(b)
            self.same(ours, theirs)
            if pairs[-1][0].value != 0:
                self.same(ours / pairs[-1][0], theirs.over(pairs[-1][1]))

    def same(self, ours, theirs):
        for name in ("value", "low", "high"):
            self.assertAlmostEqual(getattr(ours, name), getattr(theirs, name), delta=1e-9 * max(
                1.0, abs(theirs.low), abs(theirs.high)), msg=name)
        self.assertEqual((ours.origin, ours.boundary), (theirs.origin, theirs.boundary))


class Build(unittest.TestCase):
    def test_what_is_there_and_what_is_not(self):
        info = carnot.build_info()
        self.assertTrue(info["core"] and info["meter"])
        self.assertEqual(info["version"], core().__version__)
        for name, there in info["parts"].items():
            self.assertEqual(name in info["missing"], not there, name)

    def test_every_command_is_a_function(self):
        names = {c["name"] for c in core().describe()["commands"]}
        self.assertGreaterEqual(names, {"plan", "learn", "explain", "simulate", "run", "assess"})
        for name in names - {"measure"}:
            self.assertTrue(hasattr(carnot, name), name)


if __name__ == "__main__":
    unittest.main()

# SPDX-License-Identifier: Apache-2.0
import asyncio
import gc
import multiprocessing
import os
import subprocess
import sys
import threading
import time
import unittest
import warnings

import carnot
from sensors import burn, tree


def _spawned(queue):
    with carnot.measure("child") as m:
        burn(0.02)
    queue.put((m.energy_j, m.energy.origin, m.cpu_s))


class Measured(unittest.TestCase):
    """Against counters of known power."""

    @classmethod
    def setUpClass(cls):
        cls.context = tree(watts=100.0, dram_watts=20.0)
        cls.tree = cls.context.__enter__()
        cls.meter = cls.tree.meter()

    @classmethod
    def tearDownClass(cls):
        del cls.meter
        gc.collect()
        cls.context.__exit__(None, None, None)

    def near(self, m, watts=120.0, slack_s=0.1):
        truth = watts * m.duration_s
        self.assertAlmostEqual(m.machine_energy_j, truth, delta=watts * slack_s)
        # Within a step of the counter it says nothing, and the power model stands in.
        if m.duration_s > 0.005:
            self.assertEqual(m.machine_energy.origin, "measured")
            self.assertEqual(m.machine_energy.boundary, "chip")
        self.assertLessEqual(m.machine_energy.low, m.machine_energy.value)
        self.assertGreaterEqual(m.machine_energy.high, m.machine_energy.value)
        self.assertGreaterEqual(m.energy.low, 0)
        self.assertLessEqual(m.energy_j, m.machine_energy_j * (1 + 1e-9))

    def test_figures(self):
        with self.meter.measure("x") as m:
            burn(0.1)
            self.assertTrue(m.running)
            early = m.machine_energy_j
            burn(0.1)
        self.assertFalse(m.running)
        self.near(m)
        self.assertGreater(m.machine_energy_j, early)
        self.assertGreaterEqual(m.cpu_s, 0.2)
        self.assertGreater(m.energy_j, 0)
        self.assertAlmostEqual(m.power_w * m.duration_s, m.energy_j, delta=1e-9 * m.energy_j)
        self.assertAlmostEqual(sum(e.value for e in m.by_domain.values()), m.machine_energy_j,
                               delta=1e-9 * m.machine_energy_j)
        self.assertEqual(sorted(d.kind for d in m.domains), ["dram", "model", "package"])
        self.assertEqual([e.value for name, e in m.by_domain.items() if "model" in name], [])
        self.assertEqual(m.label, "x")
        self.assertIn("measured", repr(m))

    def test_stopping_twice_changes_nothing(self):
        m = self.meter.measure("x").start()
        m.stop()
        first = m.machine_energy
        time.sleep(0.01)
        m.stop()
        self.assertEqual(m.machine_energy, first)
        with self.assertRaises(RuntimeError):
            m.start()

    def test_nested_shares_sum_to_the_outermost(self):
        with self.meter.measure("outer", scope="thread") as outer:
            burn(0.02)
            with self.meter.measure("inner", scope="thread") as inner:
                burn(0.02)
        self.assertAlmostEqual(outer.exclusive_energy_j + inner.exclusive_energy_j, outer.energy_j,
                               delta=1e-9 * outer.energy_j)
        self.assertTrue(outer.overlapped and inner.overlapped)

    def test_own_exception_passes_untouched(self):
        error = KeyError("mine")
        with self.assertRaises(KeyError) as caught:
            with self.meter.measure("x") as m:
                raise error
        self.assertIs(caught.exception, error)
        self.assertIsNone(error.__context__)
        self.assertGreaterEqual(m.machine_energy_j, 0)

    def test_own_exception_passes_even_if_stopping_fails(self):
        with warnings.catch_warnings():
            warnings.simplefilter("error")  # not even a warning turned error may mask it
            with self.assertRaises(ZeroDivisionError):
                with self.meter.measure("x") as m:
                    m._window.end = None
                    1 / 0
        self.assertIn("not callable", m.notes[0].why)
        with self.assertRaises(carnot.MeterError):
            m.energy_j  # noqa: B018

    def test_threads(self):
        results = []

        def work():
            for _ in range(5):
                with self.meter.measure("t", scope="thread") as m:
                    burn(0.002)
                results.append(m)
        threads = [threading.Thread(target=work) for _ in range(8)]
        with self.meter.measure("all") as around:
            for t in threads:
                t.start()
            for t in threads:
                t.join()
        self.assertEqual(len(results), 40)
        for m in results:
            self.near(m)
            self.assertGreaterEqual(m.cpu_s, 0.002)
        self.near(around)

    def test_tasks(self):
        async def work(i):
            async with self.meter.measure(f"task {i}") as m:
                await asyncio.sleep(0.01)
                burn(0.002)
            return m

        async def main():
            return await asyncio.gather(*(work(i) for i in range(10)))
        for m in asyncio.run(main()):
            self.near(m)
            self.assertTrue(m.overlapped)

    def test_decorator(self):
        @carnot.measured("named", meter=self.meter)
        def add(a, b=1):
            """Adds."""
            return a + b

        @carnot.measured("co", meter=self.meter)
        async def co():
            await asyncio.sleep(0.001)
            return 7

        @carnot.measured("gen", meter=self.meter)
        def gen():
            yield 1
            yield 2
            return 3

        self.assertEqual(add(2, b=3), 5)
        self.assertEqual(add(2), 3)
        self.assertEqual(add.__doc__, "Adds.")
        self.assertEqual([m.label for m in add.measurements], ["named", "named"])
        self.assertEqual(asyncio.run(co()), 7)
        self.near(co.measurements[0])
        self.assertEqual(list(gen()), [1, 2])
        self.near(gen.measurements[0])

        @carnot.measured("boom", meter=self.meter)
        def boom():
            raise ValueError("mine")
        with self.assertRaisesRegex(ValueError, "mine"):
            boom()
        self.near(boom.measurements[0])

    def test_fork_within_a_measurement(self):
        with self.meter.measure("around") as m:
            pids = []
            for _ in range(4):
                pid = os.fork()
                if pid == 0:
                    code = 1
                    try:
                        with self.meter.measure("in child") as child:
                            burn(0.01)
                        good = child.machine_energy_j >= 0 and child.cpu_s >= 0.01
                        good = good and m.machine_energy_j > 0  # the parent's, in the child
                        code = 0 if good else 2
                    finally:
                        os._exit(code)
                pids.append(pid)
            for pid in pids:
                self.assertEqual(os.waitpid(pid, 0)[1], 0)
        self.near(m)

    def test_bad_options_are_told_at_once(self):
        for options in ({"scope": "world"}, {"policy": "free"}, {"pue": 0.5}, {"location": "zz"},
                        {"carbon_g_per_kwh": -1}):
            with self.assertRaises(ValueError):
                carnot.measure("x", **options)
            with self.assertRaises(ValueError):
                carnot.measured("x", **options)

    def test_carbon(self):
        with self.meter.measure("x", carbon_g_per_kwh=360.0) as m:
            burn(0.05)
        self.assertAlmostEqual(m.carbon_g, m.energy_j * 360 / 3.6e6, delta=1e-9)
        with self.meter.measure("x") as world:
            burn(0.01)
        self.assertEqual(world.carbon.grid, "WORLD")
        self.assertLess(world.carbon.low, world.carbon.value)


class Anywhere(unittest.TestCase):
    """With whatever this machine has."""

    def test_never_zero_or_none(self):
        with carnot.measure("x") as m:
            burn(0.05)
        self.assertGreater(m.machine_energy.high, 0)
        self.assertGreater(m.energy.high, 0)
        self.assertIn(m.energy.origin, ("measured", "modelled"))
        if m.energy.origin == "modelled":
            self.assertTrue(m.notes, "a modelled figure says why")

    def test_without_sensor_or_model(self):
        with self.assertRaises(carnot.MeterError) as caught:
            carnot.Meter(sysfs_root="/nonexistent", dev_root="/nonexistent", nvml="none",
                         amd_smi="none", model=False)
        self.assertTrue(str(caught.exception))

    def test_before_it_began(self):
        with self.assertRaisesRegex(carnot.MeterError, "not begun"):
            carnot.measure("x").energy_j  # noqa: B018

    def test_processes(self):
        for method in ("fork", "spawn"):
            context = multiprocessing.get_context(method)
            queue = context.Queue()
            with carnot.measure("around"):
                workers = [context.Process(target=_spawned, args=(queue,)) for _ in range(3)]
                for w in workers:
                    w.start()
                results = [queue.get(timeout=60) for _ in workers]
                for w in workers:
                    w.join()
            for energy_j, origin, cpu_s in results:
                self.assertGreater(energy_j, 0, method)
                self.assertGreaterEqual(cpu_s, 0.02, method)

    def test_what_it_starts_counts_alive_or_ended(self):
        program = ("import time\nt = time.process_time()\n"
                   "while time.process_time() - t < 0.3: pass\n"
                   "print('done', flush=True)\ntime.sleep(60)")
        with carnot.measure("ended") as ended:
            subprocess.run([sys.executable, "-c", program.replace("time.sleep(60)", "")],
                           stdout=subprocess.DEVNULL, check=True)
        self.assertGreaterEqual(ended.cpu_s, 0.3)
        with carnot.measure("nothing") as nothing:
            pass
        self.assertLess(nothing.cpu_s, 0.1)  # what ended before is not counted again
        with carnot.measure("alive") as alive:
            child = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE)
            child.stdout.readline()
        self.assertGreaterEqual(alive.cpu_s, 0.3)
        with carnot.measure("after") as after:
            child.kill()
            child.wait()
            child.stdout.close()
        self.assertLess(after.cpu_s, 0.1)
        with carnot.measure("thread", scope="thread") as thread:
            subprocess.run([sys.executable, "-c", program.replace("time.sleep(60)", "")],
                           stdout=subprocess.DEVNULL, check=True)
        self.assertLess(thread.cpu_s, 0.2)

    def test_a_missing_library_lets_the_program_run(self):
        program = ("import warnings, carnot\n"
                   "warnings.simplefilter('ignore')\n"
                   "with carnot.measure('x') as m: done = 1\n"
                   "assert done\n"
                   "try: m.energy_j\n"
                   "except carnot.MeterError as e: print(e)\n"
                   "print(m.notes)")
        result = subprocess.run([sys.executable, "-c", program], text=True, capture_output=True,
                                env={**os.environ, "CARNOT_LIBRARY": "/nonexistent.so"})
        self.assertEqual(result.returncode, 0, result.stderr)
        for line in result.stdout.splitlines():
            self.assertIn("/nonexistent.so", line)
        self.assertEqual(len(result.stdout.splitlines()), 2)

    def test_no_socket_thread_of_python_or_handler(self):
        program = ("import carnot, signal, socket, threading\n"
                   "def refuse(*a, **k): raise SystemExit('a socket')\n"
                   "socket.socket = refuse\n"
                   "before = [signal.getsignal(s) for s in signal.valid_signals()]\n"
                   "with carnot.measure('x'): pass\n"
                   "assert before == [signal.getsignal(s) for s in signal.valid_signals()]\n"
                   "assert threading.active_count() == 1\n")
        subprocess.run([sys.executable, "-W", "error", "-c", program], check=True)


if __name__ == "__main__":
    unittest.main()

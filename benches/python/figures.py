#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""What the Python package costs: import, attributes, calls, other threads during a plan, Ctrl-C, views.

  CARNOT_LIBRARY=... CARNOT_CORE=... PYTHONPATH=python python3 benches/python/figures.py

CARNOT_LIBRARY and CARNOT_CORE are needed unless the package is installed.
"""
import os
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import timeit


def median_ns(statement, names, number):
    times = timeit.repeat(statement, globals=names, number=number, repeat=9)
    return statistics.median(times) / number * 1e9


def import_cpu():
    """CPU time of `import carnot` beyond an empty interpreter's, ms, median of 15."""
    def cpu(program):
        before = resource.getrusage(resource.RUSAGE_CHILDREN)
        subprocess.run([sys.executable, "-c", program], check=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    with_it = statistics.median(cpu("import carnot") for _ in range(15))
    without = statistics.median(cpu("pass") for _ in range(15))
    return 1e3 * (with_it - without), 1e3 * with_it


def heartbeat(carnot, path):
    """Share of its ticks of 5 ms that a thread keeps during 3 s of a plan, against 3 s of sleep."""
    def ticks(work):
        count, stop = [0], threading.Event()

        def beat():
            while not stop.is_set():
                count[0] += 1
                time.sleep(0.005)
        thread = threading.Thread(target=beat)
        begin = time.perf_counter()
        thread.start()
        work()
        length = time.perf_counter() - begin
        stop.set()
        thread.join()
        return count[0] / length
    begin = [0.0]

    def look(_):
        return time.perf_counter() - begin[0] < 3

    def plan():
        begin[0] = time.perf_counter()
        carnot.plan(path, iterations=1_000_000, threads=1, progress=look)
    return ticks(plan) / ticks(lambda: time.sleep(3))


CTRL_C = """
import sys, time, carnot
begun = []
def look(line):
    if not begun:
        begun.append(1)
        print("at work", flush=True)
try:
    carnot.plan(sys.argv[1], iterations=1000000, progress=look)
except KeyboardInterrupt:
    print(repr(time.clock_gettime(time.CLOCK_MONOTONIC)), flush=True)
"""


def ctrl_c(path, after):
    child = subprocess.Popen([sys.executable, "-c", CTRL_C, path], text=True,
                             stdout=subprocess.PIPE)
    child.stdout.readline()
    time.sleep(after)
    sent = time.clock_gettime(time.CLOCK_MONOTONIC)
    child.send_signal(signal.SIGINT)
    return float(child.communicate()[0]) - sent


def main():
    above, whole = import_cpu()
    print(f"import carnot: {above:.1f} ms CPU above an empty interpreter's, {whole:.1f} ms in all")
    import carnot
    from carnot._native import core
    document = carnot.limits()
    energy = carnot.Energy(3, 2, 5, "modelled", "node", cause="a")
    trace = core().Trace.of(0, 10**9, [1.0] * 1000, "power")
    names = {"d": document, "e": energy, "t": trace, "f": energy + energy}
    print(f"attribute of a document: {median_ns('d.schema', names, 1_000_000):.0f} ns; "
          f"of an Energy: {median_ns('e.low', names, 1_000_000):.0f} ns; "
          f"of a trace: {median_ns('t.begin_ns', names, 1_000_000):.0f} ns")
    print(f"call trace.at: {median_ns('t.at_ns(500 * 10**9)', names, 300_000):.0f} ns; "
          f"integral: {median_ns('t.integral_ns(0, 900 * 10**9)', names, 300_000):.0f} ns; "
          f"Energy + Energy: {median_ns('e + f', names, 50_000):.0f} ns; "
          f"whole command (limits): {median_ns('limits()', {'limits': carnot.limits}, 20) / 1e6:.2f} ms")
    trace = core().Trace.of(0, 10**9, [1.0] * 1_000_000, "power")
    table = carnot.Trace(trace)
    print(f"a million values: view {median_ns('memoryview(t.values)', {'t': trace}, 10_000):.0f} ns, "
          f"Arrow stream {median_ns('t.__arrow_c_stream__()', {'t': table}, 3) / 1e6:.2f} ms "
          "(its column of times is made)")
    try:
        import numpy
        a = numpy.asarray(trace.values)
        print(f"NumPy: {median_ns('f(t.values)', {'t': trace, 'f': numpy.asarray}, 10_000):.0f} ns, "
              f"own data: {a.flags.owndata}, writeable: {a.flags.writeable}")
    except ImportError:
        print("NumPy is not installed")
    with tempfile.TemporaryDirectory() as folder:
        path = carnot.plan(generate="jobs=2000,sites=8,slots=168,modes=3,seed=1", out=folder).problem
        shares = [heartbeat(carnot, path) for _ in range(3)]
        print("ticks a heartbeat keeps during a plan: "
              + ", ".join(f"{100 * s:.1f} %" for s in shares))
        waits = sorted(ctrl_c(path, 0.2 + 0.13 * i) for i in range(15))
        print(f"Ctrl-C to KeyboardInterrupt: median {waits[7]:.3f} s, worst of 15 {waits[-1]:.3f} s")
    print(f"on {os.cpu_count()} CPUs, load {os.getloadavg()[0]:.1f}, Python {sys.version.split()[0]}")


if __name__ == "__main__":
    main()

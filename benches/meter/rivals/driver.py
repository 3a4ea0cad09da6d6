# SPDX-License-Identifier: Apache-2.0
"""Drives one meter on command, in the meter's own interpreter.

  python driver.py FOLDER OPTIONS-JSON NAME      NAME is a file beside this one

Each such file holds a class Meter: made with the options, `start()`, `stop()` -> {"joules": ...},
perhaps `sample()` (one reading), and functions `version()` and `left(folder)` -> joules that can
still be read from what a killed meter left there, None: nothing; and either VENV, the folder of its
interpreter, or PROGRAM, what must be found in PATH. COUNTERS = False: reads no energy counter. Commands come one a line on
standard input; each is answered with one line of JSON. What the meter prints goes to standard error.
"""
import importlib.util
import json
import os
import sys
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent


def load(name):
    """The file of a meter, without its folder in sys.path, where it would hide packages."""
    spec = importlib.util.spec_from_file_location("meter_" + name, HERE / (name + ".py"))
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


class Held:
    """A command between start and stop, for meters that measure a command: tells when it runs, ends
    when told."""

    def __init__(self, folder):
        self.begun, self.let = Path(folder) / "begun", Path(folder) / "let"
        for fifo in (self.begun, self.let):
            fifo.unlink(missing_ok=True)
            os.mkfifo(fifo)
        self.command = ["/bin/sh", "-c", 'echo > "$0"; read line < "$1"', str(self.begun),
                        str(self.let)]

    def wait(self, process, seconds=20):
        """Until the command runs; raises if its meter ends before."""
        fd = os.open(self.begun, os.O_RDONLY | os.O_NONBLOCK)
        try:
            end = time.monotonic() + seconds
            while time.monotonic() < end:
                try:
                    if os.read(fd, 1):
                        return
                except BlockingIOError:
                    pass
                if process.poll() is not None:
                    raise RuntimeError(f"the meter ended with {process.returncode}")
                time.sleep(0.001)
            raise RuntimeError("the command was not started")
        finally:
            os.close(fd)

    def release(self):
        with open(self.let, "w", encoding="ascii") as fifo:
            fifo.write("\n")


def serve(module, options, answers):
    def answer(**document):
        answers.write(json.dumps(document) + "\n")
        answers.flush()

    meter = None
    answer(ready=True)
    for line in sys.stdin:
        words = line.split()
        try:
            if words[0] == "start":
                meter = module.Meter(options)
                meter.start()
                answer(started=True)
            elif words[0] == "stop":
                answer(**meter.stop())
            elif words[0] == "sample":
                count, begin = int(words[1]), time.process_time()
                if not hasattr(meter, "sample"):
                    answer(cpu_s=None)
                    continue
                for _ in range(count):
                    meter.sample()
                answer(cpu_s=(time.process_time() - begin) / count)
            elif words[0] == "quit":
                break
        except BaseException as error:  # a meter's own sys.exit is an answer too
            answer(error=f"{type(error).__name__}: {error}"[:300])
    answers.close()


def main():
    folder, options, name = sys.argv[1], json.loads(sys.argv[2]), sys.argv[3]
    os.chdir(folder)
    options["folder"] = folder
    sys.path[:] = [entry for entry in sys.path if Path(entry or ".").resolve() != HERE]
    sys.modules["driver"] = sys.modules["__main__"]
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)
    serve(load(name), options, answers)


if __name__ == "__main__":
    main()

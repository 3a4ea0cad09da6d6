# SPDX-License-Identifier: Apache-2.0
"""What the measures are made of: a fixture machine, and meters that run inside it."""
import contextlib
import json
import os
import select
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

HERE = Path(__file__).resolve().parent
RIVALS = HERE / "rivals"
IN_TREE = HERE.parents[1] / "tests/meter/harness/in_tree"
# Root reads everything; without these it may only read what the file's mode lets its owner read.
UNPRIVILEGED = ["setpriv", "--bounding-set", "-dac_override,-dac_read_search", "--inh-caps", "-all"]

sys.path.insert(0, str(RIVALS))
from driver import load  # noqa: E402  (rivals/driver.py)


class Lines:
    """One process spoken to in lines of JSON."""

    def __init__(self, words, **options):
        self.process = subprocess.Popen(words, stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        **options)
        self.pending = b""

    def say(self, text):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.write(text.encode() + b"\n")
            self.process.stdin.flush()

    def hear(self, seconds=60):
        end, out = time.monotonic() + seconds, self.process.stdout
        while b"\n" not in self.pending:
            left = end - time.monotonic()
            if left <= 0 or not select.select([out], [], [], left)[0]:
                return {"error": f"no answer in {seconds} s"}
            got = os.read(out.fileno(), 65536)
            if not got:
                return {"error": "it ended"}
            self.pending += got
        line, self.pending = self.pending.split(b"\n", 1)
        return json.loads(line)

    def ask(self, text, seconds=60):
        self.say(text)
        return self.hear(seconds)

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.process.stdin.close()
        try:
            self.process.wait(10)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        self.process.stdout.close()


class Tree(Lines):
    """A fixture machine."""

    def __init__(self, bench, topology):
        self.root = Path(tempfile.mkdtemp(prefix="tree", dir=bench.folder))
        super().__init__([bench.meter_tree, topology, self.root])
        self.hear()

    @property
    def sysfs(self):
        return self.root / "sys"

    def joules(self, command="truth"):
        answer = self.ask(command)
        if "error" in answer:
            raise RuntimeError(f"{command}: {answer['error']}")
        return answer["joules"]

    def close(self):
        super().close()
        shutil.rmtree(self.root, ignore_errors=True)


class Meter(Lines):
    """One meter, in its own interpreter, inside a fixture machine."""

    def __init__(self, bench, name, tree, prefix=(), **options):
        self.name, self.module = name, bench.modules[name]
        self.folder = Path(tempfile.mkdtemp(prefix=name, dir=bench.folder))
        options.setdefault("interval_s", 1)
        words = [*(word.format(folder=self.folder) for word in prefix), bench.interpreter(self.module), RIVALS / "driver.py", self.folder,
                 json.dumps(options), bench.file_of(name)]
        with open(self.folder / "log", "wb") as log:
            super().__init__([IN_TREE, tree.sysfs, *words], stderr=log, env=bench.environment,
                             start_new_session=True)
        self.said = self.hear()

    def start(self):
        self.say("start")

    def started(self):
        """Why it could not start; None: it did."""
        return self.hear().get("error")

    def stop(self):
        answer = self.ask("stop")
        return answer if "error" not in answer else {"joules": None, "why": answer["error"]}

    def processes(self):
        """Those of the meter: the driver itself belongs to libraries alone."""
        found, ahead = [], [self.process.pid]
        while ahead:
            pid = ahead.pop()
            with contextlib.suppress(OSError):
                for task in os.listdir(f"/proc/{pid}/task"):
                    children = Path(f"/proc/{pid}/task/{task}/children").read_text()
                    ahead += map(int, children.split())
                if Path(f"/proc/{pid}/comm").read_text() != "sh\n":  # what is measured
                    found.append(pid)
        return found if hasattr(self.module, "VENV") else found[1:]

    def cpu_s(self):
        """CPU time of its processes, ended threads included, ns resolution."""
        total = 0.0
        for pid in self.processes():
            with contextlib.suppress(OSError):
                total += time.clock_gettime((~pid << 3) | 2)  # the process's CPU clock
        return total

    def peak_rss_mb(self):
        total = 0
        for pid in self.processes():
            with contextlib.suppress(OSError):
                for line in Path(f"/proc/{pid}/status").read_text().splitlines():
                    if line.startswith("VmHWM:"):
                        total += int(line.split()[1])
        return total / 1024

    def kill(self):
        for pid in [*self.processes(), self.process.pid]:
            with contextlib.suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)

    def close(self):
        with contextlib.suppress(BrokenPipeError):
            self.say("quit")
        super().close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)  # helpers that outlive it
        shutil.rmtree(self.folder, ignore_errors=True)


class Bench:
    """Which meters there are, where they are installed, how long windows last."""

    def __init__(self, meter_tree, carnot, installed, folder, only, quick):
        self.meter_tree, self.folder, self.quick = str(meter_tree), folder, quick
        self.installed = Path(installed)
        path = f"{self.installed / 'bin'}:{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
        self.environment = dict(os.environ, PATH=path)
        if carnot:
            self.environment["CARNOT"] = os.environ["CARNOT"] = str(Path(carnot).resolve())
        os.environ["PATH"] = path
        self.modules, self.missing = {}, {}
        for file in sorted(RIVALS.glob("*.py")):
            name = file.stem
            if name in ("driver", "nothing") or (only and name not in only):
                continue
            self.add(name, load(name))
        if "carnot" in self.modules:  # first
            self.modules = {"carnot": self.modules.pop("carnot"), **self.modules}
        self.counting = [name for name, module in self.modules.items()
                         if getattr(module, "COUNTERS", True)]

    def add(self, name, module):
        interpreter = self.interpreter(module)
        there = Path(interpreter).exists() and (
            not hasattr(module, "PROGRAM") or shutil.which(module.PROGRAM))
        if there:
            self.modules[name] = module
        else:
            self.missing[name] = "not installed"

    def interpreter(self, module):
        if hasattr(module, "VENV"):
            return str(self.installed / "venv" / module.VENV / "bin/python")
        return sys.executable

    def file_of(self, name):
        return Path(self.modules[name].__file__).stem

    def version(self, name):
        module = self.modules[name]
        code = (f"import sys; sys.path[:0] = [{str(RIVALS)!r}]; from driver import load; "
                f"del sys.path[0]; print(load({self.file_of(name)!r}).version())")
        said = subprocess.run([self.interpreter(module), "-c", code], capture_output=True, text=True,
                              env=self.environment)
        return said.stdout.strip() if said.returncode == 0 else "?"

    @contextlib.contextmanager
    def together(self, topology, names, before=(), **options):
        """A machine with several meters ready in it: the same joules for all."""
        with contextlib.ExitStack() as stack:
            tree = stack.enter_context(contextlib.closing(Tree(self, topology)))
            for command in before:
                tree.joules(command)
            meters = [stack.enter_context(contextlib.closing(Meter(self, name, tree, **options)))
                      for name in names]
            yield tree, meters


def window(tree, meters, seconds, during=()):
    """Starts all, spends energy for so long, stops all. `during`: commands for the machine, evenly
    spread. -> true joules, {name: answer}"""
    for meter in meters:
        meter.start()
    problems = {meter.name: meter.started() for meter in meters}
    before = tree.joules("power 1")
    for command in during:
        time.sleep(seconds / (len(during) + 1))
        tree.joules(command)
    time.sleep(seconds / (len(during) + 1))
    true = tree.joules("power 0") - before
    answers = {}
    for meter in meters:
        if not problems[meter.name]:
            meter.say("stop")
    for meter in meters:
        answer = {"error": problems[meter.name]} if problems[meter.name] else meter.hear()
        answers[meter.name] = answer if "error" not in answer else {
            "joules": None, "why": answer["error"]}
    return true, answers

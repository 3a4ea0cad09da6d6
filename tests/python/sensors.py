# SPDX-License-Identifier: Apache-2.0
"""A machine with RAPL counters whose true power is known, in a folder."""
import contextlib
import os
import shutil
import signal
import tempfile
import time


class Tree:
    """sys/ and proc/ of one package (and dram) of constant power, advanced by a process; if paced, by
    nothing but `spend`, on a machine where nothing else runs that could have spent it."""

    def __init__(self, watts=100.0, dram_watts=0.0, paced=False):
        self.root = tempfile.mkdtemp(prefix="carnot-python-")
        self.sysfs = os.path.join(self.root, "sys")
        self.procfs = "/proc"
        self.powers = {"intel-rapl:0": watts}
        names = {"intel-rapl:0": "package-0"}
        if dram_watts:
            self.powers["intel-rapl:0:0"] = dram_watts
            names["intel-rapl:0:0"] = "dram"
        self.files = {}
        for zone, name in names.items():
            folder = os.path.join(self.sysfs, "class", "powercap", zone)
            os.makedirs(folder)
            for file, text in (("name", name), ("max_energy_range_uj", "262143328850"),
                               ("enabled", "1")):
                with open(os.path.join(folder, file), "w") as f:
                    f.write(text + "\n")
            path = os.path.join(folder, "energy_uj")
            self.files[zone] = os.open(path, os.O_CREAT | os.O_RDWR, 0o644)
        self._began = time.monotonic()
        self._spent_uj = 1_000_000_000
        self._writer = None
        if paced:
            self.procfs = self.root  # tells of no other process
            self.spend(0)
            return
        self._write()
        # A process, for a thread would stand still while those of a test hold the interpreter.
        parent = os.getpid()
        self._writer = os.fork()
        if self._writer == 0:
            while os.getppid() == parent:
                self._write()
                time.sleep(0.001)
            os._exit(0)

    def spend(self, joules):
        """Of the package. One joule at a time: a counter that leaps by more is not believed."""
        assert joules <= 1 and self._writer is None
        self._spent_uj += round(joules * 1e6)
        os.pwrite(self.files["intel-rapl:0"], b"%d\n" % self._spent_uj, 0)

    def _write(self):
        seconds = time.monotonic() - self._began + 1000
        for zone, fd in self.files.items():
            text = str(int(seconds * self.powers[zone] * 1e6)).encode()
            os.pwrite(fd, text + b"\n", 0)

    def close(self):
        if self._writer is not None:
            os.kill(self._writer, signal.SIGKILL)
            os.waitpid(self._writer, 0)
        for fd in self.files.values():
            os.close(fd)
        shutil.rmtree(self.root)

    def meter(self, **options):
        import carnot
        options.setdefault("procfs_root", self.procfs)
        return carnot.Meter(sysfs_root=self.sysfs, nvml="none", amd_smi="none",
                            dev_root=self.root, **options)


@contextlib.contextmanager
def tree(*args, **kwargs):
    made = Tree(*args, **kwargs)
    try:
        yield made
    finally:
        made.close()


def burn(cpu_s):
    """Uses this thread's CPU time."""
    end = time.thread_time() + cpu_s
    while time.thread_time() < end:
        pass

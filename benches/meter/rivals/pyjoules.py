# SPDX-License-Identifier: Apache-2.0
"""pyJoules: start and stop of an EnergyMeter over all RAPL domains; its energy is the sum of packages
and DRAM."""

TITLE = "pyJoules"
VENV = "pyjoules"


def version():
    from importlib.metadata import version as installed
    return installed("pyJoules")


def left(_folder):
    return None


class Meter:
    def __init__(self, _options):
        from pyJoules.device.rapl_device import RaplDevice
        from pyJoules.energy_meter import EnergyMeter
        device = RaplDevice()
        device.configure()
        self.device, self.meter = device, EnergyMeter([device])

    def start(self):
        self.meter.start()

    def sample(self):
        self.device.get_energy()

    def stop(self):
        self.meter.stop()
        sample = self.meter.get_trace()[0]
        joules = 1e-6 * sum(energy for domain, energy in sample.energy.items()
                            if domain.startswith(("package", "dram")))
        return {"joules": joules, "power_w": joules / sample.duration}

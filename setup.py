# SPDX-License-Identifier: Apache-2.0
"""Builds libcarnot_meter.so with CMake and puts it beside the Python package. What CMake needs is
in tools/debian-packages.txt; at run time nothing but Python is."""
import os
import shutil
import subprocess
from pathlib import Path

from setuptools import Distribution, setup
from setuptools.command.build_py import build_py

try:
    from setuptools.command.bdist_wheel import bdist_wheel
except ImportError:  # before setuptools 70
    from wheel.bdist_wheel import bdist_wheel

ROOT = Path(__file__).resolve().parent


class BuildWithLibrary(build_py):
    def run(self):
        super().run()
        if self.editable_mode:
            target = ROOT / "python" / "carnot"
        else:
            target = Path(self.build_lib) / "carnot"
        shutil.copyfile(self.library(), target / "libcarnot_meter.so.0")

    def library(self):
        given = os.environ.get("CARNOT_LIBRARY")  # built before, such as by a packager
        if given:
            return given
        build = Path(self.get_finalized_command("build").build_temp).resolve() / "library"
        subprocess.run(["cmake", "-S", str(ROOT), "-B", str(build), "-DCMAKE_BUILD_TYPE=Release",
                        "-DCARNOT_LIBRARY_ONLY=ON", "-DBUILD_TESTING=OFF"], check=True)
        subprocess.run(["cmake", "--build", str(build), "--target", "carnot_library",
                        "--parallel", str(os.cpu_count() or 1)], check=True)
        return build / "apps" / "library" / "libcarnot_meter.so"


class WheelForAnyPython(bdist_wheel):
    """The library goes through ctypes: one wheel for every Python 3 of a platform."""

    def get_tag(self):
        return ("py3", "none", super().get_tag()[2])


class WithLibrary(Distribution):
    def has_ext_modules(self):
        return True


setup(distclass=WithLibrary,
      cmdclass={"build_py": BuildWithLibrary, "bdist_wheel": WheelForAnyPython})

# SPDX-License-Identifier: Apache-2.0
"""What carnot raises. Messages about a file read `file:line: field: what is allowed`."""
__all__ = ["DeviceError", "Error", "InputError", "InputFileError", "InternalError", "IoError",
           "Stopped", "UsageError"]


class Error(Exception):
    """Base of all that carnot raises by itself."""


class InputError(Error, ValueError):
    """Bad input: where, what, and what is allowed."""


class UsageError(InputError):
    """Options that do not go together, or that a command does not have."""


class DeviceError(Error, RuntimeError):
    """A device, a sensor or a cluster failed or is missing."""


class IoError(Error, OSError):
    """A file or a connection failed."""

    def __str__(self) -> str:
        return str(self.args[0]) if self.args else ""


class InputFileError(IoError):
    """A file named as input is missing or cannot be read."""


class InternalError(Error, RuntimeError):
    """A fault of carnot's own; please report it."""


class Stopped(Error):
    """Stopped, by a progress function that returned False, before there was anything to return."""

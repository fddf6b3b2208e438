"""The time of the system itself, for what outlives a test: no library that moves a test's clocks reaches it."""

import os
import tempfile

from mockserver.engine.sources import real_time


def system_time() -> float:
    """Unix seconds, some milliseconds late: what the kernel dates a new file with."""
    try:
        with os.fdopen(os.memfd_create("mockserver"), "wb") as file:
            return os.fstat(file.fileno()).st_mtime
    except (OSError, AttributeError):  # only Linux has such files
        return _time_of_a_file()


def _time_of_a_file() -> float:
    try:
        with tempfile.TemporaryFile() as file:
            return os.fstat(file.fileno()).st_mtime
    except OSError:  # there is no room for one
        return real_time()

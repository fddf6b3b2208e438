"""Where a test called into this package."""

import inspect
from contextlib import suppress
from pathlib import Path


def caller() -> str:
    """The file and line that called into this package, as ``tests/test_app.py:12``; "" if there is none."""
    frame = inspect.currentframe()
    while frame is not None and str(frame.f_globals.get("__name__")).startswith("mockserver."):
        frame = frame.f_back
    if frame is None:
        return ""
    file = Path(frame.f_code.co_filename)
    with suppress(ValueError):  # elsewhere
        file = file.relative_to(Path.cwd())
    return f"{file}:{frame.f_lineno}"

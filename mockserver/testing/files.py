"""Files that vendors hand out to a customer, written for a client that reads them."""

import os
from collections.abc import Mapping
from pathlib import Path


def write_files(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    """Write texts by file name into a folder, readable by their owner only; returns the paths by file name.

    Raises OSError, and ValueError for a name that is not of a file in the folder: a server may have sent it.
    """
    written = {}
    for name, text in texts.items():
        file = folder / name
        if file.resolve().parent != folder.resolve():
            raise ValueError(f"{name!r} is not below {folder}")
        folder.mkdir(parents=True, exist_ok=True)
        file.unlink(missing_ok=True)  # one that others may read would keep its mode
        with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as opened:  # noqa: PTH123 -- Path.open takes no mode
            opened.write(text)
        written[name] = file
    return written

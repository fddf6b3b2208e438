"""Files that vendors hand out to a customer, written for a client that reads them."""

import errno
import hashlib
import os
from collections.abc import Mapping
from pathlib import Path

LIST = ".mockserver-files"
"""What was written into a folder, as ``sha256sum`` lists it: nothing else there is ever replaced."""


def write_files(folder: Path, texts: Mapping[str, str]) -> dict[str, Path]:
    """Write texts by file name into a folder, readable by their owner only; returns the paths by file name.

    Raises OSError, a FileExistsError for a file that was not written so, and ValueError for a name that is not of a
    file in the folder: a server may have sent it.
    """
    listed = _listed(folder)
    contents = {name: text.encode("utf-8") for name, text in texts.items()}
    for name, content in contents.items():
        file = folder / name
        if file.resolve().parent != folder.resolve():
            raise ValueError(f"{name!r} is not below {folder}")
        if file.exists() and not _is_ours(file, {listed.get(name), _digest(content)}):
            reason = "it is there, and not as mockserver wrote it; move it away, or name another folder"
            raise FileExistsError(errno.EEXIST, reason, str(file))
    if contents:
        folder.mkdir(parents=True, exist_ok=True)
        listed |= {name: _digest(content) for name, content in contents.items()}
        _write(folder / LIST, "".join(f"{digest}  {name}\n" for name, digest in listed.items()).encode("utf-8"))
    for name, content in contents.items():
        _write(folder / name, content)
    return {name: folder / name for name in contents}


def _listed(folder: Path) -> dict[str, str]:
    """The digest of each file that was written into a folder."""
    file = folder / LIST
    lines = file.read_text("utf-8", "replace").splitlines() if file.is_file() else []
    return {name: digest for digest, _, name in (line.partition("  ") for line in lines)}


def _is_ours(file: Path, digests: set[str | None]) -> bool:
    """Whether a file has one of these digests; a pipe is not waited for."""
    return file.is_file() and _digest(file.read_bytes()) in digests


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(file: Path, content: bytes) -> None:
    file.unlink(missing_ok=True)  # one that others may read would keep its mode
    with open(os.open(file, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as opened:  # noqa: PTH123 -- Path.open takes no mode
        opened.write(content)

"""The calls of failed tests in files: an HTTP Archive and a text for each test."""

import hashlib
import json
import re
from pathlib import Path

from mockserver.server.har import har
from mockserver.server.text_report import call_text
from mockserver.testing.calls import Calls

MAX_NAME = 120  # characters of a file's name
UNSAFE_CHARACTERS = re.compile(r"[^A-Za-z0-9_.-]+")
UNTOLD_CHARACTERS = re.compile(
    r"[^A-Za-z0-9_.:/\[\]-]|\[.*[/:\[]"
)  # what of an id its file's name does not say: a test's parameters


def write_report(folder: Path, test: str, calls: Calls) -> None:
    """Write ``<test>.har`` and ``<test>.txt``; secrets are masked in both. Raises OSError."""
    shapes = [call.data for call in calls]
    folder.mkdir(parents=True, exist_ok=True)
    name = file_name(test)
    archive = json.dumps(har(shapes), indent=1, ensure_ascii=False)
    (folder / f"{name}.har").write_text(archive + "\n", "utf-8", "backslashreplace")
    text = "\n\n".join(map(call_text, shapes)) or "the account received no call"
    (folder / f"{name}.txt").write_text(f"{test}\n\n{text}\n", "utf-8", "backslashreplace")


def file_name(test: str) -> str:
    """A test's id as a name that any file system takes; two ids that would have the same one are told apart."""
    name = UNSAFE_CHARACTERS.sub("-", test).strip("-.")
    if len(name) <= MAX_NAME and not UNTOLD_CHARACTERS.search(test):
        return name
    digest = hashlib.blake2b(test.encode("utf-8", "surrogatepass"), digest_size=4).hexdigest()
    return f"{name[-(MAX_NAME - len(digest) - 1) :].strip('-.')}-{digest}".strip("-")

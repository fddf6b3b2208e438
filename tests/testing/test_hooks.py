"""Files that programs of others load: they must be readable by old Pythons, and do nothing where nothing is set."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

from mockserver.testing import child_environment, redirect
from mockserver.testing.hooks import sitecustomize

OLDEST = (3, 8)


@pytest.mark.parametrize("module", [redirect, sitecustomize])
def test_old_pythons(module: object) -> None:
    """Their syntax is of the oldest that the text promises."""
    file = Path(str(module.__file__))  # type: ignore[attr-defined]  # a module has one
    ast.parse(file.read_text("utf-8"), feature_version=OLDEST)


@pytest.mark.parametrize("reach", [None, "no JSON", '{"hosts": []}', '{"hosts": [], "ca": "/nowhere"}'])
def test_a_stale_variable(reach: str | None) -> None:
    """A program that has inherited something from elsewhere starts as ever, and is told."""
    environment = {"PYTHONPATH": str(child_environment.HOOKS)}
    if reach is not None:
        environment["MOCKSERVER_REACH"] = reach
    command = [sys.executable, "-c", "import socket; print(socket.getaddrinfo.__module__)"]
    ended = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
    assert ended.stdout == "socket\n"
    assert ended.stderr.count("\n") == (reach is not None)
    assert ended.stderr.startswith("mockserver: this Python does not reach the vendors: " if reach else "")


def test_words_of_node() -> None:
    """A path with blanks is quoted, as NODE_OPTIONS asks."""
    assert child_environment._node_word("/a/b.cjs") == "/a/b.cjs"  # noqa: SLF001 -- blanks are in few folders
    assert child_environment._node_word('/a b/"c".cjs') == '"/a b/\\"c\\".cjs"'  # noqa: SLF001 -- as above

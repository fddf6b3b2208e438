"""The package's own order: wings and what they may import, names, sizes, nothing done by importing."""

import ast
import graphlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from mockserver.spec.load import contract_files
from mockserver.spec.source import read
from tests.evidence import ROOT

PACKAGE = ROOT / "mockserver"
# Each imports those before it only.
WINGS = ("spec", "matching", "engine", "coverage", "store", "server", "testing", "cli")
ABOVE_ALL = {"mockserver.__main__"}
BELOW_ALL = {"mockserver", "mockserver.package_check"}
OF_THE_SERVER = {"starlette", "uvicorn", "threading", "socket", "time"}
CLOCK = ("mockserver.engine.sources", "time")  # where time enters, as a value that tests can fix
MOST_LINES = 300


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}


def imported(module: str) -> set[str]:
    """The modules that a module imports, at its top or in a function; a package's own for a name that it defines."""
    found = set()
    for node in ast.walk(ast.parse(MODULES[module].read_text("utf-8"))):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively: {node.module}"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in MODULES else str(node.module) for name in names}
    return found


IMPORTS = {module: imported(module) for module in MODULES}
INNER = [(module, other) for module in MODULES for other in sorted(IMPORTS[module]) if other in MODULES]


def wing(module: str) -> int:
    """How high a module stands."""
    if module in ABOVE_ALL:
        return len(WINGS)
    return -1 if module in BELOW_ALL else WINGS.index(module.split(".")[1])


def test_wings() -> None:
    """A wing imports only wings below it."""
    assert [f"{one} imports {other}" for one, other in INNER if wing(other) > wing(one)] == []
    assert {(wing(one), wing(other)) for one, other in INNER} >= {(n, n - 1) for n in range(1, 6) if n != 4}


@pytest.mark.parametrize("name", WINGS)
def test_no_circle(name: str) -> None:
    """Inside a wing imports form no circle."""
    inside = {module for module in MODULES if wing(module) == WINGS.index(name)}
    assert len(inside) > 1
    graphlib.TopologicalSorter({module: IMPORTS[module] & inside for module in inside}).prepare()


def test_server_alone_knows_sockets_clocks_and_threads() -> None:
    """Only the server, and what starts it, imports Starlette, uvicorn, threads, sockets or time."""
    outer = [(module, name.partition(".")[0]) for module in MODULES for name in IMPORTS[module]]
    below = [(module, name) for module, name in outer if name in OF_THE_SERVER and wing(module) < WINGS.index("server")]
    assert below == [CLOCK]
    assert {name for module, name in outer if wing(module) == WINGS.index("server")} >= {"starlette", "uvicorn"}


@pytest.mark.parametrize("module", MODULES)
def test_size(module: str) -> None:
    """A module is short enough to be read, and none is a drawer for odds and ends."""
    assert len(MODULES[module].read_text("utf-8").splitlines()) <= MOST_LINES
    assert module.rpartition(".")[2] not in {"utils", "util", "helpers", "misc"}


def test_class_names() -> None:
    """No two classes have one name, whatever wing they are in: a name in a traceback or a search is one thing."""
    classes = {
        (node.name, module)
        for module, file in MODULES.items()
        for node in ast.walk(ast.parse(file.read_text("utf-8")))
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_")
    }
    assert len(classes) > 100
    homes = Counter(name for name, _ in classes)
    assert [(name, module) for name, module in sorted(classes) if homes[name] > 1] == []


def texts() -> Iterator[tuple[str, str]]:
    """Every file of the package that holds text, with its path; of YAML all but its examples."""
    for file in sorted(PACKAGE.rglob("*")):
        if file.is_file() and file.suffix != ".pyc":
            text = file.read_text("utf-8")
            if file.suffix == ".yaml":
                text = json.dumps(without_examples(read(file.name, text).value))
            yield file.relative_to(ROOT).as_posix(), text


def without_examples(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: without_examples(item) for key, item in value.items() if key not in {"example", "examples"}}
    return [without_examples(item) for item in value] if isinstance(value, list) else value


def test_no_vendor() -> None:
    """Nothing in the package is named after a vendor; examples may name what is shipped."""
    names = {file.stem for file in contract_files([ROOT / "contracts"])}
    names |= {name.replace("ai", separator + "ai") for name in names for separator in "._- "}
    assert {"koreai", "kore.ai", "poly-ai"} <= names
    files = dict(texts())
    assert {"mockserver/spec/x-mock.schema.json", "mockserver/spec/load.py"} <= files.keys()
    found = [(file, name) for file, text in files.items() for name in names if name in f"{file} {text}".lower()]
    assert found == []


PROBE = """
import importlib, json, sys
opened, started = [], []
def hook(event, arguments):
    if event == "open":
        opened.append(str(arguments[0]))
    elif event in {"socket.__new__", "subprocess.Popen", "_thread.start_new_thread"}:
        started.append(event)
sys.addaudithook(hook)
for module in sys.argv[1:]:
    importlib.import_module(module)
by_import, by_start = list(opened), list(started)
opened.clear()
from mockserver.server.application import create_app
create_app()
print(json.dumps([by_import, by_start, opened]))
"""


def test_importing_does_nothing() -> None:
    """Importing every module opens no file but modules, and starts nothing; creating the app reads the contracts."""
    result = subprocess.run(
        [sys.executable, "-c", PROBE, *(set(MODULES) - ABOVE_ALL)], capture_output=True, text=True, check=True, cwd=ROOT
    )
    by_import, by_start, by_app = json.loads(result.stdout)
    ours = [path for path in by_import if Path(path).is_relative_to(ROOT) and not path.endswith((".py", ".pyc"))]
    assert (ours, by_start) == ([], [])
    assert {str(file) for file in contract_files([ROOT / "contracts"])} <= set(by_app)

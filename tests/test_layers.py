"""The order of the package: what each wing may import, names, and that importing a module does nothing."""

import ast
import graphlib
import json
import subprocess
import sys
from collections import Counter
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import pytest

from mockserver.spec.load import contract_files
from mockserver.spec.source import read_yaml
from tests.evidence import ROOT

PACKAGE = ROOT / "mockserver"
# A wing imports only the wings before it.
WINGS = ("spec", "matching", "engine", "coverage", "store", "server", "testing", "authoring", "cli")
ABOVE_ALL = {"mockserver.__main__"}
FRONT = "mockserver"  # imports the application when it is asked for
BELOW_ALL = {FRONT, "mockserver.package_check"}
OF_THE_SERVER = {"starlette", "uvicorn", "threading", "socket"}
STARTERS = {
    "mockserver.store.sqlite_file",  # writes in a thread, so that a slow disk stops no call that waits for none
    "mockserver.testing.redirect",  # leads a process's connections to a server
    "mockserver.cli.namespaces",  # listens where only a command can connect
    "mockserver.cli.service_relay",
}
DOCUMENTED = {"__future__", "_exit", "_thread"}  # of the standard library
CLOCK = "mockserver.engine.sources"  # where time enters, as a value that tests can fix


def module_name(file: Path) -> str:
    parts = file.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


MODULES = {module_name(file): file for file in sorted(PACKAGE.rglob("*.py"))}


@cache
def nodes(module: str) -> tuple[ast.AST, ...]:
    """All nodes of a module's syntax tree."""
    return tuple(ast.walk(ast.parse(MODULES[module].read_text("utf-8"))))


@cache
def imported(module: str) -> frozenset[str]:
    """The modules that a module imports, at its top or in a function."""
    modules = set()
    for node in nodes(module):
        if isinstance(node, ast.Import):
            modules |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{module} imports relatively: {node.module}"
            names = {f"{node.module}.{alias.name}" for alias in node.names}
            modules |= {name if name in MODULES else str(node.module) for name in names}
    return frozenset(modules)


@cache
def inner() -> list[tuple[str, str]]:
    """Each module that imports another of ours, with that one."""
    return [(one, other) for one in MODULES for other in sorted(imported(one)) if other in MODULES and one != FRONT]


def wing(module: str) -> int:
    """The position of a module's wing; a wing imports only earlier ones of WINGS."""
    if module in ABOVE_ALL:
        return len(WINGS)
    return -1 if module in BELOW_ALL else WINGS.index(module.split(".")[1])


def test_wings() -> None:
    """A wing imports only wings that stand before it in WINGS."""
    assert [f"{importer} imports {module}" for importer, module in inner() if wing(module) > wing(importer)] == []
    pairs = {(wing(importer), wing(module)) for importer, module in inner()}
    assert pairs >= {(n, n - 1) for n in range(1, 6) if n != 4}


@pytest.mark.parametrize("name", WINGS)
def test_no_circle(name: str) -> None:
    """Inside a wing imports form no circle."""
    inside = {module for module in MODULES if wing(module) == WINGS.index(name)}
    assert len(inside) > 1
    graphlib.TopologicalSorter({module: imported(module) & inside for module in inside}).prepare()


def test_server_alone_knows_sockets_and_threads() -> None:
    """Only the server, and what starts it, imports Starlette, uvicorn, threads or sockets."""
    users = {(module, name.partition(".")[0]) for module in MODULES for name in imported(module)}
    outside = {module for module, name in users if name in OF_THE_SERVER and wing(module) != WINGS.index("server")}
    assert outside == STARTERS
    assert {name for module, name in users if wing(module) == WINGS.index("server")} >= {"starlette", "uvicorn"}


def test_time_enters_in_one_place() -> None:
    """Below the server only one module imports time."""
    below = [module for module in MODULES if wing(module) < WINGS.index("server")]
    assert [module for module in below if "time" in imported(module)] == [CLOCK]


OWN_GENERATORS = {"Random", "SystemRandom"}
CLOCKS = {"time", "time_ns", "monotonic", "monotonic_ns", "perf_counter", "perf_counter_ns", "clock_gettime"}


def used_of(module: str, library: str) -> set[str]:
    """The names of a library that a module uses, however it imports them."""
    found = set()
    for node in nodes(module):
        if isinstance(node, ast.ImportFrom) and node.module == library:
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == library:
            found.add(node.attr)
    return found


def test_whoever_seeds_or_freezes_a_process_reaches_nothing_here() -> None:
    """Only a generator of one's own is drawn from, and only the sources look at a clock."""
    drawn = {(module, name) for module in MODULES for name in used_of(module, "random")}
    assert {name for _, name in drawn} == OWN_GENERATORS
    looks = {module for module in MODULES if used_of(module, "time") & CLOCKS}
    assert looks == {CLOCK}


@pytest.mark.parametrize("module", MODULES)
def test_no_drawer(module: str) -> None:
    """No module is a drawer for odds and ends."""
    assert module.rpartition(".")[2] not in {"utils", "util", "helpers", "misc"}


def test_class_names() -> None:
    """No two classes have one name, private or not, whatever wing they are in: what a search finds is one thing."""
    classes = {
        (node.name.lstrip("_"), module)
        for module in MODULES
        for node in nodes(module)
        if isinstance(node, ast.ClassDef)
    }
    assert len(classes) > 100
    homes = Counter(name for name, _ in classes)
    assert [(name, module) for name, module in sorted(classes) if homes[name] > 1] == []


def constants(module: str) -> Iterator[tuple[str, str]]:
    """The constants at the top of a module: name without a leading underscore, and value as it is written."""
    tree = nodes(module)[0]
    assert isinstance(tree, ast.Module)
    for node in tree.body:
        if isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = [target.id for target in targets if isinstance(target, ast.Name) and target.id.isupper()]
            yield from ((name.lstrip("_"), ast.unparse(node.value)) for name in names)


def test_constants_say_what_of() -> None:
    """No two modules have a constant of the same name and another value: its name says what it is of."""
    values: dict[str, set[str]] = {}
    for module in MODULES:
        for name, value in constants(module):
            values.setdefault(name, set()).add(value)
    assert len(values) > 100
    assert {name for name, different in values.items() if len(different) > 1} == set()


def private_names(module: str) -> list[str]:
    """The private names of other libraries that a module uses, of whatever it imports."""
    others: set[str] = set()
    found = []
    for node in nodes(module):
        if isinstance(node, ast.Import):
            found += [name for alias in node.names for name in alias.name.split(".") if name.startswith("_")]
            others |= {(alias.asname or alias.name).partition(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and not str(node.module).startswith("mockserver"):
            names = [*str(node.module).split("."), *(alias.name for alias in node.names)]
            found += [name for name in names if name.startswith("_")]
            others |= {alias.asname or alias.name for alias in node.names}
    for node in nodes(module):
        if isinstance(node, ast.Attribute) and node.attr.startswith("_") and not node.attr.startswith("__"):
            root: ast.expr = node.value
            while isinstance(root, ast.Attribute | ast.Call):
                root = root.value if isinstance(root, ast.Attribute) else root.func
            if isinstance(root, ast.Name) and root.id in others:
                found.append(node.attr)
    return [name for name in found if name not in DOCUMENTED]


def test_no_private_name_of_another_library() -> None:
    """Neither uvicorn's nor anybody's: what is private may change with any version. Of uvicorn one module is used."""
    assert {module: names for module in MODULES if (names := private_names(module))} == {}
    assert {name for module in MODULES for name in imported(module) if name.startswith("uvicorn")} == {"uvicorn"}
    source = "".join(file.read_text("utf-8") for file in MODULES.values())
    for name in ("RequestResponseCycle", "on_response_complete", "_start_asgi_task", "httptools_impl", "h11_impl"):
        assert name not in source


STANDARD_ONLY = (
    "mockserver.spec.errors",
    "mockserver.spec.model",
    "mockserver.spec.value_model",
    "mockserver.spec.pointer",
    *(module for module in MODULES if module.startswith("mockserver.matching.")),
)


def test_nouns_and_matcher_need_the_standard_library_only() -> None:
    """Code that handles pointers, errors, contracts and patterns imports neither YAML nor JSON Schema with them."""
    probe = (
        "import importlib, json, sys\nbefore = set(sys.modules)\n"
        "for module in sys.argv[1:]:\n    importlib.import_module(module)\n"
        "print(json.dumps(sorted(set(sys.modules) - before)))"
    )
    command = [sys.executable, "-c", probe, *STANDARD_ONLY]
    loaded = json.loads(subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT).stdout)
    assert set(STANDARD_ONLY) <= set(loaded)
    roots = {name.partition(".")[0] for name in loaded}
    assert roots - sys.stdlib_module_names == {"mockserver"}


def texts() -> Iterator[tuple[str, str]]:
    """Every file of the package with code or data, with its path; of YAML all but its examples. Guides are neither."""
    for file in sorted(PACKAGE.rglob("*")):
        if file.is_file() and file.suffix not in {".pyc", ".md"}:
            text = file.read_text("utf-8")
            if file.suffix == ".yaml":
                text = json.dumps(without_examples(read_yaml(file.name, text).value))
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
    opened = [Path(path) for path in by_import if Path(path).is_relative_to(PACKAGE)]
    ours = [str(path) for path in opened if path.suffix != ".py" and path.parent.name != "__pycache__"]
    assert (ours, by_start) == ([], [])
    assert {str(file) for file in contract_files([ROOT / "contracts"])} <= set(by_app)

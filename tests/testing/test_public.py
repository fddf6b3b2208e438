"""The public names: listed once for Python and once for type checkers, complete, and found by completion."""

import ast
import inspect
from collections.abc import Iterator
from dataclasses import fields
from types import FunctionType
from typing import Any, get_args, get_type_hints

import pytest

import mockserver.testing
from mockserver.server.settings import Settings
from mockserver.testing import Account, AsyncAccount, RunSettings
from tests.evidence import ROOT

PUBLIC = {name: getattr(mockserver.testing, name) for name in dir(mockserver.testing)}


def test_type_checkers_read_the_same_names() -> None:
    """The stub lists what Python finds, each as itself."""
    stub = ast.parse((ROOT / "mockserver/testing/__init__.pyi").read_text("utf-8"))
    aliases = [alias for node in stub.body if isinstance(node, ast.ImportFrom) for alias in node.names]
    assert sorted(alias.name for alias in aliases) == sorted(PUBLIC)
    assert all(alias.asname == alias.name for alias in aliases)


def ours_in(hint: Any) -> Iterator[str]:
    """The names of our own classes in an annotation."""
    if isinstance(hint, type) and hint.__module__.startswith("mockserver."):
        yield hint.__name__
    for inner in get_args(hint):
        yield from ours_in(inner)


def annotated(owner: Any) -> Iterator[Any]:
    """A public class or function, and what is public of it."""
    yield owner
    if inspect.isclass(owner):
        for name, member in inspect.getmembers(owner):
            if not name.startswith("_") or name in {"__init__", "__enter__", "__aenter__", "__await__"}:
                yield member.fget if isinstance(member, property) else member


@pytest.mark.parametrize("name", [name for name, value in PUBLIC.items() if not inspect.ismodule(value)])
def test_what_a_signature_shows_is_exported(name: str) -> None:
    """Parameters, results and attributes, also of constructors, are of classes that can be imported from here."""
    hints = [
        hint
        for member in annotated(PUBLIC[name])
        if inspect.isclass(member) or isinstance(inspect.unwrap(member) if callable(member) else None, FunctionType)
        for part, hint in get_type_hints(inspect.unwrap(member)).items()
        if not part.startswith("_")
    ]
    shown = {each for hint in hints for each in ours_in(hint) if not each.startswith("_")}
    assert shown <= PUBLIC.keys()


def test_settings_of_run_are_typed() -> None:
    """Each setting but the two folders, which are parameters of their own, with a type that holds the setting's."""
    settings = {setting.name for setting in fields(Settings)} - {"contracts", "fixtures"}
    typed = get_type_hints(RunSettings)
    assert typed.keys() == settings
    of_settings = get_type_hints(Settings)
    assert {
        name for name in settings if name not in {"accounts", "tls_files", "store"} and typed[name] != of_settings[name]
    } == set()


def test_completion_shows_what_is_there(account: Account) -> None:
    """Vendors, operations and methods, on both sides."""
    for side in (account, AsyncAccount(account)):
        assert {"polyai", "voximplant", "assert_accepted", "pin", "freeze", "vendors", "id"} <= set(dir(side))
        assert {"send_sms", "assert_refused", "tokens", "url", "write_files"} <= set(dir(side.polyai))
        assert {"pin", "calls", "reset", "assert_accepted_once"} <= set(dir(side.polyai.send_sms))

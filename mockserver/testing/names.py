"""Names that a test looks up: a wrong one is told with the nearest, and completion shows the public ones."""

from collections.abc import Iterable, Mapping
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any, NoReturn

SYNONYMS = {  # what other libraries call it
    "count": "times",
    "number": "times",
    "timeout": "within",
    "wait": "within",
    "within": "settle",
    "data": "form",
    "params": "query",
}


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """``. Did you mean 'times'?`` if a name is much like a known one, else ""."""
    names = {each.lower(): each for each in known}
    near = [meant for meant in (SYNONYMS.get(name),) if meant in names] or get_close_matches(name.lower(), names, 1)
    return f". Did you mean {names[near[0]]!r}?" if near else ""


class Public:
    """What completion shows by its public names, and what tells the nearest of them for a wrong one."""

    def __dir__(self) -> list[str]:
        return sorted(name for name in super().__dir__() if not name.startswith("_"))

    if not TYPE_CHECKING:  # so that type checkers tell a wrong name, too

        def __getattr__(self, name: str) -> NoReturn:
            hint = "" if name.startswith("_") else nearest_hint(name, dir(self))
            raise AttributeError(f"{type(self).__name__} has no {name!r}{hint}")


class Values(dict[str, Any]):
    """Values by name, at any depth. A wrong name raises a KeyError that has the known ones."""

    def __init__(self, values: Mapping[str, Any], of: str) -> None:
        super().__init__({name: _named(value, f"{of}[{name!r}]") for name, value in values.items()})
        self._of = of

    def __missing__(self, name: object) -> NoReturn:
        raise KeyError(unknown_key(self._of, name, self))


def _named(value: Any, of: str) -> Any:
    if isinstance(value, Mapping):
        return Values(value, of)
    if isinstance(value, list):
        return [_named(item, f"{of}[{index}]") for index, item in enumerate(value)]
    return value


def unknown_key(of: str, name: object, known: Iterable[str]) -> str:
    """The message for a name that a mapping does not have."""
    known = list(known)
    return f"{of} has no {name!r}; known: {', '.join(known) or 'none'}{nearest_hint(str(name), known)}"

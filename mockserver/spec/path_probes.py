"""Paths of a contract that no request comes to, since another of its paths takes them all."""

import re
from collections.abc import Iterable, Iterator

from mockserver.spec.model import Contract
from mockserver.spec.reader import Reader

_IN_BRACES = re.compile(r"\{[^{}]+\}")
_ANY = "\ue000"  # stands for a parameter's value: no path has it, so only a parameter takes it


def check_paths(reader: Reader, contract: Contract) -> None:
    """Add an error for each path that another one hides."""
    for path, other in hidden_paths(dict.fromkeys(operation.path for operation in contract.operations)):
        told = f"no request comes here, for {other} takes them all: the whole of a segment goes before a part of it"
        reader.error(reader.document["paths"], told, path)


def hidden_paths(paths: Iterable[str]) -> Iterator[tuple[str, str]]:
    """Each path that is hidden, with the one that is asked before it and fits whatever fits it.

    Paths whose parameters are whole segments are asked before the others; among those the first one is.
    """
    listed = [path for path in paths if "{" in path]
    whole, parts = ([path for path in listed if _is_whole(path) is is_whole] for is_whole in (True, False))
    for number, path in enumerate(parts):
        any_of_it = _IN_BRACES.sub(_ANY, path)
        takes = (other for other in (*whole, *parts[:number]) if _pattern(other).fullmatch(any_of_it))
        hiding = next(takes, None)
        if hiding is not None:
            yield path, hiding


def _is_whole(path: str) -> bool:
    return all("{" not in segment or _IN_BRACES.fullmatch(segment) for segment in path.split("/"))


def _pattern(path: str) -> re.Pattern[str]:
    return re.compile("[^/]+".join(map(re.escape, _IN_BRACES.split(path))))

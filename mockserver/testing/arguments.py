"""Arguments that a server would refuse or misread: checked here, where the message can name the parameter."""

import math
from collections.abc import Iterable
from datetime import UTC, datetime
from difflib import get_close_matches
from typing import Any

SYNONYMS = {  # what other libraries call it
    "count": "times",
    "number": "times",
    "timeout": "within",
    "wait": "within",
    "data": "form",
    "params": "query",
}


def whole(name: str, value: int) -> int:
    """A whole number from 0. Raises TypeError and ValueError, naming the parameter."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {_typed(value)}")
    if value < 0:
        raise ValueError(f"{name} must be 0 or more, not {value}")
    return value


def seconds(name: str, value: float) -> float:
    """A number of seconds from 0. Raises TypeError and ValueError, naming the parameter."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {_typed(value)}")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be 0 seconds or more, not {value}")
    return value


def moment(name: str, value: str | datetime) -> str:
    """A time as ISO 8601 has it. A datetime without a zone is UTC. Raises TypeError, naming the parameter."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a datetime or an ISO 8601 text, not {_typed(value)}")
    return value


def nearest_hint(name: str, known: Iterable[str]) -> str:
    """``. Did you mean 'times'?`` if a name is much like a known one, else ""."""
    names = list(known)
    near = [meant for meant in (SYNONYMS.get(name),) if meant in names] or get_close_matches(name, names, 1)
    return f". Did you mean {near[0]!r}?" if near else ""


def _typed(value: Any) -> str:
    return f"{type(value).__name__} {value!r}"

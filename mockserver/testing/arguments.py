"""Arguments that a server would refuse or misread: checked here, where the message can name the parameter."""

import math
import re
from collections.abc import Mapping
from datetime import UTC, date, datetime, time
from typing import Any

_CURES = (
    ((bytes, bytearray), "decode it"),
    ((date, time), "write it as text, by isoformat()"),
    (re.Pattern, "ask when={pointer: {'pattern': ...}}"),
)


def whole(name: str, value: int) -> int:
    """A whole number from 0. Raises TypeError and ValueError, naming the parameter."""
    if isinstance(value, bool) or not isinstance(value, int):
        raise TypeError(f"{name} must be a whole number, not {typed(value)}")
    if value < 0:
        raise ValueError(f"{name} must be 0 or more, not {value}")
    return value


def seconds(name: str, value: float) -> float:
    """A number of seconds from 0. Raises TypeError and ValueError, naming the parameter."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise TypeError(f"{name} must be a number of seconds, not {typed(value)}")
    if not math.isfinite(value) or value < 0:
        raise ValueError(f"{name} must be 0 seconds or more, not {value}")
    return value


def moment(name: str, value: str | datetime) -> str:
    """A time as ISO 8601 has it. A datetime without a zone is UTC. Raises TypeError, naming the parameter."""
    if isinstance(value, datetime):
        return (value if value.tzinfo else value.replace(tzinfo=UTC)).isoformat()
    if not isinstance(value, str):
        raise TypeError(f"{name} must be a datetime or an ISO 8601 text, not {typed(value)}")
    return value


def variables(values: Any) -> Mapping[str, str]:
    """Dotted paths by the names of environment variables. Raises TypeError and ValueError."""
    for name, path in mapping("variables", values, 'as in {"NAME": "<vendor>.url"}').items():
        if not isinstance(name, str) or not isinstance(path, str):
            raise TypeError(f"the variable {name!r}: {path!r} must be a name and a dotted path, both texts")
        if not name or "=" in name or "\0" in name:
            raise ValueError(f"{name!r} cannot be the name of an environment variable")
    result: Mapping[str, str] = values
    return result


def mapping(name: str, value: Any, example: str) -> Mapping[Any, Any]:
    """A mapping. Raises TypeError, naming the parameter."""
    if not isinstance(value, Mapping):
        raise TypeError(f"{name} must be a mapping, {example}, not {typed(value)}")
    return value


def json_value(name: str, value: Any) -> None:
    """Check that a value is one that JSON has. Raises TypeError and ValueError, naming its place."""
    if isinstance(value, Mapping):
        for key, item in value.items():
            if not isinstance(key, str):
                raise TypeError(f"{name} must have names that are text, not {typed(key)}")
            check_text(f"a name in {name}", key)
            json_value(f"{name}[{key!r}]", item)
    elif isinstance(value, list | tuple):
        for index, item in enumerate(value):
            json_value(f"{name}[{index}]", item)
    elif isinstance(value, str):
        check_text(name, value)
    elif isinstance(value, float):
        check_number(name, value)
    elif value is not None and not isinstance(value, int):
        raise TypeError(f"{name} must be a value that JSON has, not {typed(value)}{cure(value)}")


def check_text(name: str, value: str) -> None:
    """Raise ValueError for half of a surrogate pair, which cannot be sent."""
    if not value.isascii() and any("\ud800" <= character <= "\udfff" for character in value):
        raise ValueError(f"{name} has half of a surrogate pair, which nothing can send: {value!r}")


def check_number(name: str, value: float) -> None:
    """Raise ValueError for what JSON has no number for."""
    if not math.isfinite(value):
        raise ValueError(f"{name} is {value!r}, which JSON does not have")


def cure(value: Any) -> str:
    """What to do about a value that JSON does not have; "" where nothing is known."""
    return next((f": {what}" for kind, what in _CURES if isinstance(value, kind)), "")


def typed(value: Any) -> str:
    """A value with its type, for a message."""
    return f"{type(value).__name__} {value!r}"

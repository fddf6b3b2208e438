"""The dotted path of one value of an account: ``<vendor>.credentials.api_key``, ``<vendor>.owned.connectors.0.id``."""

import json
import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

VENDOR_PARTS = ("url", "unreachable_url", "credentials", "owned", "tokens")
_PATH_IN_BRACES = re.compile(r"\{([A-Za-z0-9_.-]+)\}")


def vendor_of(path: str, vendors: Iterable[str]) -> tuple[str, str]:
    """The vendor that a path begins with, and the rest. Raises LookupError, which names what there is."""
    vendor, dot, rest = path.partition(".")
    known = list(vendors)
    if vendor not in known:
        raise LookupError(f"there is no vendor {vendor!r}; known: {', '.join(known)}")
    if not dot:
        raise LookupError(f"{vendor} alone is no value; add .url, .credentials, .owned or .tokens")
    return vendor, rest


def value_below(vendor: str, path: str, part_of: Callable[[str], Any], parts: Iterable[str] = VENDOR_PARTS) -> Any:
    """A value of a vendor; ``part_of`` gives the part of this name. Raises LookupError, which names what there is."""
    part, *rest = path.split(".")
    known = tuple(parts)
    if part not in known:
        raise LookupError(f"{vendor} has no {part!r}; known: {', '.join(known)}")
    value, at = part_of(part), f"{vendor}.{part}"
    for token in rest:
        value, at = _member(value, token, at), f"{at}.{token}"
    return value


def _member(value: Any, token: str, at: str) -> Any:
    if isinstance(value, Mapping):
        if token in value:
            return value[token]
        raise LookupError(f"{at} has no {token!r}; known: {', '.join(value) or 'none'}")
    if isinstance(value, list):
        if token.isascii() and token.isdigit() and int(token) < len(value):
            return value[int(token)]
        raise LookupError(f"{at} has {len(value)} items, counted from 0: no {token!r}")
    raise LookupError(f"{at} has nothing below it, so no {token!r}")


def value_in(shape: Mapping[str, Any], path: str) -> Any:
    """A value of an account in the control API's shape. Raises LookupError, which names what there is."""
    vendor, rest = vendor_of(path, shape["vendors"])
    parts = shape["vendors"][vendor]
    return value_below(vendor, rest, parts.__getitem__, [part for part in VENDOR_PARTS if part in parts])


def variable_text(value: Any) -> str:
    """A value as an environment variable has it. What is not text becomes JSON."""
    return value if isinstance(value, str) else json.dumps(value)


def filled(text: str, value_of: Callable[[str], Any]) -> str:
    """A text with each ``{path}`` in it replaced by its value; other braces stay. Raises LookupError."""
    return _PATH_IN_BRACES.sub(lambda found: variable_text(value_of(found[1])), text)

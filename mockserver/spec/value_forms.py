"""The forms of values that are made, told from mappings that hold values; and what is nearly one of them."""

from collections.abc import Callable, Iterator, Mapping
from difflib import get_close_matches
from typing import Any

from mockserver.spec.pointer import is_pointer

COMMON = {"as", "when", "evidence"}
VALUE_FORMS: Mapping[
    str, set[str]
] = {  # by the member that tells a form from a mapping of values: what else it may have
    "echo": {"else", *COMMON},
    "new": {"plus", "format", "length", "prefix", *COMMON},
    "call": {"of", *COMMON},
    "join": COMMON,
    "token": COMMON,
    "count": {"of", *COMMON},
    "each": {"where", "any", "order", "page", "item", "refused", *COMMON},
    "problems": {"where", *COMMON},
}
NEW_TAKES: Mapping[str, frozenset[str]] = {  # by what is made
    "uuid": frozenset({"prefix"}),
    "sequence": frozenset({"prefix"}),
    "timestamp": frozenset({"plus", "format"}),
    "hex": frozenset({"length", "prefix"}),
    "ulid": frozenset({"prefix"}),
    "token": frozenset({"length", "prefix"}),
}
ACCOUNT_TAKES: Mapping[str, frozenset[str]] = {  # the same, of an account's template
    "uuid": frozenset({"prefix"}),
    "uuid5": frozenset({"prefix"}),
    "token": frozenset({"length", "prefix"}),
    "base64": frozenset({"bytes"}),
    "integer": frozenset({"digits"}),
    "email": frozenset(),
    "number": frozenset({"form"}),
    "rsa": frozenset(),
}
NEW_WORDS = ("prefix", "length", "plus", "format", "bytes", "digits", "form")
LIKE_FORMS = 0.6  # what stands at the key must fit, too


def _is_text(value: Any) -> bool:
    return isinstance(value, str)


def _is_list(value: Any) -> bool:
    return isinstance(value, list)


def _is_mapping(value: Any) -> bool:
    return isinstance(value, dict)


_LOOKS: Mapping[str, Callable[[Any], bool]] = {
    # how the form's own member looks, for a mapping of values may have a member of the same name
    "echo": is_pointer,
    "new": _is_text,
    "call": _is_text,
    "join": _is_list,
    "token": _is_text,
    "count": is_pointer,
    "each": is_pointer,
    "problems": _is_mapping,
}
_WANTS = {"echo": "a pointer", "count": "a pointer", "each": "a pointer", "join": "a list of values"}


def is_form(node: Mapping[str, Any]) -> bool:
    """Whether a mapping is a value to be made, and not a mapping of values."""
    return any(form in node and looks(node[form]) for form, looks in _LOOKS.items())


def form_of(node: Mapping[str, Any]) -> str:
    """The member by which a mapping is a form."""
    return next(form for form, looks in _LOOKS.items() if form in node and looks(node[form]))


def idle_words(node: Mapping[str, Any], takes: Mapping[str, frozenset[str]]) -> Iterator[tuple[str, str]]:
    """The members of ``{new: …}`` that do nothing for what is made, and why."""
    taken = takes.get(node["new"], frozenset())
    for name in NEW_WORDS:
        if name in node and name not in taken:
            known = ", ".join(sorted(taken)) or "nothing beside it"
            yield name, f"{name!r} does nothing for a new {node['new']}; it takes: {known}"


def nearly_forms(node: Mapping[str, Any], schemes: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """The members of a mapping of values by which it is probably meant to be a form, and why it is none.

    ``schemes`` are the names of the security schemes that a token may be of.
    """
    for key, value in node.items():
        if key in _WANTS and node.keys() <= {key, *VALUE_FORMS[key]} and _is_text(value) and not value.isdecimal():
            yield key, f"{key!r} takes {_WANTS[key]}: as it is, the mapping itself is sent"
        elif key not in VALUE_FORMS:
            for near in get_close_matches(key.lower(), VALUE_FORMS, n=1, cutoff=LIKE_FORMS):
                if _looks_like(near, node, value, schemes):
                    told = f"unknown key {key!r}: as it is, the mapping itself is sent; did you mean {near!r}?"
                    yield key, told


def _looks_like(form: str, node: Mapping[str, Any], value: Any, schemes: Mapping[str, Any]) -> bool:
    """Whether what stands at a key that is nearly a form's is as the form has it."""
    if form == "new":
        return isinstance(value, str) and value in NEW_TAKES
    if form == "token":
        return isinstance(value, str) and value in schemes
    if form == "call":
        return isinstance(value, str) and isinstance(node.get("of"), list)
    if form == "problems":
        return isinstance(value, dict) and "/item/" in str(value)
    return _LOOKS[form](value)

"""Patterns of requests, and a request as patterns see it.

A view has a ``get(part, default)`` for the parts in VIEW_PARTS that it knows: ``path`` and ``recipient`` are texts,
``path_params``, ``query`` and ``headers`` mappings of texts, header names in lower case, ``body`` is any value.
``json`` is the body where it is read as JSON, ``form`` the fields of a form: a request has one of them at most.
"""

import json
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, Protocol

from mockserver.matching.compare import Difference, Readings, Test, as_shown, differences, equality
from mockserver.spec.pointer import MISSING, Pointer, join
from mockserver.spec.value_model import Validator

PARTS = ("path", "query", "headers", "body", "json", "form")  # what ``where`` may name of a request
WHEN_ROOTS = ("path", "query", "header", "headers", "body")  # how the pointers of ``when`` may begin
# Of a view, what is cheap to read first.
REQUEST_PARTS = ("path", "path_params", "query", "headers", "body", "json", "form")
VIEW_PARTS = ("vendor", "operation", "direction", "answer", "accepted", "recipient", *REQUEST_PARTS)
_NARROWER = {"body": ("json", "form")}  # parts whose value is that of the wider part, too
_PART_OF_ROOT = {"path": "path_params", "header": "headers"}


class View(Protocol):
    """A request as patterns see it. A part may be read only when it is asked for."""

    def get(self, part: str, default: Any, /) -> Any: ...


@dataclass(frozen=True, slots=True)
class _Check:
    """One requirement on one part of a view: a prepared test, and the differences where it fails."""

    part: str
    test: Test
    differences: Callable[[Any], Iterable[Difference]]


@dataclass(frozen=True)
class Pattern:
    """What a request must be like.

    ``where``: expected values by part; of mappings the named members must be equal, the rest is free.
    ``when``: pointers with the schema that each value must fit (None: it must be absent), and the schema as written.
    """

    where: Mapping[str, Any] = field(default_factory=dict)
    when: tuple[tuple[Pointer, Validator | None, Any], ...] = ()

    @cached_property
    def _checks(self) -> tuple[_Check, ...]:
        values = (_value_check(part, expected) for part, expected in self.where.items())
        return (*values, *(_schema_check(*condition) for condition in self.when))

    @cached_property
    def tests(self) -> Mapping[str, tuple[Test, ...]]:
        """By part of a view, tests that all pass where there is no difference: for whoever has many views to test."""
        by_part: dict[str, tuple[Test, ...]] = dict.fromkeys(VIEW_PARTS, ())
        for check in self._checks:
            by_part[check.part] += (check.test,)
        return {part: tests for part, tests in by_part.items() if tests}

    def __bool__(self) -> bool:
        return bool(self.where or self.when)

    def covers(self, other: "Pattern") -> bool:
        """Whether whatever fits another pattern certainly fits this one, as far as both are written alike."""
        return self.written_schemas <= other.written_schemas and all(
            any(
                _implies(other.where[same], expected)
                for same in (part, *_NARROWER.get(part, ()))
                if same in other.where
            )
            for part, expected in self.where.items()
        )

    @cached_property
    def written_schemas(self) -> frozenset[tuple[str, str]]:
        """``when`` as text."""
        return frozenset((str(pointer), _text(schema)) for pointer, _, schema in self.when)

    def fits(self, view: View) -> bool:
        """Whether there is no difference."""
        return not self.differences(view)

    def differences(self, view: View) -> list[Difference]:
        """Every difference, values in the order in which they are written, then schemas."""
        values = {part: view.get(part, MISSING) for part in self.tests}
        return [difference for check in self._checks for difference in check.differences(values[check.part])]


def _implies(narrow: Any, wide: Any) -> bool:
    """Whether a value that is as ``narrow`` says is as ``wide`` says: named members are equal, the rest is free."""
    if isinstance(wide, Mapping):
        return isinstance(narrow, Mapping) and all(
            name in narrow and _implies(narrow[name], value) for name, value in wide.items()
        )
    if isinstance(wide, list):
        return isinstance(narrow, list) and len(narrow) == len(wide) and all(map(_implies, narrow, wide))
    return not isinstance(narrow, Mapping | list) and _text(narrow) == _text(wide)


def _text(value: Any) -> str:
    """A value as text, since Python takes ``1`` for ``true``."""
    return json.dumps(value, sort_keys=True)


def headers_view(pairs: Iterable[Iterable[str]]) -> dict[str, Any]:
    """Headers by lower-case name. One that is given twice is its values joined (RFC 9110 5.3), or each of them."""
    values: dict[str, Any] = {}
    for written, value in pairs:
        name = written.lower()
        if name not in values:
            values[name] = value
            continue
        before = values[name]
        each = (*(before.values[1:] if isinstance(before, Readings) else (before,)), value)
        values[name] = Readings((", ".join(each), *each))
    return values


def answer_view(answer_id: str) -> Any:
    """An answer, asked for by its id or by its name. MISSING where a contract has no such answer."""
    return Readings((answer_id, answer_id.rpartition("/")[2])) if answer_id else MISSING


def value_at(view: View, pointer: str) -> Any:
    """What a difference's pointer names in another view of the same request: in one that is masked."""
    root, *below = Pointer.parse(pointer).tokens
    part = "path_params" if root == "path" and below else root
    return as_shown(Pointer(tuple(below)).get(view.get(part, MISSING)))


def _value_check(part: str, expected: Any) -> _Check:
    seen_as = "path_params" if part == "path" and isinstance(expected, Mapping) else part
    if part == "headers" and isinstance(expected, Mapping):
        expected = {name.lower(): value for name, value in expected.items()}
    return _Check(seen_as, equality(expected), lambda found: differences(expected, found, join(part)))


def _schema_check(pointer: Pointer, validator: Validator | None, schema: Any) -> _Check:
    root, below = pointer.tokens[0], Pointer(pointer.tokens[1:])
    name = below.tokens[0] if len(below.tokens) == 1 else None

    def value_in(part: Any) -> Any:
        if name is not None and isinstance(part, dict):
            return part.get(name, MISSING)
        return below.get(part) if below.tokens else as_shown(part)

    def differing(part: Any) -> Iterable[Difference]:
        value = value_in(part)
        return () if _is_valid(value, validator) else (Difference(str(pointer), {"schema": schema}, as_shown(value)),)

    return _Check(_PART_OF_ROOT.get(root, root), lambda part: _is_valid(value_in(part), validator), differing)


def _is_valid(value: Any, validator: Validator | None) -> bool:
    if validator is None:
        return value is MISSING
    if isinstance(value, Readings):
        return any(validator.is_valid(text) for text in value.values)
    return value is not MISSING and validator.is_valid(value)

"""Whether any request can answer a question about calls: what is impossible is refused, what is doubtful is told.

Where nothing narrows a question to accepted calls, a refused call may be meant, and that may carry anything: a member
that the schema forbids, a value that it does not allow. Of such a question only this is refused:

- a recipient that is no phone number, or one without its country code: calls have ``+`` and digits;
- a path, or a path parameter, that no operation in scope has. Where the scope is not narrowed at all, a call on a path
  of no operation may be meant, which is answered 404: then it is only warned of.

(A value of query, headers or path that is no text is refused where the pattern is read, for pins as well.)

A question about accepted calls only (``accepted: true``, or an answer that means success) is refused as well where
each way to write such a request is against the schema: a member that it forbids, a plain value that it does not allow.
A pin that forces an answer can make such a call all the same, so whoever refuses looks for one first.

A member that no schema in scope names, and a form or JSON where no operation in scope reads a body so, is a warning in
either case.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain, islice
from typing import Any

from mockserver.engine.request import coerce
from mockserver.matching.pattern import Pattern
from mockserver.server.control.names import Scope
from mockserver.server.control.paths import operation_paths
from mockserver.server.control.requests import ApiError, nearest_names, unknown
from mockserver.spec.check import pointers_read
from mockserver.spec.functions import digits
from mockserver.spec.members import Stranger, strangers
from mockserver.spec.model import Contract, Media, OperationSpec
from mockserver.spec.pointer import MISSING, Pointer, join

MAX_WARNINGS = 10
MAX_POINTER_SHOWN = 200  # characters
MAX_VALUES = 1000  # of a part, held against its schema
MAX_VIOLATIONS = 100  # looked at of a request
DIGITS_WITH_COUNTRY = range(11, 16)  # of a number without a plus sign that is surely whole
BODY_PARTS = ("body", "json", "form")
FORMS = frozenset({"form", "multipart"})
_CONDITIONAL = frozenset({"if", "then", "else"})  # hold or not by what a partial value leaves out
_LITERAL = "ask json={...}, form={...} or query={...} for what was literally sent"


@dataclass(frozen=True, slots=True)
class Doubts:
    """``refusal`` is for a question that no call can answer unless a pin forced it; ``warnings`` are sentences."""

    refusal: ApiError | None = None
    warnings: tuple[str, ...] = ()


def check_recipient(scope: Scope, recipient: str, pointer: str) -> tuple[str, ...]:
    """Warnings about a recipient that is asked for. Raises ApiError where no call can have it."""
    number = digits(recipient)
    if not number:
        raise ApiError(400, f"is no phone number, so no call has it: calls have + and digits; {_LITERAL}", pointer)
    if scope.members and not any(operation.recipient for _, operation in scope.members):
        raise ApiError(400, f"no request to {scope.what} names a recipient; leave it out", pointer)
    if recipient.lstrip().startswith("("):
        example = "write it as +1 (415) 555-0123, say"
        raise ApiError(400, f"has no country code before the area code: {example}, or {_LITERAL}", pointer)
    if number[0] == "0" or (not recipient.lstrip().startswith("+") and len(number) not in DIGITS_WITH_COUNTRY):
        return (f"the recipient is looked for as +{number}: is that with its country code?",)
    return ()


def check_pattern(scope: Scope, pattern: Pattern, *, known_paths_only: bool = False) -> Doubts:
    """What speaks against a pattern in a scope. Raises ApiError where no request, accepted or not, can fit.

    ``known_paths_only``: whether calls on paths of no operation are not meant, as in a pin.
    """
    if not pattern:
        return Doubts()
    paths = [
        *_unread_kinds(scope, pattern),
        *_check_path(scope, pattern, scope.is_narrow or known_paths_only),
        *_check_path_names(scope, pattern),
    ]
    warnings = list(islice(chain(paths, _unknown_members(scope, pattern)), MAX_WARNINGS + 1))
    if len(warnings) > MAX_WARNINGS:
        warnings[-1] = "there are more doubts of this kind"
    return Doubts(_impossible(scope, pattern) if scope.means_success else None, tuple(warnings))


def _unread_kinds(scope: Scope, pattern: Pattern) -> Iterator[str]:
    """A form, or JSON, where no operation in scope reads a body so."""
    for part in ("form", "json"):
        if part in pattern.where and scope.members and not any(way.takes(part) for way in _ways(scope)):
            yield f"no request to {scope.what} is read as {part}"


def _check_path(scope: Scope, pattern: Pattern, known_only: bool) -> Iterator[str]:
    path = pattern.where.get("path")
    if not isinstance(path, str):
        return
    known = list(operation_paths(scope.members))
    if any(one.is_of(path) for one in known):
        return
    refusal = unknown(f"path of {scope.what}", path, (one.text for one in known), "/body/where/path")
    if known_only:
        raise refusal
    yield f"only a call that was answered 404 can have this path, for {refusal}"


def _check_path_names(scope: Scope, pattern: Pattern) -> Iterator[str]:
    """Path parameters by name. Only a pointer that must be absent (False) can be met by one that is unknown."""
    known = {name: None for path in operation_paths(scope.members) for name in path.names}
    path = pattern.where.get("path")
    for name in path if isinstance(path, Mapping) else ():
        if name not in known:
            raise unknown(f"path parameter of {scope.what}", name, known, join("body", "where", "path", name))
    for pointer, validator, _ in pattern.when:
        if pointer.tokens[0] == "path" and len(pointer.tokens) > 1 and pointer.tokens[1] not in known:
            at = join("body", "when", str(pointer))
            refusal = unknown(f"path parameter of {scope.what}", pointer.tokens[1], known, at)
            if validator is not None:
                raise refusal
            yield str(refusal)


@dataclass(frozen=True)
class _Way:
    """One way to write a request: to an operation, with a body of one media type or without one."""

    contract: Contract
    operation: OperationSpec
    essence: str
    media: Media | None

    @property
    def is_form(self) -> bool:
        return self.media is not None and self.media.reads in FORMS

    def takes(self, part: str) -> bool:
        """Whether such a request can have this part."""
        if part not in BODY_PARTS:
            return True
        if self.operation.body is not None and self.media is None:
            return False
        reads = self.media.reads if self.media is not None else "nothing"
        return {"form": reads in FORMS, "json": reads == "json"}.get(part, True)

    def schema(self, part: str) -> Any:
        """What the values of a part must fit: a form's fields are in the query, too, or else in the body."""
        parts = self.operation.schemas[self.essence]["properties"]
        body_is_query = self.is_form and self.operation.merges_form
        roots = ("query", "body") if (body_is_query if part in BODY_PARTS else self.is_form) else (_root(part),)
        schemas = [parts[root] for root in roots if root in parts]
        return {"anyOf": schemas} if len(schemas) > 1 else schemas[0] if schemas else None

    def strangers(self, part: str, value: Any) -> dict[str, Stranger]:
        """The members of a part's value that the contract does not name, by pointer into the request."""
        schema = self.schema(part)
        if schema is not None:
            found = strangers(self.contract.document, schema, value, join(part))
        else:
            names = value if isinstance(value, Mapping) else ()
            found = {join(part, name): Stranger(forbidden=False, known=()) for name in names}
        return {at: stranger for at, stranger in found.items() if not self._reads(part, at)}

    def _reads(self, part: str, at: str) -> bool:
        """Whether rules, answers, credentials or a dispatch read this member."""
        first = Pointer.parse(at).tokens[1:2]
        return any(str(Pointer((root, *first))) in self._names for root in {"query", _root(part)})

    @cached_property
    def _names(self) -> frozenset[str]:
        """Pointers to members that something beside the schema reads."""
        names = {join("query", scheme.key) for scheme in self.operation.query_schemes}
        names |= {str(Pointer(at.tokens[:2])) for at in pointers_read(self.operation)}
        for other in self.contract.operations:
            targets = other.dispatch.to.values() if other.dispatch is not None else ()
            if other.dispatch is not None and any(target.id == self.operation.id for target in targets):
                names |= {str(other.dispatch.by), *(at for at, _, _ in other.declared)}
        return frozenset(names)


def _root(part: str) -> str:
    return "body" if part in BODY_PARTS else part


def _ways(scope: Scope) -> Iterator[_Way]:
    for contract, operation in scope.members:
        media = operation.body.media if operation.body is not None else {}
        for essence in sorted(operation.schemas, key=lambda essence: not essence):  # without a body at last
            yield _Way(contract, operation, essence, media.get(essence))


def _asked(pattern: Pattern) -> Iterator[tuple[str, str, Any, bool]]:
    """What is asked of query and body: part, pointer of the part, value, and whether it must be there.

    A pointer of ``when`` stands for a value with members of these names.
    """
    for part in ("query", *BODY_PARTS):
        if part in pattern.where:
            yield part, join("body", "where"), pattern.where[part], True
    for pointer, validator, _ in pattern.when:
        part, *names = pointer.tokens
        if part in {"query", *BODY_PARTS} and names:
            value: Any = None
            for name in reversed(names):
                value = {name: value}
            yield part, join("body", "when", str(pointer)), value, validator is not None


def _unknown_members(scope: Scope, pattern: Pattern) -> Iterator[str]:
    """A sentence for each member that no way to write a request names."""
    for part, _, value, _ in _asked(pattern):
        for at, known in _known_beside(scope, part, value).items():
            names = nearest_names(Pointer.parse(at).tokens[-1], known)
            yield f"{_cut(at)} is in no schema of {scope.what}; known there: {names}"


def _known_beside(scope: Scope, part: str, value: Any) -> dict[str, tuple[str, ...]]:
    """The members of a part's value that no way names, with the names that are known there."""
    nameless: dict[str, tuple[str, ...]] | None = None
    for way in _ways(scope):
        if way.takes(part):
            found = way.strangers(part, value)
            before = dict.fromkeys(found, ()) if nameless is None else nameless
            nameless = {at: known + found[at].known for at, known in before.items() if at in found}
            if not nameless:
                break
    return nameless or {}


def _cut(at: str) -> str:
    return at if len(at) <= MAX_POINTER_SHOWN else f"{at[:MAX_POINTER_SHOWN]}…"


def _impossible(scope: Scope, pattern: Pattern) -> ApiError | None:
    """The refusal of a question about accepted calls, where each way to write one is against the schema."""
    first = None
    if any(_unread_kinds(scope, pattern)):
        return None
    for way in _ways(scope):
        reason = None if _tolerates(way.operation) else next(_reasons(way, pattern), None)
        if reason is None:
            return None
        first = first or reason
    if first is None:  # there is no operation
        return None
    at, why = first
    detail = f"no accepted call of {scope.what} has it: {why}. Ask without accepted, or for refused calls"
    return ApiError(400, detail, at)


def _tolerates(operation: OperationSpec) -> bool:
    """Whether a rule accepts what is against the schema."""
    rules = (rule for rule in operation.rules if rule.on_problem and rule.answer.accepted)
    return any(rule.kinds is None or "invalid" in rule.kinds for rule in rules)


def _reasons(way: _Way, pattern: Pattern) -> Iterator[tuple[str, str]]:
    """What the schema has against such a request: where in the question, and why."""
    for part, at, value, is_required in _asked(pattern):
        if not way.takes(part):
            if is_required:
                yield at if at.startswith("/body/when") else at + join(part), f"it takes no {part}"
            continue
        for place, stranger in way.strangers(part, value).items() if is_required else ():
            if stranger.forbidden:
                known = nearest_names(Pointer.parse(place).tokens[-1], stranger.known)
                yield (
                    (at if at.startswith("/body/when") else at + place),
                    f"its schema forbids {_cut(place)}; known: {known}",
                )
    for part in pattern.where:
        for place, keyword in _misfits(way, part, pattern.where[part]):
            yield join("body", "where") + place, f"its schema does not allow this value of {_cut(place)} ({keyword})"


def _misfits(way: _Way, part: str, value: Any) -> Iterator[tuple[str, str]]:
    """The plain values of a part that its schema does not allow, and the keyword that says so.

    The value is partial: what is said of a whole object or list, and what depends on other members, does not count.
    """
    root, instance = _instance(way, part, value) if way.takes(part) else (None, None)
    if root is None or not _is_small(instance):
        return
    operation = way.operation
    validator = operation.validators.get(way.essence) or operation.validators[""]
    for violation in islice(validator.iter_errors({root: instance}), MAX_VIOLATIONS):
        at = Pointer(tuple(str(token) for token in violation.instance_path))
        leaf = at.get({root: instance})
        if leaf is not MISSING and not isinstance(leaf, dict | list) and _CONDITIONAL.isdisjoint(violation.schema_path):
            yield join(part, *at.tokens[1:]), violation.kind.name


def _is_small(value: Any) -> bool:
    """Whether a value may be held against a schema that it violates: to list violations takes long."""
    waiting, number = [value], 0
    while waiting and number <= MAX_VALUES:
        item = waiting.pop()
        number += 1
        if isinstance(item, dict | list):
            waiting += item.values() if isinstance(item, dict) else item
    return number <= MAX_VALUES


def _instance(way: _Way, part: str, value: Any) -> tuple[str | None, Any]:
    """Where the schema has a part's value, and the value as the schema sees it: texts turned into their types.

    None where nothing is certain: a header may be sent twice, a form's field beside one of that name in the query.
    """
    if part in BODY_PARTS and not way.is_form:
        return "body", value
    if not isinstance(value, Mapping) or part == "headers" or (part in BODY_PARTS and way.operation.merges_form):
        return None, None
    kinds: Mapping[str, str] = {name: kind for where, name, kind in way.operation.coerced if where == part}
    arrays: Mapping[str, Any] = way.operation.arrays.get(part, {})
    if part in BODY_PARTS:
        kinds, arrays = (way.media.coerce, way.media.arrays) if way.media is not None else ({}, {})
    texts = {name: text for name, text in value.items() if name not in arrays}  # several texts may be one array
    return "body" if part in BODY_PARTS else part, _coerced(texts, kinds)


def _coerced(values: Mapping[str, Any], kinds: Mapping[str, str]) -> dict[str, Any]:
    return {name: coerce(text, kinds.get(name)) if isinstance(text, str) else text for name, text in values.items()}

"""Whether any request can answer a question about calls: what is impossible is refused, what is doubtful is told.

Where nothing narrows a question to accepted calls, a refused call may be meant, and that may carry anything: a member
that the schema forbids, a value that it does not allow. Of such a question only this is refused:

- a recipient that is no phone number, or one without its country code: calls have ``+`` and digits;
- a path, or a path parameter, that no operation in scope has. Where the scope is not narrowed at all, a call on a path
  of no operation may be meant, which is answered 404: then it is only warned of.

(A value of query, headers or path that is no text is refused where the pattern is read, for pins as well.)

A question about accepted calls only (``accepted: true``, or an answer that means success) is refused as well where
each way to write such a request is against the schema: a member that it forbids, a plain value that it does not allow.
A pin that forces an answer can make such a call all the same, so whoever refuses looks for one first. Where refused
calls may be meant beside accepted ones, the same is a warning.

A member that no schema in scope names, a header much like one that is named, and a form or JSON where no operation in
scope reads a body so, is a warning in either case. A call that fits a question puts its doubts to rest, but for those
about what must be absent. A pin for a body that nothing reads so is refused.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from difflib import get_close_matches
from functools import cached_property
from itertools import chain, islice
from typing import Any

from mockserver.engine.request import coerce, with_first_entries
from mockserver.matching.pattern import Pattern
from mockserver.server.control.names import Scope
from mockserver.server.control.paths import operation_paths
from mockserver.server.control.requests import ApiError, nearest_names, quoted, unknown
from mockserver.spec.check import pointers_read
from mockserver.spec.functions import MAX_DIGITS, phone_digits
from mockserver.spec.members import Stranger, strangers
from mockserver.spec.model import READ_AS_FORM, Contract, Media, OperationSpec
from mockserver.spec.pointer import MISSING, Pointer, join
from mockserver.spec.wording import shortened

MAX_WARNINGS = 10
MAX_POINTER_SHOWN = 200  # characters
MAX_VALUES = 1000  # of a part, held against its schema
MAX_VIOLATIONS = 100  # looked at of a request
DIGITS_WITH_COUNTRY = range(11, MAX_DIGITS + 1)  # of a number without a plus sign that is surely whole
MAX_COMPARISONS = 1_000  # of a name in a question with a way to write a request, for what is doubtful or impossible
MIN_NAMES_COMPARED = 10  # however many ways there are
MAX_HEADERS_COMPARED = 20  # that nobody knows, with those that are known
NEAR_HEADER = 0.8  # of 1: names that are so alike are meant for each other
COMMON_HEADERS = (
    "accept", "accept-encoding", "accept-language", "authorization", "connection", "content-encoding", "content-length",
    "content-type", "cookie", "date", "host", "idempotency-key", "prefer", "traceparent", "tracestate",
    "transfer-encoding", "user-agent", "x-correlation-id", "x-forwarded-for", "x-request-id",
)  # fmt: skip
BODY_PARTS = ("body", "json", "form")
_CONDITIONAL = frozenset({"if", "then", "else"})  # hold or not by what a partial value leaves out


@dataclass(frozen=True, slots=True)
class Doubts:
    """``impossible`` says where and why no accepted call can fit unless a pin forced it, if accepted ones are meant.

    ``warnings`` are sentences that a call which fits would belie; ``lasting`` are those that it would not.
    """

    impossible: tuple[str, str] | None = None
    warnings: tuple[str, ...] = ()
    lasting: tuple[str, ...] = ()

    def told(self, matched: int) -> tuple[str, ...]:
        """What there is to say where so many calls fit, or requests may."""
        warnings = self.lasting if matched else (*self.warnings, *self.lasting)
        if len(warnings) > MAX_WARNINGS:
            return (*warnings[:MAX_WARNINGS], "there are more doubts of this kind")
        return warnings


def check_recipient(scope: Scope, recipient: str, pointer: str) -> tuple[str, ...]:
    """Warnings about a recipient that is asked for. Raises ApiError where no call can have it."""
    number, shown = phone_digits(recipient), quoted(recipient)
    if pointer.startswith("/query/"):
        literally = "POST /_mock/calls/verify asks for what was literally sent, by where"
    else:
        literally = "ask json={...}, form={...} or query={...} for what was literally sent"
    if not number:
        raise ApiError(
            400, f"{shown} is no phone number, so no call has it: calls have + and digits; {literally}", pointer
        )
    if scope.members and not any(operation.recipient for _, operation in scope.members):
        raise ApiError(400, f"no request to {scope.what} names a recipient; leave {shown} out", pointer)
    if len(number) > MAX_DIGITS:
        detail = f"{shown} has {len(number)} digits, and a phone number {MAX_DIGITS} at most; {literally}"
        raise ApiError(400, detail, pointer)
    if recipient.lstrip().startswith("+"):
        doubt = f"the recipient is looked for as +{number}: no country code begins with 0"
        return (doubt,) if number[0] == "0" else ()
    if number[0] == "0" or recipient.lstrip().startswith("(") or len(number) not in DIGITS_WITH_COUNTRY:
        example = "+1 (415) 555-0123" if "(" in recipient else "+14155550123"
        detail = f"{shown} lacks a plus sign and a country code: write it as {example}, say, or {literally}"
        raise ApiError(400, detail, pointer)
    return ()


def check_pattern(scope: Scope, pattern: Pattern, *, is_pin: bool = False) -> Doubts:
    """What speaks against a pattern in a scope. Raises ApiError where no request, accepted or not, can fit.

    ``is_pin``: whether it is for requests to come, of which none has a path of no operation.
    """
    if not pattern or scope.is_outbound:
        return Doubts()
    known_only = scope.is_narrow or is_pin
    warnings = [
        *_unread_kinds(scope, pattern, is_pin=is_pin),
        *_check_path(scope, pattern, known_only),
        *_check_path_names(scope, pattern),
    ]
    named = chain(_misspelt_headers(scope, pattern), _unknown_members(scope, pattern, is_required=True))
    warnings += islice(named, MAX_WARNINGS + 1)
    lasting = tuple(islice(_unknown_members(scope, pattern, is_required=False), MAX_WARNINGS + 1))
    can_tell = not scope.means_refusal and not any(_unread_kinds(scope, pattern, is_pin=is_pin))
    impossible = _impossible(scope, pattern) if can_tell else None
    if impossible is not None and not scope.means_success:
        warnings = warnings or [f"only a refused call can have it: {impossible[1]}"]
        impossible = None
    return Doubts(impossible, tuple(warnings), lasting)


def check_pin(scope: Scope, pattern: Pattern, *, is_success: bool) -> tuple[str, ...]:
    """Warnings about a pin for requests of a pattern. Raises ApiError where it can answer none.

    ``is_success``: whether all of its answers are successes, which are for requests without problems.
    """
    doubts = check_pattern(replace(scope, accepted=True) if is_success else scope, pattern, is_pin=True)
    if doubts.impossible is None:
        return doubts.told(0)
    at, why = doubts.impossible
    detail = f"no request without problems has it: {why}. A success is for such requests, unless force is true"
    raise ApiError(400, detail, at)


def _unread_kinds(scope: Scope, pattern: Pattern, *, is_pin: bool) -> Iterator[str]:
    """A form, or JSON, where no operation in scope reads a body so."""
    readings = set(_readings(scope))
    for part, reads in (("form", READ_AS_FORM), ("json", {"json"})):
        if part not in pattern.where or not scope.members or readings & reads:
            continue
        others = " or ".join(sorted({"form" if other in READ_AS_FORM else other for other in readings} - {"nothing"}))
        cure = f"its body is read as {others}: ask {others}={{...}}" if others else "it has no body: ask query={...}"
        detail = f"no request to {scope.what} is read as {part}; {cure}"
        if is_pin:
            raise ApiError(400, detail, join("body", "where", part))
        yield detail


def _readings(scope: Scope) -> Iterator[str]:
    """How bodies are read of requests to the operations in scope, also where others dispatch to them."""
    names = {operation.id for _, operation in scope.members}
    for contract in dict.fromkeys(contract for contract, _ in scope.members):
        for operation in contract.operations:
            targets = operation.dispatch.to.values() if operation.dispatch is not None else ()
            if operation.body is not None and not names.isdisjoint({operation.id, *(target.id for target in targets)}):
                yield from (media.reads for media in operation.body.media.values())


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


def _misspelt_headers(scope: Scope, pattern: Pattern) -> Iterator[str]:
    """A sentence for each header that nobody knows and that is much like a known one. A client may send any."""
    headers = pattern.where.get("headers")
    asked = [name.lower() for name in headers] if isinstance(headers, Mapping) else []
    asked += [at.tokens[1] for at, _, _ in pattern.when if at.tokens[0] in {"header", "headers"} and at.tokens[1:]]
    known = dict.fromkeys(name.lower() for _, operation in scope.members for name in operation.headers) if asked else {}
    known |= dict.fromkeys(COMMON_HEADERS)
    for name in islice((name for name in asked if name not in known), MAX_HEADERS_COMPARED):
        near = get_close_matches(name[:MAX_POINTER_SHOWN], known, 1, NEAR_HEADER)
        if near:
            header = shortened(name, MAX_POINTER_SHOWN)
            yield f"no contract in scope names the header {header}; one that is known is {near[0]}"


@dataclass(frozen=True)
class _Way:
    """One way to write a request: to an operation, with a body of one media type or without one."""

    contract: Contract
    operation: OperationSpec
    essence: str
    media: Media | None

    @property
    def is_form(self) -> bool:
        return self.media is not None and self.media.reads in READ_AS_FORM

    def takes(self, part: str) -> bool:
        """Whether such a request can have this part."""
        if part not in BODY_PARTS:
            return True
        if self.operation.body is not None and self.media is None:
            return False
        reads = self.media.reads if self.media is not None else "nothing"
        return {"form": reads in READ_AS_FORM, "json": reads == "json"}.get(part, True)

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
        names = {scheme.at for scheme in self.operation.late_schemes}
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


def _asked(scope: Scope, pattern: Pattern) -> Iterator[tuple[str, str, Any, bool]]:
    """What is asked of query and body: part, pointer of the part, value, and whether it must be there.

    A pointer of ``when`` stands for a value with members of these names. Of a large question it is what comes first.
    """
    most = max(MIN_NAMES_COMPARED, MAX_COMPARISONS // max(1, sum(1 for _ in _ways(scope))))
    for part in ("query", *BODY_PARTS):
        if part in pattern.where:
            yield part, join("body", "where"), with_first_entries(pattern.where[part], most), True
    for pointer, validator, _ in pattern.when:
        part, *names = pointer.tokens
        most -= len(names)
        if most >= 0 and part in {"query", *BODY_PARTS} and names:
            value: Any = None
            for name in reversed(names):
                value = {name: value}
            yield part, join("body", "when", str(pointer)), value, validator is not None


def _unknown_members(scope: Scope, pattern: Pattern, *, is_required: bool) -> Iterator[str]:
    """A sentence for each member that no way to write a request names, of those that must be there or be absent."""
    for part, _, value, must_be_there in _asked(scope, pattern):
        found = _known_beside(scope, part, value) if must_be_there is is_required else {}
        for at, known in found.items():
            names = nearest_names(Pointer.parse(at).tokens[-1], known)
            yield f"{shortened(at, MAX_POINTER_SHOWN)} is in no schema of {scope.what}; known there: {names}"


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


def _impossible(scope: Scope, pattern: Pattern) -> tuple[str, str] | None:
    """Where and why no accepted call can fit: each way to write one is against the schema. None where one can."""
    first = None
    for way in _ways(scope):
        reason = None if _tolerates(way.operation) else next(_reasons(scope, way, pattern), None)
        if reason is None:
            return None
        first = first or reason
    return first  # None where there is no operation


def _tolerates(operation: OperationSpec) -> bool:
    """Whether a rule accepts what is against the schema."""
    rules = (rule for rule in operation.rules if rule.on_problem and rule.answer.accepted)
    return any(rule.kinds is None or "invalid" in rule.kinds for rule in rules)


def _reasons(scope: Scope, way: _Way, pattern: Pattern) -> Iterator[tuple[str, str]]:
    """What the schema has against such a request: where in the question, and why."""
    for part, at, value, is_required in _asked(scope, pattern):
        if not way.takes(part):
            if is_required:
                yield at if at.startswith("/body/when") else at + join(part), f"it takes no {part}"
            continue
        for place, stranger in way.strangers(part, value).items() if is_required else ():
            if stranger.forbidden:
                known = nearest_names(Pointer.parse(place).tokens[-1], stranger.known)
                yield (
                    (at if at.startswith("/body/when") else at + place),
                    f"its schema forbids {shortened(place, MAX_POINTER_SHOWN)}; known: {known}",
                )
    for part in pattern.where:
        for place, keyword in _misfits(way, part, pattern.where[part]):
            value = f"this value of {shortened(place, MAX_POINTER_SHOWN)}"
            yield join("body", "where") + place, f"its schema does not allow {value} ({keyword})"


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

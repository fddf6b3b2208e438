"""Pointers that a contract reads by, and whether there is anything where they point."""

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.spec.contract import Apply, Contract, Echo, Jwt, Operation, Value
from mockserver.spec.pointer import Pointer
from mockserver.spec.reader import Reader

_ROOTS = ("path", "query", "header", "body", "account", "owned")


def pointers_of(value: Value) -> Iterator[Pointer]:
    """Every pointer that a filled value reads."""
    if isinstance(value, Echo):
        yield value.pointer
        if value.otherwise is not None:
            yield from pointers_of(value.otherwise)
    elif isinstance(value, Apply):
        yield from value.pointers


def pointers_read(operation: Operation) -> list[Pointer]:
    """Every pointer that rules, answers, limits, recipient and dispatch of an operation read."""
    found = [at for rule in operation.rules for at, _ in rule.when]
    for answer in operation.answers.values():
        values = [value for value, _ in answer.fills]
        values += [value for _, _, value in answer.headers if value is not None]
        found += [at for value in values for at in pointers_of(value)]
    if operation.rate_limit is not None and operation.rate_limit.by is not None:
        found.append(operation.rate_limit.by)
    if operation.recipient is not None and operation.recipient.override is not None:
        found.append(operation.recipient.override)
    if operation.dispatch is not None:
        found.append(operation.dispatch.by)
    return found


def check_pointers(reader: Reader, contract: Contract) -> None:
    """A fault for each pointer into account or owned records that the account's template does not have."""
    for at in _document_pointers(contract):
        _check_account(reader, reader.document, contract.account, at)
    for operation in contract.operations:
        bound = {owned.binds for owned in operation.owned if owned.within is None}
        bound |= {scheme.binds for scheme in contract.schemes}
        inner = [owned.within for owned in operation.owned if owned.within is not None]
        for at in [*pointers_read(operation), *inner]:
            _check(reader, contract, operation, at, bound)
        for owned in operation.owned:
            if owned.digits is not contract.claims[owned.claim]:
                reader.fault(reader.document, f"{owned.claim} is compared by digits in some places only", "x-mock")


def _document_pointers(contract: Contract) -> Iterator[Pointer]:
    """The account pointers of claims, tokens and files."""
    yield from map(Pointer.parse, contract.claims)
    for accept in (scheme.accept for scheme in contract.schemes):
        if isinstance(accept, Jwt):
            record = Pointer.parse(accept.claim).tokens[:-1]
            yield from (Pointer((*record, name)) for name in (accept.key, accept.algorithm, accept.roles) if name)
            for _, allowed in accept.claims:
                yield from (Pointer.parse(text) for text in allowed if text.startswith("/"))
    for members in contract.files.values():
        yield from map(Pointer.parse, members.values())


def _check(reader: Reader, contract: Contract, operation: Operation, at: Pointer, bound: set[str]) -> None:
    node = reader.document["paths"][operation.path]
    root, prefix = at.tokens[0], f"{operation.spelling}: "
    if root == "problem":
        if at.tokens[1:] not in {("name",), ("value",)}:
            reader.fault(node, f"{prefix}only /problem/name and /problem/value may be echoed, not {at}")
    elif root == "limit":
        if at.tokens[1:] != ("wait",):
            reader.fault(node, f"{prefix}only /limit/wait may be echoed, not {at}")
    elif root not in _ROOTS:
        reader.fault(node, f"{prefix}{at} must begin with one of: {', '.join('/' + r for r in _ROOTS)}")
    elif root == "header" and at.tokens != tuple(map(str.lower, at.tokens)):
        reader.fault(node, f"{prefix}header names are lower case in pointers, not {at}")
    elif root == "account":
        _check_account(reader, node, contract.account, at, prefix)
    elif root == "owned":
        if len(at.tokens) < 2 or at.tokens[1] not in bound:
            known = ", ".join(f"/owned/{name}" for name in sorted(bound)) or "nothing"
            reader.fault(node, f"{prefix}{at} is bound by no owned value; bound here: {known}")
        else:
            _check_account(reader, node, contract.account, Pointer(("account", *at.tokens[1:])), prefix)


def _check_account(reader: Reader, node: object, template: Mapping[str, Any], at: Pointer, prefix: str = "") -> None:
    if at.tokens[0] != "account" or not _exists(template, at.tokens[1:]):
        reader.fault(node, f"{prefix}{at} points at nothing in x-mock.account", "x-mock")


def _exists(template: Any, tokens: tuple[str, ...]) -> bool:
    """Whether any variant of the account has this member; lists are looked through."""
    if not tokens:
        return True
    if isinstance(template, list):
        return any(_exists(item, tokens) for item in template)
    return isinstance(template, Mapping) and tokens[0] in template and _exists(template[tokens[0]], tokens[1:])

"""The pointers by which a contract reads values, and whether each points at something."""

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.spec.model import Apply, Contract, Echo, Jwt, OperationSpec, Value
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader

_ECHO_ONLY = {"problem": (("name",), ("value",)), "limit": (("wait",),)}
_POINTER_ROOTS = ("path", "query", "header", "body", "account", "owned")


def pointers_of(value: Value) -> Iterator[Pointer]:
    """Every pointer that a filled value reads."""
    if isinstance(value, Echo):
        yield value.pointer
        if value.otherwise is not None:
            yield from pointers_of(value.otherwise)
    elif isinstance(value, Apply):
        yield from value.pointers


def pointers_read(operation: OperationSpec) -> list[Pointer]:
    """The pointers that an operation reads: in its rules, answers, rate limit, recipient and dispatch."""
    pointers = [at for rule in operation.rules for at, _ in rule.when]
    for answer in operation.answers.values():
        values = [value for value, _, _ in answer.fills]
        values += [value for _, _, value in answer.headers if value is not None]
        pointers += [at for value in values for at in pointers_of(value)]
    if operation.rate_limit is not None and operation.rate_limit.by is not None:
        pointers.append(operation.rate_limit.by)
    if operation.recipient is not None:
        pointers += operation.recipient.override
    if operation.dispatch is not None:
        pointers.append(operation.dispatch.by)
    return pointers


def check_pointers(reader: Reader, contract: Contract) -> None:
    """Add an error for each pointer that names nothing a request, an account or an owned record can have."""
    for root, text, at in _document_pointers(reader, contract):
        if at.tokens[0] != "account" or not _exists(contract.account, at.tokens[1:]):
            _error(reader, root, text, f"{at} points at nothing in x-mock.account")
    for node, text in _copies(contract.account):
        target = Pointer.parse(text).get({"account": contract.account})
        if target is MISSING or "copy" in (target if isinstance(target, Mapping) else ()):
            reader.error(node, f"{text} names no value of x-mock.account that can be copied", "copy")
    for operation in contract.operations:
        bound: dict[str, tuple[str, ...]] = {scheme.binds: (scheme.binds,) for scheme in contract.schemes}
        bound |= {owned.binds: (owned.binds,) for owned in operation.owned if owned.within is None}
        bound |= {owned.binds: Pointer.parse(owned.claim).tokens[1:-1] for owned in operation.owned if owned.is_inner}
        inner = [owned.within for owned in operation.owned if owned.within is not None]
        path_item = reader.mapping(reader.mapping(reader.document, "paths"), operation.path)
        node = reader.mapping(path_item, operation.method.lower())
        for at in [*pointers_read(operation), *inner]:
            message = _wrong(contract, at, bound)
            if message is not None:
                _error(reader, node, str(at), f"{operation.spelling}: {message}")
        for owned in operation.owned:
            if not owned.is_inner and owned.digits is not contract.claims[owned.claim]:
                _error(reader, node, owned.claim, f"{owned.claim} is compared by digits in some places only")


def _document_pointers(reader: Reader, contract: Contract) -> Iterator[tuple[dict[str, Any], str, Pointer]]:
    """The account pointers of claims, tokens and files, each with its container and its text there."""
    yield from ((reader.document, text, Pointer.parse(text)) for text in contract.claims)
    nodes = reader.mapping(reader.mapping(reader.document, "components"), "securitySchemes")
    for scheme in contract.schemes:
        accept, node = scheme.accept, reader.mapping(nodes, scheme.name)
        if isinstance(accept, Jwt):
            record = Pointer.parse(accept.claim).tokens[:-1]
            for name in (accept.key, accept.algorithm, accept.roles):
                if name is not None:
                    yield node, name, Pointer((*record, name))
            for _, allowed in accept.claims:
                yield from ((node, text, Pointer.parse(text)) for text in allowed if text.startswith("/"))
    for members in contract.files.values():
        yield from ((reader.document, text, Pointer.parse(text)) for text in members.values())


def _copies(template: Any) -> Iterator[tuple[dict[str, Any], str]]:
    """Each `{copy: …}` of an account template, with its pointer."""
    for container, key, value in _members(template):
        if key == "copy" and isinstance(value, str) and "new" not in container:
            yield container, value


def _error(reader: Reader, root: dict[str, Any], text: str, message: str) -> None:
    """Add an error at the first key or value of this text below ``root``, else in the document, else at ``root``."""
    for start in (root, reader.document):
        for container, key, value in _members(start):
            if text in (key, value):
                reader.error(container, message, key)
                return
    reader.error(root, message)


def _members(container: Any) -> Iterator[tuple[Any, Any, Any]]:
    """Every member of a container and of the containers in it, in document order."""
    for key, value in container.items() if isinstance(container, dict) else enumerate(container):
        yield container, key, value
        if isinstance(value, dict | list):
            yield from _members(value)


def _wrong(contract: Contract, at: Pointer, bound: Mapping[str, tuple[str, ...]]) -> str | None:
    """What is wrong with a pointer that an operation reads; None if nothing is. ``bound``: records and their places."""
    root, rest = at.tokens[0], at.tokens[1:]
    if root in _ECHO_ONLY:
        if rest not in _ECHO_ONLY[root]:
            known = " and ".join(str(Pointer((root, *tokens))) for tokens in _ECHO_ONLY[root])
            return f"only {known} may be echoed, not {at}"
    elif root not in _POINTER_ROOTS:
        return f"{at} must begin with one of: {', '.join('/' + r for r in _POINTER_ROOTS)}"
    elif root == "header" and rest != tuple(map(str.lower, rest)):
        return f"header names are lower case in pointers, not {at}"
    elif root == "owned" and (not rest or rest[0] not in bound):
        known = ", ".join(f"/owned/{name}" for name in sorted(bound)) or "nothing"
        return f"{at} is bound by no owned value; bound here: {known}"
    elif root in {"account", "owned"} and not _exists(contract.account, _place(at, bound)):
        return f"{at} points at nothing in x-mock.account"
    return None


def _place(at: Pointer, bound: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Where in an account's data a pointer leads that begins with /account or /owned."""
    return at.tokens[1:] if at.tokens[0] == "account" else (*bound[at.tokens[1]], *at.tokens[2:])


def _exists(template: Any, tokens: tuple[str, ...]) -> bool:
    """Whether any variant of the account has this member; in a list, any of its items."""
    if not tokens:
        return True
    if isinstance(template, list):
        return any(_exists(item, tokens) for item in template)
    return isinstance(template, Mapping) and tokens[0] in template and _exists(template[tokens[0]], tokens[1:])

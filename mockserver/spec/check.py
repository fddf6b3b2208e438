"""The pointers by which a contract reads values, and whether each points at something."""

from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.spec.account_values import holders_at
from mockserver.spec.answer_model import Answer, Effects
from mockserver.spec.callback_model import OPTED_OUT
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import ABOUT_REQUESTS, Reader
from mockserver.spec.security_model import Jwt
from mockserver.spec.value_model import Composed, Constant, Value
from mockserver.spec.values import POINTER_ROOTS, VALUE_ROOTS, pointers_of

_ECHO_ONLY = {"problem": (("name",), ("value",)), "limit": (("wait",),)}
_UNBOUND = "is bound by no owned value"
_MADE = {"an answer": ("body", "header", "raw"), "a callback": ("body", "header", "raw", "url")}


def pointers_read(operation: OperationSpec) -> list[Pointer]:
    """The pointers that an operation reads: in its rules, answers, rate limit, recipient and dispatch."""
    pointers = [at for rule in operation.rules for at, _ in rule.when]
    for answer in operation.answers.values():
        pointers += [at for value in values_of(answer) for at in pointers_of(value)]
        pointers += [at for keeps in answer.effects.keeps for at, _ in keeps.when]
    if operation.rate_limit is not None and operation.rate_limit.by is not None:
        pointers.append(operation.rate_limit.by)
    if operation.recipient is not None:
        pointers += operation.recipient.override
    if operation.dispatch is not None:
        pointers.append(operation.dispatch.by)
    return pointers


def values_of(answer: Answer) -> Iterator[Value]:
    """Every value that an answer makes: in its body and headers, and in what it leaves behind."""
    yield from (value for value, _, _ in answer.fills)
    yield from (value for _, _, value in answer.headers if value is not None)
    yield from effect_values(answer.effects)


def effect_values(effects: Effects) -> Iterator[Value]:
    """Every value that effects make."""
    for keeps in effects.keeps:
        yield keeps.record
        yield from (value for course in keeps.courses for step in course.steps for _, value in step.sets)
    yield from (change.value for change in effects.changes)


Lists = Mapping[str, frozenset[str]]  # the members of the records of each kept list
Bound = Mapping[str, tuple[str, ...]]  # the place in the account of each bound record


def check_pointers(reader: Reader, contract: Contract) -> None:
    """Add an error for each pointer that names nothing a request, an account or an owned record can have."""
    if not contract.account and any(error.pointer.startswith("/x-mock") for error in reader.errors):
        return  # what the account has is not known
    for root, text, at in _document_pointers(reader, contract):
        if at.tokens[0] != "account" or not _exists(contract.account, at.tokens[1:]):
            _error(reader, root, text, f"{at} points at nothing in x-mock.account")
        elif not any(holders_at(contract.account, text)):
            told = "looks through lists by itself: a number in it names nothing"
            _error(reader, root, text, f"{at} {told}")
    lists = kept_lists(contract)
    for name in lists.keys() & contract.account.keys():
        _error(reader, reader.document, name, f"a kept list and a member of x-mock.account are both called {name!r}")
    _check_copies(reader, contract)
    _check_callbacks(reader, contract, lists)
    for operation in contract.operations:
        _check_operation(reader, contract, operation, lists)


def _check_operation(reader: Reader, contract: Contract, operation: OperationSpec, lists: Lists) -> None:
    """Add an error for each pointer of an operation that names nothing."""
    is_broken = reader.is_broken(*ABOUT_REQUESTS)
    bound = bound_records(contract, operation)
    inner = [owned.within for owned in operation.owned if owned.within is not None]
    path_item = reader.mapping(reader.mapping(reader.document, "paths"), operation.path)
    node = reader.mapping(path_item, operation.method.lower())
    for at in [*pointers_read(operation), *inner]:
        message = _wrong(contract, at, bound, lists)
        if message is not None and not (_UNBOUND in message and is_broken):
            _error(reader, node, str(at), f"{operation.spelling}: {message}")
    _check_kept(reader, node, operation, lists)
    for owned in operation.owned:
        if not owned.is_inner and owned.digits is not contract.claims[owned.claim]:
            _error(reader, node, owned.claim, f"{owned.claim} is compared by digits in some places only")


def _check_callbacks(reader: Reader, contract: Contract, lists: Lists) -> None:
    """Add an error for each pointer of a callback that names nothing a callback can have."""
    for callback in contract.callbacks:
        for value in (callback.to, *values_of(callback.request)):
            for at in pointers_of(value):
                message = _wrong_in_value(at, lists, "a callback")
                if message is not None:
                    _error(reader, reader.document, str(at), f"{callback.name}: {message}")


def _check_kept(reader: Reader, node: dict[str, Any], operation: OperationSpec, lists: Lists) -> None:
    for kept in operation.kept:
        if kept.member not in lists.get(kept.list_name, ()):
            text = f"/kept/{kept.list_name}/{kept.member}"
            _error(reader, node, text, f"{operation.spelling}: no answer keeps {text}; kept: {_listed(lists)}")


def kept_lists(contract: Contract) -> dict[str, frozenset[str]]:
    """The lists that answers of a contract keep records in, and the members of their records."""
    lists: dict[str, frozenset[str]] = {}
    every = [keeps for o in contract.operations for answer in o.answers.values() for keeps in answer.effects.keeps]
    every += contract.inbound.keeps if contract.inbound is not None else ()
    for keeps in every:
        lists[keeps.list_name] = lists.get(keeps.list_name, frozenset()) | _members_of(keeps.record)
    if contract.inbound is not None and contract.inbound.opt_out is not None:
        lists[OPTED_OUT] = frozenset({"number", "sender"})
    return lists


def _members_of(record: Value) -> frozenset[str]:
    members = record.members if isinstance(record, Composed) else record.value if isinstance(record, Constant) else {}
    return frozenset(members)


def _listed(lists: Lists) -> str:
    return ", ".join(f"/kept/{name}" for name in sorted(lists)) or "nothing"


def _document_pointers(reader: Reader, contract: Contract) -> Iterator[tuple[dict[str, Any], str, Pointer]]:
    """The account pointers of claims, tokens and files, each with its container and its text there."""
    yield from ((reader.document, text, Pointer.parse(text)) for text in contract.claims)
    nodes = reader.mapping(reader.mapping(reader.document, "components"), "securitySchemes")
    for scheme in contract.schemes:
        accept, node = scheme.accept, reader.mapping(nodes, scheme.name)
        if isinstance(accept, Jwt):
            record = Pointer.parse(accept.claim).tokens[:-1]
            if accept.roles is not None:
                yield node, accept.roles, Pointer((*record, accept.roles))
            for _, allowed in accept.claims:
                yield from ((node, text, Pointer.parse(text)) for text in allowed if text.startswith("/"))
    for members in contract.files.values():
        yield from ((reader.document, text, Pointer.parse(text)) for text in members.values())


def _check_copies(reader: Reader, contract: Contract) -> None:
    for node, text in _copies(contract.account):
        target = Pointer.parse(text).get({"account": contract.account})
        if target is MISSING or "copy" in (target if isinstance(target, Mapping) else ()):
            reader.error(node, f"{text} names no value of x-mock.account that can be copied", "copy")


def bound_records(contract: Contract, operation: OperationSpec) -> Bound:
    """The records that a request of an operation may bind."""
    bound: dict[str, tuple[str, ...]] = {scheme.binds: (scheme.binds,) for scheme in contract.schemes}
    bound |= {owned.binds: (owned.binds,) for owned in operation.owned if owned.within is None}
    bound |= {owned.binds: Pointer.parse(owned.claim).tokens[1:-1] for owned in operation.owned if owned.is_inner}
    bound |= {kept.list_name: (kept.list_name,) for kept in operation.kept}
    every = (keeps for answer in operation.answers.values() for keeps in answer.effects.keeps)
    bound |= {keeps.list_name: (keeps.list_name,) for keeps in every}
    has_words = contract.inbound is not None and contract.inbound.opt_out is not None
    sends_to_one = operation.message is not None and operation.recipient is not None
    return bound | {OPTED_OUT: (OPTED_OUT,)} if has_words and sends_to_one else bound


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


def _wrong(contract: Contract, at: Pointer, bound: Bound, lists: Lists) -> str | None:
    """What is wrong with a pointer that an operation reads; None if nothing is. ``bound``: records and their places."""
    root, rest = at.tokens[0], at.tokens[1:]
    if root in _ECHO_ONLY:
        known = " and ".join(str(Pointer((root, *tokens))) for tokens in _ECHO_ONLY[root])
        return None if rest in _ECHO_ONLY[root] else f"only {known} may be echoed, not {at}"
    if root in VALUE_ROOTS:
        return _wrong_in_value(at, lists)
    if root == "owned":
        return _wrong_in_record(contract, at, bound, lists)
    wrong = None
    if root not in POINTER_ROOTS:
        wrong = f"{at} must begin with one of: {', '.join('/' + r for r in POINTER_ROOTS)}"
    elif root == "header" and rest != tuple(map(str.lower, rest)):
        wrong = f"header names are lower case in pointers, not {at}"
    elif root == "account" and not _exists(contract.account, rest):
        wrong = f"{at} points at nothing in x-mock.account"
    return wrong


def _wrong_in_value(at: Pointer, lists: Lists, maker: str = "an answer") -> str | None:
    root, rest = at.tokens[0], at.tokens[1:]
    if root == "kept" and (not rest or rest[0] not in lists):
        return f"no answer keeps {at}; kept: {_listed(lists)}"
    if root == "made" and (not rest or rest[0] not in _MADE[maker]):
        return f"{maker} makes {', '.join('/made/' + part for part in _MADE[maker])}, not {at}"
    return None


def _wrong_in_record(contract: Contract, at: Pointer, bound: Bound, lists: Lists) -> str | None:
    name, *rest = at.tokens[1:] or ("",)
    if name not in bound:
        known = ", ".join(f"/owned/{name}" for name in sorted(bound)) or "nothing"
        return f"{at} {_UNBOUND}; bound here: {known}"
    if name in lists:
        if rest and rest[0] not in lists[name]:
            return f"no record of /kept/{name} has the member {rest[0]!r}"
        return None
    return (
        None if _exists(contract.account, place_in_account(at, bound)) else f"{at} points at nothing in x-mock.account"
    )


def place_in_account(at: Pointer, bound: Mapping[str, tuple[str, ...]]) -> tuple[str, ...]:
    """Where in an account's data a pointer leads that begins with /account or /owned."""
    return at.tokens[1:] if at.tokens[0] == "account" else (*bound[at.tokens[1]], *at.tokens[2:])


def _exists(template: Any, tokens: tuple[str, ...]) -> bool:
    """Whether any variant of the account has this member; in a list, any of its items."""
    if not tokens:
        return True
    if isinstance(template, list):
        below = tokens[1:] if tokens[0].isdecimal() else tokens  # a number names one item
        return any(_exists(item, below) for item in template)
    return isinstance(template, Mapping) and tokens[0] in template and _exists(template[tokens[0]], tokens[1:])

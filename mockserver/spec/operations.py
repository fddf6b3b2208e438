"""The operations of a document, among them other spellings of an operation and those that dispatch to others."""

import re
from dataclasses import dataclass, field, replace
from typing import Any

from mockserver.spec.addresses import OUR_PATH, is_ours, root_path, split_http, why_no_path
from mockserver.spec.answer_model import Answer
from mockserver.spec.answers import read_answers
from mockserver.spec.callback_model import OPTED_OUT
from mockserver.spec.check import pointers_read
from mockserver.spec.draft_answers import draft_refusals
from mockserver.spec.evidence import ON_ITS_PAGE, graded
from mockserver.spec.model import Behaviour, Dispatch, OperationSpec, Parameter, RateLimit, Rule, Sms
from mockserver.spec.parameters import Marks, compile_schemas, read_body, read_parameters, read_schemas
from mockserver.spec.pointer import Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.rules import Possible, check_rules, possible_problems, read_rules
from mockserver.spec.security import read_security
from mockserver.spec.security_model import Scheme
from mockserver.spec.shared import METHODS, Node
from mockserver.spec.values import read_value

PLAIN_WORD = re.compile(r"[A-Za-z][A-Za-z0-9_]*")  # names of vendors and operations: they stand in paths and headers


@dataclass(slots=True)
class _Draft:
    """An operation as it is written, before its references to other operations are followed.

    ``gates`` and ``shared`` are rules of the document; ``deciding`` are the nodes of all rules that may decide here.
    """

    node: dict[str, Any]
    block: dict[str, Any]
    path_item: dict[str, Any]
    method: str
    path: str
    name: str
    gates: list[Node]
    shared: list[Node]
    deciding: list[Node] = field(default_factory=list)

    @property
    def rules(self) -> list[Node]:
        """All rules of the operation, in the order in which they are asked."""
        own: list[Node] = self.block.get("rules", [])
        return [*self.gates, *own, *self.shared]


def read_operations(
    reader: Reader, schemes: dict[str, Scheme], gates: list[Node], shared: list[Node]
) -> list[OperationSpec]:
    """All operations, in document order. Each is read after those that it dispatches to or is a spelling of.

    The rules ``gates`` come before each operation's own, and those of ``shared`` after them.
    """
    drafts = _drafts(reader, gates, shared)
    known: dict[str, OperationSpec] = {}
    for draft in sorted(drafts, key=_dependence):
        known[draft.name] = _operation(reader, draft, schemes, known)
    deciding = {id(node) for draft in drafts for node in draft.deciding}
    for node in [*gates, *shared]:
        if id(node) not in deciding and drafts:
            reader.error(node, "a rule never reachable: no operation can meet it")
    return [known[draft.name] for draft in drafts]


def _dependence(draft: _Draft) -> int:
    """Operations refer to those of a lower number only."""
    return 2 if "same_as" in draft.block else 1 if "dispatch" in draft.block else 0


def _drafts(reader: Reader, gates: list[Node], shared: list[Node]) -> list[_Draft]:
    drafts: list[_Draft] = []
    paths = reader.mapping(reader.document, "paths", required=True)
    bases = _bases(reader)
    for path in paths:
        why = why_no_path(path)
        if not why and any(is_ours(base + path) for base in bases):
            why = f"{OUR_PATH} is the mock's own"
        if why:
            reader.error(paths, f"the path {path!r} is never met: {why}", path)
        path_item = reader.mapping(paths, path)
        for method in METHODS:
            if method not in path_item:
                continue
            node = reader.mapping(path_item, method)
            name = reader.text(node, "operationId")
            if name and not PLAIN_WORD.fullmatch(name):
                reader.error(node, f"an operation's name must be a plain word, not {name!r}", "operationId")
            if name and any(draft.name == name for draft in drafts):
                reader.error(node, f"a second operation named {name!r}", "operationId")
                name = ""
            block = reader.x_mock(node, "operation")
            name = name or f"{method} {path}"
            drafts.append(_Draft(node, block, path_item, method.upper(), path, name, gates, shared))
    return drafts


def _bases(reader: Reader) -> set[str]:
    """What stands before each path, as far as the servers are addresses."""
    servers = reader.document.get("servers")
    urls = (
        [str(server.get("url")) for server in servers if isinstance(server, dict)] if isinstance(servers, list) else []
    )
    return {root_path(url) for url in urls if split_http(url) is not None}


def _operation(
    reader: Reader, draft: _Draft, schemes: dict[str, Scheme], known: dict[str, OperationSpec]
) -> OperationSpec:
    marks = Marks()
    merges_form = draft.block.get("parameters_from") == ["query", "form"]
    parameters = read_parameters(reader, draft.path_item, draft.node, draft.path, marks)
    body = read_body(reader, draft.node, marks, merges_form=merges_form)
    original = _named(reader, draft.block, "same_as", draft.block.get("same_as"), known)
    behaviour = original if original is not None else _behaviour(reader, draft, known)
    schemas = read_schemas(reader, draft.path_item, draft.node, merges_form=merges_form)
    operation = OperationSpec(
        **behaviour.shared(),
        vendor=reader.vendor,
        spelling=draft.name,
        evidence=graded(draft.block["evidence"]) if "evidence" in draft.block else ON_ITS_PAGE,
        method=draft.method,
        path=draft.path,
        parameters=parameters,
        body=body,
        merges_form=merges_form,
        security=read_security(reader, draft.node, schemes),
        schemes=tuple(schemes.values()),
        owned=tuple(marks.owned),
        kept=tuple(marks.kept),
        recipient=marks.recipient,
        headers=frozenset(),
        schemas=schemas,
        validators=compile_schemas(reader, draft.node, schemas),
        declared=_declared(parameters, marks),
        enumerated=tuple(marks.enumerated.items()),
    )
    problems = possible_problems(operation, marks) if operation.answers or reader.is_draft else []
    if original is None:
        operation = _with_its_rules(reader, draft, operation, problems)
    else:
        check_rules(reader, draft.node, operation.rules, [], problems)
    _check(reader, draft, operation)
    pointers, headers, dispatch = pointers_read(operation), _headers_read(operation), _dispatched(operation)
    roots = {at.tokens[0] for at in pointers}
    return replace(
        operation,
        headers=headers,
        dispatch=dispatch,
        lists_kept="kept" in roots,
        lists_problems="problems" in roots,
        heeds_opt_out=any(at.tokens[:2] == ("owned", OPTED_OUT) for at in pointers),
    )


def _with_its_rules(reader: Reader, draft: _Draft, operation: OperationSpec, problems: list[Possible]) -> OperationSpec:
    """The operation without those rules of the document that it can never meet; notes which rules may decide."""
    own = [*(None for _ in draft.gates), *draft.block.get("rules", [])]
    deciding = check_rules(reader, draft.node, operation.rules, own, problems)
    written_here = {number for number, node in enumerate(own) if node is not None}
    rules = enumerate(operation.rules)
    kept = [number for number, rule in rules if number in written_here or _is_bound(rule, operation)]
    written = len(draft.rules)  # further ones are of a draft
    draft.deciding = [draft.rules[number] for number in kept if number in deciding and number < written]
    return replace(operation, **_of_rules(tuple(operation.rules[number] for number in kept)))


def _of_rules(rules: tuple[Rule, ...]) -> dict[str, Any]:
    """The members of an operation that are made of its rules."""
    return {"rules": rules, "conditions": tuple(rule for rule in rules if not rule.on_problem)}


def _is_bound(rule: Rule, operation: OperationSpec) -> bool:
    """Whether an operation's requests can name all records that a rule of the document reads."""
    names = {owned.binds for owned in operation.owned} | {scheme.binds for scheme in operation.schemes}
    return all(at.tokens[0] != "owned" or at.tokens[1:2] == () or at.tokens[1] in names for at, _ in rule.when)


def _behaviour(reader: Reader, draft: _Draft, known: dict[str, OperationSpec]) -> Behaviour:
    """The behaviour that an operation has of its own."""
    before = len(reader.errors)
    answers = read_answers(reader, draft.node, f"{reader.vendor}.{draft.name}")
    refs = [error.pointer for error in reader.errors[before:] if error.pointer.endswith("/$ref")]
    are_whole = all("/schema/" in pointer for pointer in refs)
    rules, success = tuple(read_rules(reader, draft.rules, answers, are_whole=are_whole)), _success(answers)
    if reader.is_draft:
        added, last = draft_refusals(answers, f"{reader.vendor}.{draft.name}")
        answers, rules = {**answers, **added}, (*rules, *last)
    return Behaviour(
        name=draft.name,
        answers=answers,
        **_of_rules(rules),
        success=success,
        rate_limit=_rate_limit(draft.block),
        body_limit=draft.block.get("body_limit"),
        dispatch=_dispatch(reader, draft.block, known),
        message=_message(reader, draft.block),
    )


def _declared(parameters: tuple[Parameter, ...], marks: Marks) -> tuple[tuple[str, str, str], ...]:
    """The fields that a request can have, as pointer, part and name: parameters, and members of the body."""
    pointers = [Pointer((parameter.where, parameter.name)) for parameter in parameters]
    pointers += [at for at in marks.declared if at.tokens[0] == "body" and len(at.tokens) == 2]
    return tuple((str(at), at.tokens[0], at.tokens[1]) for at in dict.fromkeys(pointers))


def _check(reader: Reader, draft: _Draft, operation: OperationSpec) -> None:
    if operation.success is None and operation.dispatch is None and operation.answers:
        reader.unfinished(draft.node, "no answer means success", "responses")
    if "same_as" in draft.block and not draft.block.keys() <= {"same_as", "parameters_from", "evidence"}:
        message = "same_as takes all but parameters_from and evidence from the other operation"
        reader.error(draft.node, message, "x-mock")


def _named(
    reader: Reader, block: dict[str, Any], key: str, name: str | None, known: dict[str, OperationSpec]
) -> OperationSpec | None:
    if name is not None and name not in known:
        reader.error(block, f"there is no operation {name!r} that answers by itself", key)
    return known.get(name or "")


def _success(answers: dict[str, Answer]) -> Answer | None:
    accepted = {name: answer for name, answer in answers.items() if answer.accepted}
    return accepted.get("sent") or next(iter(accepted.values()), None)


def _rate_limit(block: dict[str, Any]) -> RateLimit | None:
    limit = block.get("rate_limit")
    if limit is None:
        return None
    by = None if limit["by"] == "account" else Pointer.parse(limit["by"])
    return RateLimit(limit["requests"], limit["seconds"], by, graded(limit["evidence"]))


def _message(reader: Reader, block: dict[str, Any]) -> Sms | None:
    """Where an operation that sends has the sender and the text."""
    if "message" not in block:
        return None
    node = block["message"]
    sender, text = node["from"], node["text"]
    return Sms(
        None if sender is None else read_value(reader, sender), None if text is None else read_value(reader, text)
    )


def _dispatch(reader: Reader, block: dict[str, Any], known: dict[str, OperationSpec]) -> Dispatch | None:
    if "dispatch" not in block:
        return None
    node = block["dispatch"]
    to = {}
    for value, name in node.get("to", {}).items():
        operation = _named(reader, node["to"], value, name, known)
        if operation is not None:
            to[value] = operation
    for value in to.keys() & node.get("known", {}).keys():
        reader.error(node["known"], f"{value} is mocked: 'to' names its operation", value)
    return Dispatch(Pointer.parse(node["by"]), to, node.get("known", {}))


def _dispatched(operation: OperationSpec) -> Dispatch | None:
    """The dispatch of an operation: what it leads to is spelled as this operation is."""
    dispatch = operation.dispatch
    if dispatch is None:
        return None
    to = {
        value: target if target.evidence == operation.evidence else replace(target, evidence=operation.evidence)
        for value, target in dispatch.to.items()
    }
    return replace(dispatch, to=to)


def _headers_read(operation: OperationSpec) -> frozenset[str]:
    """The names, in lower case, of all request headers that decide how this operation answers."""
    names = {p.name for p in operation.parameters if p.where == "header"}
    names |= {scheme.key for scheme in operation.schemes if scheme.where == "header"}
    pointers = pointers_read(operation)
    names |= {at.tokens[1] for at in pointers if at.tokens[0] == "header" and len(at.tokens) > 1}
    if operation.dispatch is not None:
        names = names.union(*(target.headers for target in operation.dispatch.to.values()))
    return frozenset(names)

"""A ``schemathesis.toml`` with which a tester can reach a vendor's accepted answers: credentials and owned values."""

import base64
import json
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.spec.account_values import values_at
from mockserver.spec.model import Contract, OperationSpec, Owned, Rule
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.security_model import Basic, Scheme

TO_VALID_DATA = ("2xx", "3xx", "401", "403", "404", "409", "429", "5xx")
TO_INVALID_DATA = ("400", "401", "403", "404", "405", "406", "409", "415", "422", "428", "429", "5xx")
"""The statuses that schemathesis expects where nothing else is said."""
STATUS_CHECKS = ("positive_data_acceptance", "negative_data_rejection", "missing_required_header", "ignored_auth")
OF_DATA = ("positive_data_acceptance", "negative_data_rejection")
OF_KEPT = 'warnings = { display = ["missing_auth"], fail-on = true }'
INVALID = frozenset({"media_type", "too_large", "unreadable", "missing", "invalid"})
NOT_OWNED = frozenset({"unknown", "foreign"})


def settings_file(contract: Contract, data: Mapping[str, Any], tokens: Mapping[str, str]) -> str:
    """The text of the file, for the customer who has ``data``; ``tokens`` are ready to send, by security scheme."""
    lines = [
        f"# For: st --config-file FILE run SERVER/_mock/contracts/{contract.vendor}",
        "continue-on-failure = true",
        "# Else a server that accepts nothing passes.",
        f"warnings = {{ fail-on = {_warnings(contract)} }}",
    ]
    for scheme in contract.schemes:
        if scheme.name in tokens:
            lines += ["", f"[auth.openapi.{_text(scheme.name)}]", *_credential(scheme, tokens[scheme.name])]
    headers = {name.lower(): name for name in _header_names(contract.document)}
    for operation in contract.operations:
        values = {_place(owned.at, headers): value for owned, value in _values(operation, data)}
        settings = []
        if values:
            settings.append(f"parameters = {{ {', '.join(f'{_text(at)} = {_text(v)}' for at, v in values.items())} }}")
        if operation.kept:
            settings += ["# It asks for what was sent before, and when a run begins nothing was.", OF_KEPT]
        settings += _checks(operation)
        if settings:
            lines += ["", "[[operations]]", f"include-operation-id = {_text(operation.spelling)}", *settings]
    return "\n".join([*lines, ""])


def _credential(scheme: Scheme, ready: str) -> Iterator[str]:
    """The lines of a scheme's credential."""
    if isinstance(scheme.accept, Basic):
        user, _, password = base64.b64decode(ready.removeprefix("Basic ")).decode().partition(":")
        yield f"username = {_text(user)}"
        yield f"password = {_text(password)}"
    else:
        yield f"{'bearer' if scheme.bearer else 'api_key'} = {_text(ready)}"


def _warnings(contract: Contract) -> str:
    """The warnings that fail a run, as TOML.

    Values for a body are not kept to in all phases, so that many requests are refused where a body must have one.
    """
    needs_body_values = any(_stands_in_example(o, owned) for o in contract.operations for owned in o.owned)
    return '["missing_auth", "missing_test_data"]' if needs_body_values else "true"


def _values(operation: OperationSpec, data: Mapping[str, Any]) -> Iterator[tuple[Owned, Any]]:
    """The owned values that a request needs, each the customer's first one."""
    for owned in operation.owned:
        value = next((value for value, _ in values_at(data, owned.claim)), None)
        if value is not None and (owned.at.tokens[0] != "body" or _stands_in_example(operation, owned)):
            yield owned, value


def _place(at: Pointer, headers: Mapping[str, str]) -> str:
    """A place of a request in the words of schemathesis: ``header.X-TOKEN-ID``."""
    part, name, *below = at.tokens
    return ".".join((part, headers.get(name, name) if part == "header" else name, *below))


def _stands_in_example(operation: OperationSpec, owned: Owned) -> bool:
    """Whether the documented example of the body has the value: without it few requests are accepted."""
    media = operation.body.media.values() if operation.body is not None else ()
    return any(owned.at.get({"body": each.example}) is not MISSING for each in media)


def _checks(operation: OperationSpec) -> Iterator[str]:
    """The lines about checks that would take the vendor's own ways for mistakes."""
    if any(answer.means != answer.status for answer in operation.answers.values()):
        yield "# A refusal has the status of a success here, so these checks can tell nothing."
        yield from (f"checks.{check}.enabled = false" for check in STATUS_CHECKS)
        return
    if not operation.merges_form and _is_form_too(operation):
        yield "# Where a body may be a form, its numbers are text: plain OpenAPI cannot say so."
        yield from (f"checks.{check}.enabled = false" for check in OF_DATA)
        return
    problems = [rule for rule in operation.rules if rule.on_problem]
    invalid = {str(rule.answer.status) for rule in problems if rule.kinds is None or rule.kinds & INVALID}
    valid = {str(rule.answer.status) for rule in operation.conditions}
    for owned in operation.owned:
        if owned.at.tokens[0] == "body":
            valid |= {str(rule.answer.status) for rule in problems if _is_about(rule, NOT_OWNED, owned.at)}
            if _stands_in_example(operation, owned):  # a value laid over a bad body makes it count as a good one
                valid |= invalid
    yield from _expected("checks.positive_data_acceptance", TO_VALID_DATA, valid)
    yield from _expected("checks.negative_data_rejection", TO_INVALID_DATA, invalid)


def _is_form_too(operation: OperationSpec) -> bool:
    """Whether a body may be JSON or a form."""
    reads = {media.reads for media in operation.body.media.values()} if operation.body is not None else set()
    return "json" in reads and len(reads) > 1


def _expected(check: str, statuses: tuple[str, ...], further: set[str]) -> Iterator[str]:
    """The line by which a check expects further statuses; none where it expects them already."""
    others = [status for status in sorted(further) if status not in statuses and f"{status[0]}xx" not in statuses]
    if others:
        yield f"{check}.expected-statuses = [{', '.join(map(_text, (*statuses, *others)))}]"


def _is_about(rule: Rule, kinds: frozenset[str], at: Pointer) -> bool:
    """Whether a rule can answer such a problem at this place."""
    return (rule.kinds is None or bool(rule.kinds & kinds)) and (rule.at is None or rule.at.covers(at))


def _header_names(node: Any) -> Iterator[str]:
    """The names of header parameters as a document writes them."""
    if isinstance(node, Mapping):
        if node.get("in") == "header" and isinstance(node.get("name"), str):
            yield node["name"]
        for item in node.values():
            yield from _header_names(item)
    elif isinstance(node, list):
        for item in node:
            yield from _header_names(item)


def _text(value: Any) -> str:
    """A value of TOML: its texts are written as JSON's are."""
    return json.dumps(value, ensure_ascii=False).replace("\x7f", "\\u007f")

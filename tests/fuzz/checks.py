"""What schemathesis does not check by itself. Also the hooks module of its command line."""

import copy
import json
from typing import Any

import schemathesis

from mockserver.spec.evidence import ON_ITS_PAGE, graded, read_evidence
from mockserver.spec.pointer import Pointer
from tests.fuzz.plain_openapi import Documented, answers, operations


@schemathesis.check
def undocumented_body(_ctx: Any, response: Any, case: Any) -> None:
    """A response documented without content is empty."""
    if response.request.method != case.operation.method.upper():
        return
    documented = case.operation.responses.find_by_status_code(response.status_code)
    if documented is not None and not documented.definition.get("content"):
        assert not response.content, f"{response.status_code} has no content, but came with {response.content[:80]!r}"


@schemathesis.check
def documented_answer(_ctx: Any, response: Any, case: Any) -> None:
    """A vendor's response is the answer that it says it is, with that answer's status, type, evidence and body."""
    if "x-mock" not in case.operation.schema.raw_schema:
        return
    name = _header(response, "x-mock-answer")
    if name is None:
        assert response.request.method == "OPTIONS", "a vendor's response that names no answer"
        return
    found = _named(case.operation.schema.raw_schema, name)
    assert found is not None, f"no answer is named {name}"
    assert response.status_code == found.status, f"{name} stands under {found.status}, not {response.status_code}"
    grades = _grades(found, case.operation.definition.raw.get("x-mock", {}))
    assert (_header(response, "x-mock-evidence") or "").partition(";")[0] in grades, f"{name} is {grades}"
    for media_type, media in found.response.get("content", {}).items():
        assert _header(response, "content-type") == media_type, f"{name} is {media_type}"
        (example,) = media["examples"].values()
        fills = [at for at in found.block.get("fill", {}) if at.startswith("/body/")]
        shown, sent = _without(example["value"], fills), _without(json.loads(response.content), fills)
        assert sent == shown, f"{name} shows {shown}, but {sent} was sent"


def _grades(found: Documented, block: Any) -> set[str]:
    """What a call that got this answer may rely on: whether the contract chose it, the response does not say."""
    evidence, _ = read_evidence(found.block["evidence"], has_headers="headers" in found.response)
    request = graded(block["evidence"]) if "evidence" in block else ON_ITS_PAGE
    return {evidence.of_call(request, chosen=chosen).grade for chosen in (True, False)}


def _header(response: Any, name: str) -> str | None:
    return next((values[0] for header, values in response.headers.items() if header.lower() == name), None)


def _named(document: Any, name: str) -> Documented | None:
    operation_id, _, answer_name = name.partition(".")[2].partition("/")
    for operation in operations(document):
        if operation["operationId"] == operation_id:
            return next((answer for answer in answers(document, operation) if answer.name == answer_name), None)
    return None


def _without(body: Any, fills: list[str]) -> Any:
    """A body with ``None`` wherever a value was laid over the sample."""
    body = copy.deepcopy(body)
    for at in fills:
        *path, last = Pointer.parse(at).tokens[1:]
        holder = body
        for token in path:
            holder = holder[token]
        assert last in holder, f"{at} is missing"
        holder[last] = None
    return body

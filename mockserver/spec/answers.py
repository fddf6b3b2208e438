"""Responses and their examples as Answers, with all that never changes already in bytes."""

import json
from dataclasses import dataclass, replace
from typing import Any

from mockserver.spec.contract import Answer, Apply, Echo, New, Validator, Value
from mockserver.spec.functions import FUNCTIONS
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader

CANONICAL = {
    "invalid": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "method_not_allowed": 405,
    "rate_limited": 429,
    "server_error": 500,
}


@dataclass(frozen=True, slots=True)
class _Sample:
    """One documented response before it is an Answer."""

    name: str
    status: int
    block: dict[str, Any]
    node: dict[str, Any]
    media_type: str | None
    value: Any
    schema: Validator | None


def read_answers(reader: Reader, operation: dict[str, Any], operation_id: str) -> dict[str, Answer]:
    """The answers of one operation by name, in document order."""
    responses = reader.mapping(operation, "responses", required=True)
    if not responses and "responses" in operation:
        reader.fault(operation, "an operation needs at least one response", "responses")
    answers: dict[str, Answer] = {}
    for code in responses:
        if not (code.isascii() and code.isdigit() and len(code) == 3):
            reader.fault(responses, f"{code!r}: name each status by its three digits", code)
            continue
        response = reader.mapping(responses, code)
        for sample in _samples(reader, response, int(code)):
            if sample.name in answers:
                reader.fault(sample.node, f"a second answer named {sample.name!r}")
                continue
            answers[sample.name] = _answer(reader, response, sample, operation_id)
    return _with_magic(reader, operation, answers)


def _samples(reader: Reader, response: dict[str, Any], status: int) -> list[_Sample]:
    content = reader.mapping(response, "content")
    if not content:
        block = reader.x_mock(response, "answer")
        if not block:
            if "x-mock" not in response:
                reader.fault(response, "an answer without evidence: x-mock needs 'source' or 'assumed'")
            return []
        if "name" not in block:
            reader.fault(response, "a response without a body needs x-mock.name", "x-mock")
            return []
        return [_Sample(block["name"], status, block, response, None, None, None)]
    found = []
    for media_type in content:
        media = reader.mapping(content, media_type)
        schema = reader.schema(media, media["schema"], "schema") if "schema" in media else None
        examples = reader.mapping(media, "examples", required=True)
        for name in examples:
            example = reader.mapping(examples, name)
            block = reader.x_mock(example, "answer")
            if not block and "x-mock" not in example:
                reader.fault(example, "an answer without evidence: x-mock needs 'source' or 'assumed'")
            value = example.get("value", MISSING)
            if value is MISSING:
                reader.fault(example, "'value' is missing")
                continue
            found.append(_Sample(name, status, block, example, media_type, value, schema))
    return found


def _answer(reader: Reader, response: dict[str, Any], sample: _Sample, operation_id: str) -> Answer:
    fills = {Pointer.parse(at): at for at in sample.block.get("fill", {})}
    values = {
        at: value
        for at, text in fills.items()
        if (value := _value(reader, sample.node, sample.block["fill"][text])) is not None
    }
    body_fills = {Pointer(at.tokens[1:]): value for at, value in values.items() if at.tokens[0] == "body"}
    header_fills = {at.tokens[1].lower(): value for at, value in values.items() if at.tokens[0] == "header"}
    if sample.schema is not None and not sample.schema.is_valid(sample.value):
        error = next(iter(sample.schema.iter_errors(sample.value)))
        reader.fault(sample.node, f"the example does not fit its schema: {error.message}", "value")
    body, literals = _template(reader, sample, list(body_fills))
    return Answer(
        name=sample.name,
        id=f"{operation_id}/{sample.name}",
        status=sample.status,
        means=sample.block.get("means", sample.status),
        magic=sample.block.get("magic"),
        source=sample.block.get("source"),
        assumed=sample.block.get("assumed"),
        headers=_headers(reader, response, sample, header_fills),
        body=body,
        fills=tuple((body_fills[at], literal) for at, literal in literals),
        schema=sample.schema,
    )


def _value(reader: Reader, node: dict[str, Any], block: dict[str, Any]) -> Value | None:
    if "echo" in block:
        otherwise = _value(reader, node, block["else"]) if "else" in block else None
        return Echo(Pointer.parse(block["echo"]), otherwise)
    if "new" in block:
        return New(block["new"], block.get("plus", 0))
    function = FUNCTIONS.get(block["call"])
    if function is None:
        known = ", ".join(sorted(FUNCTIONS))
        reader.fault(node, f"fill calls {block['call']!r}; there are only: {known}", "x-mock")
        return None
    return Apply(function, tuple(Pointer.parse(pointer) for pointer in block["of"]))


def _template(
    reader: Reader, sample: _Sample, holes: list[Pointer]
) -> tuple[tuple[bytes, ...], list[tuple[Pointer, bytes]]]:
    """The sample's JSON cut at its holes, and each hole with the bytes that stood there."""
    if sample.media_type is None:
        for at in holes:
            reader.fault(sample.node, f"fill points into a body that there is not: /body{at}", "x-mock")
        return (b"",), []
    if not _is_json(sample.media_type):
        if holes or not isinstance(sample.value, str):
            reader.fault(sample.node, f"a {sample.media_type} sample must be plain text without fill", "value")
        return (str(sample.value).encode(),), []
    wanted = {}
    for at in holes:
        if at.get(sample.value) is MISSING:
            reader.fault(sample.node, f"fill points at nothing: /body{at}", "x-mock")
        else:
            wanted[at] = f"\x00{at}\x00"
    text = _dump(_with_marks(sample.value, Pointer(()), wanted))
    segments, order = [], []
    while wanted:
        at = min(wanted, key=lambda at: text.index(_dump(wanted[at])))
        before, text = text.split(_dump(wanted.pop(at)), 1)
        segments.append(before.encode())
        order.append((at, _dump(at.get(sample.value)).encode()))
    return (*segments, text.encode()), order


def _with_marks(value: Any, at: Pointer, marks: dict[Pointer, str]) -> Any:
    if at in marks:
        return marks[at]
    if isinstance(value, dict):
        return {name: _with_marks(item, Pointer((*at.tokens, name)), marks) for name, item in value.items()}
    if isinstance(value, list):
        return [_with_marks(item, Pointer((*at.tokens, str(i))), marks) for i, item in enumerate(value)]
    return value


def _headers(
    reader: Reader, response: dict[str, Any], sample: _Sample, fills: dict[str, Value]
) -> tuple[tuple[bytes, bytes | Value], ...]:
    """Content-Type, then each documented header that has an example or a fill."""
    found: list[tuple[bytes, bytes | Value]] = []
    if sample.media_type is not None:
        found.append((b"content-type", sample.media_type.encode("latin-1")))
    declared = reader.mapping(response, "headers")
    for name in declared:
        header = reader.mapping(declared, name)
        example = header.get("example", MISSING)
        if name.lower() in fills:
            found.append((name.lower().encode("latin-1"), fills.pop(name.lower())))
        elif example is not MISSING:
            text = example if isinstance(example, str) else _dump(example)
            found.append((name.lower().encode("latin-1"), text.encode("latin-1")))
        elif header.get("required"):
            reader.fault(header, f"{name} is required but has neither an example nor a fill")
    for name in fills:
        reader.fault(sample.node, f"fill points at a header that is not documented: /header/{name}", "x-mock")
    return tuple(found)


def _with_magic(reader: Reader, operation: dict[str, Any], answers: dict[str, Answer]) -> dict[str, Answer]:
    """Give each answer its magic digits: as written, else its status where that names one answer."""
    statuses: dict[int, list[Answer]] = {}
    for answer in answers.values():
        statuses.setdefault(answer.status, []).append(answer)
    taken: dict[str, str] = {}
    for name, answer in answers.items():
        if answer.magic is not None and taken.setdefault(answer.magic, name) != name:
            reader.fault(operation, f"{taken[answer.magic]} and {name} share the magic {answer.magic}", "responses")
    found = {}
    for name, answer in answers.items():
        magic = answer.magic
        alone = len(statuses[answer.status]) == 1 or CANONICAL.get(name) == answer.status
        if magic is None and alone and str(answer.status) not in taken:
            magic = str(answer.status)
            taken[magic] = name
        found[name] = replace(answer, magic=magic)
    return found


def _is_json(media_type: str) -> bool:
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

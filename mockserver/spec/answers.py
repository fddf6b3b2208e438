"""Responses and their examples as Answers. Whatever is the same in every response is bytes already."""

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from mockserver.spec.answer_model import EMPTY_STATUSES, Answer
from mockserver.spec.effects import read_effects
from mockserver.spec.evidence import DRAFT, Evidence, Graded, graded, read_evidence
from mockserver.spec.fill_probes import check_fills
from mockserver.spec.filled import misfits
from mockserver.spec.forms import field_text, form_text, is_form_type
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.value_model import Validator, Value
from mockserver.spec.values import read_value

CANONICAL_STATUSES = {
    "invalid": 400,
    "unauthorized": 401,
    "forbidden": 403,
    "method_not_allowed": 405,
    "rate_limited": 429,
    "server_error": 500,
}
_STATUS_CODE = re.compile(r"[2-5][0-9][0-9]")
_ANSWER_NAME = re.compile(r"[a-z][a-z0-9_]*")  # as x-mock.name
_HEADER_NAME = re.compile(r"[!#$%&'*+.^_`|~0-9a-z-]+")
_RESERVED_HEADERS = ("content-type", "content-length", "transfer-encoding", "connection")
_NO_EVIDENCE = "an answer without evidence: x-mock needs 'evidence'"


@dataclass(frozen=True, slots=True)
class _ResponseSample:
    """A documented response as it is written, before it is an Answer."""

    name: str
    status: int
    block: dict[str, Any]
    node: dict[str, Any]
    media_type: str | None
    value: Any
    schema: Validator | None

    @property
    def is_form(self) -> bool:
        return self.media_type is not None and is_form_type(self.media_type) and isinstance(self.value, dict)


def read_answers(reader: Reader, operation: dict[str, Any], operation_id: str) -> dict[str, Answer]:
    """The answers of an operation by name, in document order."""
    responses = reader.mapping(operation, "responses", required=True)
    if not responses and "responses" in operation:
        reader.error(operation, "an operation needs at least one response", "responses")
    answers: dict[str, Answer] = {}
    nodes: dict[str, dict[str, Any]] = {}
    for code in responses:
        status = int(code) if _STATUS_CODE.fullmatch(code) else 500
        if code != str(status):
            reader.error(responses, f"{code!r}: name each status by its three digits, 200 to 599", code)
        response = reader.mapping(responses, code)
        if not response:
            if isinstance(reader.resolve(responses, code), dict):
                reader.unfinished(responses, _NO_EVIDENCE, code)
            continue
        for sample in _samples(reader, response, status):
            if not _ANSWER_NAME.fullmatch(sample.name):
                reader.error(sample.node, f"an answer's name must be a plain lower-case word, not {sample.name!r}")
            if sample.name in answers:
                reader.error(sample.node, f"a second answer named {sample.name!r}")
                continue
            answers[sample.name] = _answer(reader, response, sample, operation_id)
            nodes[sample.name] = sample.node
    return _with_magic(reader, nodes, answers)


def answer_blocks(reader: Reader, operation: dict[str, Any]) -> Iterator[tuple[str, dict[str, Any]]]:
    """The name of each answer of an operation, and its x-mock block."""
    responses = reader.mapping(operation, "responses")
    for code in responses:
        response = reader.mapping(responses, code)
        content = reader.mapping(response, "content")
        if not content:
            block = reader.x_mock(response, "answer")
            yield block.get("name", ""), block
        for media_type in content:
            examples = reader.mapping(reader.mapping(content, media_type), "examples")
            for name in examples:
                yield name, reader.x_mock(reader.mapping(examples, name), "answer")


def read_request(reader: Reader, node: dict[str, Any], block: dict[str, Any], request_id: str) -> Answer:
    """A request that the vendor makes itself, as an answer has it: headers, and a body with filled values."""
    body = reader.mapping(node, "requestBody", required=True)
    content = reader.mapping(body, "content", required=True)
    media_type = next(iter(content), None)
    media = reader.mapping(content, media_type) if media_type is not None else {}
    schema = reader.schema(media, media["schema"], "schema") if "schema" in media else None
    if "example" not in media:
        reader.error(media or body, "'example' is missing: what the body looks like")
    declared = {"content": content, "headers": reader.mapping(block, "headers")}
    sample = _ResponseSample("request", 200, block, media or node, media_type, media.get("example", {}), schema)
    return _answer(reader, declared, sample, request_id)


def _samples(reader: Reader, response: dict[str, Any], status: int) -> list[_ResponseSample]:
    content = reader.mapping(response, "content")
    if not content:
        block = reader.x_mock(response, "answer")
        if "x-mock" not in response:
            reader.unfinished(response, _NO_EVIDENCE)
            return []
        if "name" not in block:
            reader.error(response, "a response without a body needs x-mock.name", "x-mock")
            return []
        return [_ResponseSample(block["name"], status, block, response, None, None, None)]
    if status in EMPTY_STATUSES:
        reader.error(response, f"HTTP allows no body with status {status}", "content")
    samples = []
    for media_type in content:
        media = reader.mapping(content, media_type)
        schema = reader.schema(media, media["schema"], "schema") if "schema" in media else None
        examples = reader.mapping(media, "examples", required=True)
        for name in examples:
            example = reader.mapping(examples, name)
            block = reader.x_mock(example, "answer")
            if "x-mock" not in example:
                reader.unfinished(example, _NO_EVIDENCE)
            value = example.get("value", MISSING)
            if value is MISSING:
                reader.error(example, "'value' is missing")
                continue
            samples.append(_ResponseSample(name, status, block, example, media_type, value, schema))
    return samples


def _answer(reader: Reader, response: dict[str, Any], sample: _ResponseSample, operation_id: str) -> Answer:
    blocks = {Pointer.parse(at): block for at, block in sample.block.get("fill", {}).items()}
    values = {at: read_value(reader, block) for at, block in blocks.items()}
    body_fills = {Pointer(at.tokens[1:]): value for at, value in values.items() if at.tokens[0] == "body"}
    header_fills = {at.tokens[1:]: value for at, value in values.items() if at.tokens[0] == "header"}
    if not reader.is_proven:
        check_fills(reader, sample.block, values, sample.value, _names_sent(reader, response, values))
        _check_sample(reader, sample, body_fills)
    body, literals = _template(reader, sample, list(body_fills))
    headers = _headers(reader, response, sample, header_fills)
    fill_evidence = _fill_evidence(reader, blocks)
    return Answer(
        name=sample.name,
        id=f"{operation_id}/{sample.name}",
        status=sample.status,
        means=sample.block.get("means", sample.status),
        magic=sample.block.get("magic"),
        evidence=_evidence(reader, sample, has_headers=any(name != b"content-type" for name, _, _ in headers)),
        headers=headers,
        body=body,
        fills=tuple((body_fills[at], literal, fill_evidence.get(at)) for at, literal in literals),
        schema=sample.schema,
        sample=sample.value,
        places=tuple(at for at, _ in literals),
        written=tuple(sorted(range(len(literals)), key=lambda place: list(body_fills).index(literals[place][0]))),
        effects=read_effects(reader, sample.block),
        is_form=sample.is_form,
    )


def _check_sample(reader: Reader, sample: _ResponseSample, fills: dict[Pointer, Value]) -> None:
    """Add an error where an answer does not fit its schema, as it is written or as it is filled."""
    schema = sample.schema
    if schema is None:
        return
    if not schema.is_valid(sample.value):
        error = next(iter(schema.iter_errors(sample.value)))
        path = ["value", *error.instance_path]
        reader.error_below(sample.node, path, f"the example does not fit its schema: {error.message}")
        return
    for at, message in misfits(schema, sample.value, fills.items()):
        path = ["x-mock", "fill", str(Pointer(("body", *at.tokens)))]
        reader.error_below(sample.node, path, f"what is filled in does not fit the schema: {message}")


def _evidence(reader: Reader, sample: _ResponseSample, *, has_headers: bool) -> Evidence:
    if reader.is_draft:
        return read_evidence({DRAFT: "Served unfinished."}, has_headers=has_headers)[0]
    written = sample.block.get("evidence", {"assumed": "Not written."})  # an answer without it is an error already
    evidence, mistakes = read_evidence(written, has_headers=has_headers)
    is_whole = reader.as_written(sample.node).get("evidence") is sample.block.get("evidence")
    for mistake in mistakes if is_whole else ():  # what is wrong with it is told already, and it is read without that
        reader.error_below(sample.node, ["x-mock", "evidence"], mistake)
    return evidence


def _fill_evidence(reader: Reader, blocks: dict[Pointer, Any]) -> dict[Pointer, Graded]:
    """What is known of filled values that differ from the sample's, by their place in the body."""
    known = {}
    for at, block in blocks.items():
        if not isinstance(block, dict):
            continue
        if "evidence" in block and at.tokens[0] == "header":
            reader.error(block, "the evidence of a header's value is that of the answer's headers", "evidence")
        elif "evidence" in block:
            known[Pointer(at.tokens[1:])] = graded(block["evidence"])
    return known


def _misplaced(reader: Reader, sample: _ResponseSample, tokens: tuple[str, ...], what: str) -> None:
    at = str(Pointer(tokens))
    reader.error(sample.block["fill"], f"fill points {what}: {at}", at)


def _template(
    reader: Reader, sample: _ResponseSample, holes: list[Pointer]
) -> tuple[tuple[bytes, ...], list[tuple[Pointer, bytes]]]:
    """The sample's text cut at its holes, and each hole with the bytes that stood there."""
    if sample.media_type is None:
        for at in holes:
            _misplaced(reader, sample, ("body", *at.tokens), "into a body that there is not")
        return (b"",), []
    if not _is_json(sample.media_type) and not sample.is_form:
        if holes or not isinstance(sample.value, str):
            reader.error(sample.node, f"a {sample.media_type} sample must be plain text without fill", "value")
        return (str(sample.value).encode(),), []
    segments, order = [""], []
    cut = _cut_form if sample.is_form else _cut
    for piece in cut(sample.value, Pointer(()), frozenset(holes)):
        if isinstance(piece, Pointer):
            value = piece.get(sample.value)
            in_form = field_text(value) if piece.tokens else form_text(value)
            order.append((piece, (in_form if sample.is_form else _dump(value)).encode()))
            segments.append("")
        else:
            segments[-1] += piece
    for at in set(holes).difference(at for at, _ in order):
        what = "at nothing" if at.get(sample.value) is MISSING else "into what another fill replaces"
        _misplaced(reader, sample, ("body", *at.tokens), what)
    return tuple(segment.encode() for segment in segments), order


def _cut(value: Any, at: Pointer, holes: frozenset[Pointer]) -> Iterator[str | Pointer]:
    """The JSON of a value in pieces, with the pointer of each hole in place of the value there."""
    if at in holes:
        yield at
    elif isinstance(value, dict):
        for number, (name, item) in enumerate(value.items()):
            yield f"{',' if number else '{'}{_dump(name)}:"
            yield from _cut(item, Pointer((*at.tokens, name)), holes)
        yield "}" if value else "{}"
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield "," if number else "["
            yield from _cut(item, Pointer((*at.tokens, str(number))), holes)
        yield "]" if value else "[]"
    else:
        yield _dump(value)


def _cut_form(fields: dict[str, Any], at: Pointer, holes: frozenset[Pointer]) -> Iterator[str | Pointer]:
    """The text of a form's fields in pieces, with the pointer of each hole in place of the value there."""
    if at in holes:
        yield at
        return
    for number, (name, value) in enumerate(fields.items()):
        field = Pointer((*at.tokens, name))
        yield f"{'&' if number else ''}{field_text(name)}="
        yield field if field in holes else field_text(value)


def _names_sent(reader: Reader, response: dict[str, Any], values: dict[Pointer, Value]) -> list[str]:
    """The documented headers that have an example or a fill, in their order."""
    declared = reader.mapping(response, "headers")
    filled = {at.tokens[1].lower() for at in values if at.tokens[0] == "header"}
    return [n.lower() for n in declared if n.lower() in filled or "example" in reader.mapping(declared, n)]


def _headers(
    reader: Reader, response: dict[str, Any], sample: _ResponseSample, fills: dict[tuple[str, ...], Value]
) -> tuple[tuple[bytes, bytes, Value | None], ...]:
    """Content-Type, then each documented header that has an example or a fill."""
    headers: list[tuple[bytes, bytes, Value | None]] = []
    if sample.media_type is not None:
        content = reader.mapping(response, "content")
        headers.append((b"content-type", _header_value(reader, content, sample.media_type, sample.media_type), None))
    declared = reader.mapping(response, "headers")
    written = {name.lower(): name for name in declared}
    unplaced = {tuple(map(str.lower, at)): at for at in fills}
    for name, spelling in written.items():
        header = reader.mapping(declared, spelling)
        if not _HEADER_NAME.fullmatch(name) or name in _RESERVED_HEADERS:
            reader.error(declared, f"{spelling!r} cannot be a header of an answer", spelling)
            continue
        example = header.get("example", "")
        text = example if isinstance(example, str) else _dump(example)
        literal = _header_value(reader, header, "example", text) if text else b""
        at = unplaced.pop((name,), None)
        fill = None if at is None else fills[at]
        if literal or fill is not None:
            headers.append((name.encode(), literal, fill))
        elif header.get("required"):
            reader.error(header, f"{spelling} is required but has neither an example nor a fill")
    for at in unplaced.values():
        _misplaced(reader, sample, ("header", *at), "at a header that is not documented")
    return tuple(headers)


def _header_value(reader: Reader, container: dict[str, Any], key: str, text: str) -> bytes:
    if not (text.isascii() and text.isprintable()):
        reader.error(container, f"a header can hold printable ASCII only, not {text!r}", key)
    return text.encode("ascii", "replace")


def _with_magic(reader: Reader, nodes: dict[str, dict[str, Any]], answers: dict[str, Answer]) -> dict[str, Answer]:
    """Each answer with its magic digits: as written, or else its status if no other answer has that."""
    statuses: dict[int, list[Answer]] = {}
    for answer in answers.values():
        statuses.setdefault(answer.status, []).append(answer)
    taken: dict[str, str] = {}
    shared: set[str] = set()
    for name, answer in answers.items():
        if answer.magic is not None and taken.setdefault(answer.magic, name) != name:
            message = f"{taken[answer.magic]} and {name} share the magic {answer.magic}"
            reader.error_below(nodes[name], ["x-mock", "magic"], message)
            shared.add(answer.magic)
    complete = {}
    for name, answer in answers.items():
        magic = answer.magic
        alone = len(statuses[answer.status]) == 1 or CANONICAL_STATUSES.get(name) == answer.status
        by_itself = str(answer.status)
        if magic is None and alone and by_itself not in taken:
            magic = by_itself
            taken[magic] = name
        elif magic is None and alone and by_itself not in shared and answers[taken[by_itself]].magic == by_itself:
            message = f"the magic {by_itself} is that of {name}, by its status: write another here, or one at {name}"
            reader.error_below(nodes[taken[by_itself]], ["x-mock", "magic"], message)
        complete[name] = replace(answer, magic=magic)
    for name, answer in answers.items():
        _check_courses(reader, nodes[name], answer, taken)
    return complete


def _check_courses(reader: Reader, node: dict[str, Any], answer: Answer, taken: dict[str, str]) -> None:
    """Add an error for each course whose magic another answer, or a course before it, has taken."""
    for number, keeps in enumerate(answer.effects.keeps):
        one_or_many = [] if isinstance(node["x-mock"]["keeps"], dict) else [number]
        asked: dict[str, str] = {}
        for course in keeps.courses:
            if course.magic is None:
                continue
            other = asked.setdefault(course.magic, course.name)
            told = None
            if other != course.name:
                told = f"the magic {course.magic} is that of the course {other}, which is taken then"
            elif taken.get(course.magic, answer.name) != answer.name:
                told = f"the magic {course.magic} is that of {taken[course.magic]}, which is answered then"
            if told is not None:
                path = ["x-mock", "keeps", *one_or_many, "courses", course.name, "magic"]
                reader.error_below(node, path, f"{told}: write another")


def _is_json(media_type: str) -> bool:
    essence = media_type.partition(";")[0].strip().lower()
    return essence == "application/json" or essence.endswith("+json")


def _dump(value: Any) -> str:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":"))

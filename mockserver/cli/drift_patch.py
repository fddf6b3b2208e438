"""Changes to a contract's file that real answers ask for: samples as they really are, and evidence with its date."""

import json
import re
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import yaml

from mockserver.cli.drift_substitutes import nobodys
from mockserver.server.drift.recording import RealCall
from mockserver.spec.answer_model import Answer
from mockserver.spec.model import OperationSpec
from mockserver.spec.pointer import Pointer

ALIAS = re.compile(r"\s*:\s*\*[\w-]+")
ANCHOR = re.compile(r"[\s:,\[{]&[A-Za-z]")  # of what aliases stand for, elsewhere
SAMPLE_PARTS = frozenset({"shape", "text"})


@dataclass(frozen=True, slots=True)
class Seen:
    """A real call, and the answer of the contract that it comes nearest."""

    call: RealCall
    operation: OperationSpec
    answer: Answer

    @property
    def is_moved(self) -> bool:
        """Whether the real answer is not this one: its status, or when it comes, is another."""
        return any(departure.part in {"status", "trigger"} for departure in self.call.departures)


@dataclass(frozen=True, slots=True)
class Patch:
    """A file's text with the changes, and what has to be done by hand, a sentence each."""

    text: str
    by_hand: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Edit:
    """What takes the place of the text between two offsets.

    Answers of several operations may stand there: then the edit counts that keeps most of it.
    """

    start: int
    end: int
    text: str
    kept: int = 0


def patched(text: str, seen: Iterable[Seen]) -> Patch:
    """The text of a contract's file with what these calls show."""
    document = _Document(text)
    edits: dict[int, list[_Edit]] = {}
    by_hand: list[str] = []
    for seen_call, node, sample in _agreed([(seen_call, *_sample(document, seen_call)) for seen_call in seen]):
        unmended = {departure.part for departure in seen_call.call.departures} - SAMPLE_PARTS
        if any(isinstance(change, str) for change in sample):
            unmended |= SAMPLE_PARTS
        for change in (*_elsewhere(seen_call), *sample, *_graded(document, node, seen_call, unmended)):
            if isinstance(change, _Edit):
                edits.setdefault(change.start, []).append(change)
            else:
                by_hand.append(f"{seen_call.answer.id}: {change}")
    for _, meant in sorted(edits.items(), reverse=True):
        edit = max(meant, key=lambda edit: edit.kept)
        text = text[: edit.start] + edit.text + text[edit.end :]
    return Patch(text, tuple(dict.fromkeys(by_hand)))


_SampleEdits = tuple[Seen, Any, list[_Edit | str]]  # a call, its answer's node, what is to be done about the sample


def _agreed(samples: list[_SampleEdits]) -> Iterator[_SampleEdits]:
    """The same, but nothing is done where one sample stands for answers of operations that differ."""
    wanted: dict[int, set[str]] = {}
    for seen_call, node, changes in samples:
        if not seen_call.is_moved:
            texts = {change if isinstance(change, str) else change.text for change in changes}
            wanted.setdefault(id(node), set()).update(texts or {""})
    for seen_call, node, changes in samples:
        is_alone = node is None or len(wanted.get(id(node), ())) == 1
        yield seen_call, node, changes if is_alone else [_by_hand(change) for change in changes]


def _by_hand(change: _Edit | str) -> str:
    if isinstance(change, str):
        return change
    return f"value{change.text} (other answers, which differ, share what stands there)"


def recorded_evidence(call: RealCall, answer: Answer, unmended: Container[str] = ()) -> dict[str, Any]:
    """The answer's evidence as a contract writes it: recorded, but for what the call does not show or is not mended."""
    grade = {"recorded": call.date}
    kept = {}
    for name, part in answer.evidence.parts.items():
        is_shown = name != "trigger" or (call.is_certain and call.expected == call.answer)
        if part is not None and (not is_shown or name in unmended):
            kept[name] = {part.grade: part.why}
    return {"default": grade, **kept} if kept else grade


def flow(value: Any, *, is_json: bool = False) -> str:
    """A value as YAML on one line, or as JSON."""
    if is_json:
        return json.dumps(value, ensure_ascii=False)
    return yaml.safe_dump(
        value, default_flow_style=True, sort_keys=False, allow_unicode=True, width=10**6
    ).strip().removesuffix("\n...")  # fmt: skip


def _elsewhere(seen: Seen) -> Iterator[str]:
    """Departures that no change of the sample mends."""
    for departure in seen.call.departures:
        if departure.part not in SAMPLE_PARTS or not departure.at.startswith("/body"):
            yield departure.sentence


def _sample(document: "_Document", seen: Seen) -> tuple[Any, list[_Edit | str]]:
    """An answer's node; and its sample's body as it really is, values that are filled in left alone."""
    node = document.example(seen.operation, seen.answer)
    departures = [d for d in seen.call.departures if d.at.startswith("/body") and d.part in SAMPLE_PARTS]
    if seen.is_moved or not departures:
        return node, []
    shape = seen.call.call
    real = shape["response"]["json"] if "/response/json" not in shape["cut"] else None
    span = None if node is None or real is None else document.span(node, "value")
    for at in seen.answer.places:
        real = _with(real, at.tokens, at.get(seen.answer.sample))
    real = _without_customer(real, seen.call.owned)
    if span is None or real == seen.answer.sample:
        return node, [departure.sentence for departure in departures]
    return node, [_Edit(*span, f": {document.flow(real)}")]


def _without_customer(value: Any, owned: Mapping[str, str]) -> Any:
    """A body in which nobody's values stand where the customer's own were."""
    if isinstance(value, dict):
        return {name: _without_customer(item, owned) for name, item in value.items()}
    if isinstance(value, list):
        return [_without_customer(item, owned) for item in value]
    for own in owned if isinstance(value, str) else ():
        value = value.replace(own, nobodys(own))
    return value


def _graded(document: "_Document", node: Any, seen: Seen, unmended: Container[str]) -> Iterator[_Edit | str]:
    if seen.is_moved:
        return
    evidence = recorded_evidence(seen.call, seen.answer, unmended)
    written = f": {document.flow(evidence)}"
    block = None if node is None else document.member(node, "x-mock")
    span = None if block is None else document.span(block[1], "evidence")
    if span is None:
        yield f"evidence{written} (other answers share what stands there now)"
    else:
        yield _Edit(*span, written, kept=len(evidence))


def _with(value: Any, tokens: tuple[str, ...], new: Any) -> Any:
    """The value with another one at a place, where it has something there."""
    if not tokens:
        return new
    first, rest = tokens[0], tokens[1:]
    if isinstance(value, dict) and first in value:
        return {**value, first: _with(value[first], rest, new)}
    if isinstance(value, list) and first.isdigit() and int(first) < len(value):
        number = int(first)
        return [*value[:number], _with(value[number], rest, new), *value[number + 1 :]]
    return value


class _Document:
    """A contract's text, and where its members stand in it."""

    def __init__(self, text: str) -> None:
        self._text = text
        self._root = yaml.compose(text, Loader=getattr(yaml, "CSafeLoader", yaml.SafeLoader))  # as contracts are read
        self._lines = [0]
        for line in text.splitlines(keepends=True):
            self._lines.append(self._lines[-1] + len(line))

    def flow(self, value: Any) -> str:
        """A value as this file may have it."""
        return flow(value, is_json=self._text.lstrip().startswith("{"))

    def example(self, operation: OperationSpec, answer: Answer) -> Any:
        """The node of an answer: its example, or its response where that has no body; None where none is found."""
        paths = ("paths", operation.path, operation.method.lower(), "responses")
        for tokens in (paths, ("x-mock", "responses")):
            response = self._at(self._root, (*tokens, str(answer.status)))
            node = None if response is None else self._of_response(response, answer.name)
            if node is not None:
                return node
        return None

    def member(self, node: Any, name: str) -> tuple[Any, Any] | None:
        """Key and value of a mapping's member."""
        for key, value in node.value if isinstance(node, yaml.MappingNode) else ():
            if key.value == name:
                return key, value
        return None

    def span(self, node: Any, name: str) -> tuple[int, int] | None:
        """Where a member's value stands, from behind its name; None where it cannot be replaced by itself."""
        member = self.member(node, name)
        if member is None:
            return None
        start = self._offset(member[0].end_mark)
        alias = ALIAS.match(self._text, start)
        if alias is not None:
            return start, alias.end()
        text = self._text[start : self._offset(member[1].end_mark)]
        if ANCHOR.search(text):
            return None
        lines = text.rstrip().split("\n")
        while len(lines) > 1 and (not lines[-1].strip() or lines[-1].lstrip().startswith("#")):
            lines.pop()
        return start, start + len("\n".join(lines).rstrip())

    def _of_response(self, response: Any, name: str) -> Any:
        content = self.member(response, "content")
        for _, media in content[1].value if content is not None else ():
            example = self._at(media, ("examples", name))
            if example is not None:
                return example
        block = self._at(response, ("x-mock", "name"))
        return response if block is not None and block.value == name else None

    def _at(self, node: Any, tokens: tuple[str, ...]) -> Any:
        """The node at a place, references followed."""
        for token in tokens:
            member = self.member(node, token)
            if member is None:
                return None
            node = member[1]
            reference = self.member(node, "$ref")
            if reference is not None:
                node = self._at(self._root, Pointer.parse(reference[1].value.removeprefix("#")).tokens)
        return node

    def _offset(self, mark: Any) -> int:
        return int(self._lines[mark.line] + mark.column)

"""An answer as bytes: the documented sample, with the values of this exchange laid over it."""

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Any

import msgspec

from mockserver.engine.call import pack_headers, split_headers
from mockserver.engine.values import Context, Make, ValueCompiler, finder
from mockserver.spec.answer_model import BODILESS_STATUSES, Answer
from mockserver.spec.evidence import Graded
from mockserver.spec.forms import field_text, form_fields, form_text
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.value_model import CountOf, Echo, New, Value
from mockserver.spec.values import parts_of, pointers_of


class RenderedResponse(msgspec.Struct, frozen=True):
    """What goes back: status, packed headers with lower-case names, body.

    ``filled`` is the worst grade of the body's values that differ from the contract's sample, as far as they have one.
    """

    status: int
    head: bytes
    body: bytes
    filled: Graded | None = None

    @classmethod
    def of(
        cls, status: int, headers: Iterable[tuple[bytes, bytes]], body: bytes, filled: Graded | None = None
    ) -> "RenderedResponse":
        """The response with these headers and the length of its body, where its status allows one."""
        return cls(status, pack_headers([*headers, *_length(status, len(body))]), body, filled)

    @property
    def headers(self) -> list[tuple[bytes, bytes]]:
        return split_headers(self.head)


MAX_HEADS = 512  # heads of responses that are remembered


class PreparedAnswer(msgspec.Struct, frozen=True):
    """An answer ready to be rendered.

    ``written`` is the body in parts as it stands in the contract; ``makers`` make those at their places anew.
    ``grades`` are those of made parts that are graded, the least known first. ``headers`` are the headers where one of
    them has a fill, else None. ``constant`` is the response where all calls get the same. ``places`` are those of the
    makers in the body, where a value reads what was made before it, else None. ``write`` writes a value of the body.
    """

    answer: Answer
    written: tuple[bytes, ...]
    makers: tuple[tuple[int, Make], ...]
    grades: tuple[tuple[int, Graded], ...]
    headers: tuple[tuple[bytes, bytes, Make | None], ...] | None
    constant: RenderedResponse | None
    places: tuple[Pointer, ...] | None
    write: Callable[[Any], bytes]


class Renderer:
    """Renders the answers of some contracts: each fill is made a function once, when the contracts are known.

    Heads that are equal are one object: in a journal of a million calls it takes room once.
    """

    def __init__(self, contracts: Iterable[Contract], compiler: ValueCompiler | None = None) -> None:
        self._compile = (compiler or ValueCompiler()).compile
        self._head = lru_cache(maxsize=MAX_HEADS)(_constant_head)
        answers = {a: None for contract in contracts for o in contract.operations for a in o.answers.values()}
        answers |= {callback.request: None for contract in contracts for callback in contract.callbacks}
        self._prepared = {answer: self._prepare(answer) for answer in answers}

    def render(self, answer: Answer, context: Context) -> RenderedResponse:
        """The response of an answer of these contracts."""
        prepared = self._prepared[answer]
        if prepared.constant is not None:
            return prepared.constant
        parts, made = list(prepared.written), None
        if prepared.places is None:
            for at, make in prepared.makers:
                value = make(context)
                if value is not MISSING:
                    parts[at] = prepared.write(value)
        else:
            made = dict(context.view.get("made", {}))
            context = context.seeing(made=made)
            _fill_in_order(prepared, parts, context, made)
        body = b"".join(parts)
        filled = _least_known(prepared, parts) if prepared.grades else None
        if prepared.headers is None:
            return RenderedResponse(answer.status, self._head(answer, len(body)), body, filled)
        headers = []
        for name, literal, make_header in prepared.headers:
            text = literal if make_header is None else make_header(context) or literal
            if text:
                headers.append((name, text))
                if made is not None:
                    put(made, ("header", name.decode("latin-1")), text.decode("latin-1"))
        return RenderedResponse.of(answer.status, headers, body, filled)

    def _prepare(self, answer: Answer) -> PreparedAnswer:
        written = [answer.body[0]]
        for (_, literal, _), segment in zip(answer.fills, answer.body[1:], strict=True):
            written += (literal, segment)
        makers = tuple(
            (2 * at + 1, self._compile(answer.fills[at][0], answer.places[at]))
            for at in sorted(answer.written, key=lambda at: _counts(answer.fills[at][0]))
        )
        grades = [(2 * at + 1, grade) for at, (_, _, grade) in enumerate(answer.fills) if grade is not None]
        grades.sort(key=lambda entry: -entry[1].rank)
        headers, constant = None, None
        if any(fill is not None for _, _, fill in answer.headers):
            headers = tuple(
                (name, literal, None if fill is None else self._header_maker(fill))
                for name, literal, fill in answer.headers
            )
        elif not makers:
            body = answer.body[0]
            constant = RenderedResponse(answer.status, _constant_head(answer, len(body)), body)
        places = tuple(answer.places[at // 2] for at, _ in makers) if _reads_made(answer) else None
        write = _form_writer(answer) if answer.is_form else _dump
        return PreparedAnswer(answer, tuple(written), makers, tuple(grades), headers, constant, places, write)

    def _header_maker(self, value: Value) -> Make:
        """A header's fill as a function; its value is b"" where nothing that may be sent is left of it."""
        if isinstance(value, New):
            fresh = self._compile(value)
            return lambda context: str(fresh(context)).encode("ascii")
        find = finder(value.pointer) if isinstance(value, Echo) else self._compile(value)
        other = value.otherwise if isinstance(value, Echo) else None
        otherwise = None if other is None else self._header_maker(other)

        def make(context: Context) -> bytes:
            found = find(context)
            text = b"" if found is MISSING else _header_value(found)
            return otherwise(context) if not text and otherwise is not None else text

        return make


def _counts(value: Value) -> bool:
    """Whether a value counts a list of its answer, so that it is made after that."""
    return any(isinstance(part, CountOf) for part in parts_of(value))


def _reads_made(answer: Answer) -> bool:
    """Whether a value of an answer reads what the answer has made before it."""
    values = [value for value, _, _ in answer.fills] + [value for _, _, value in answer.headers if value is not None]
    return any(at.tokens[0] == "made" for value in values for at in pointers_of(value))


def _fill_in_order(prepared: PreparedAnswer, parts: list[bytes], context: Context, made: dict[str, Any]) -> None:
    """Fill the parts of a body. ``made`` is ``/made`` of the context: what was made before, then the whole body."""
    made["body"], made["header"] = {}, {}
    for (at, make), place in zip(prepared.makers, prepared.places or (), strict=True):
        value = make(context)
        if value is not MISSING:
            parts[at] = prepared.write(value)
            put(made, ("body", *place.tokens), value)
    raw = b"".join(parts)
    made["raw"] = raw.decode()
    if prepared.headers is not None and raw:
        made["body"] = form_fields(made["raw"]) if prepared.answer.is_form else _read(raw)


def _form_writer(answer: Answer) -> Callable[[Any], bytes]:
    """Writes a value of a form: of one field, or all of them where the whole body is made."""
    write = form_text if Pointer(()) in answer.places else field_text
    return lambda value: write(value).encode("ascii")


def _read(raw: bytes) -> Any:
    """The body as JSON; nothing where it is another text."""
    try:
        return _load(raw)
    except msgspec.DecodeError:
        return MISSING


def put(holder: dict[str, Any], tokens: tuple[str, ...], value: Any) -> None:
    """Put a value at a place, in mappings that are made on the way."""
    for token in tokens[:-1]:
        holder = holder.setdefault(token, {})
    holder[tokens[-1]] = value


def _least_known(prepared: PreparedAnswer, parts: list[bytes]) -> Graded | None:
    """The grade of the least known part that is not as it stands in the contract."""
    for at, grade in prepared.grades:
        if parts[at] != prepared.written[at]:
            return grade
    return None


def _constant_head(answer: Answer, length: int) -> bytes:
    """The head of an answer that has no fills in its headers."""
    headers = [(name, literal) for name, literal, _ in answer.headers]
    return pack_headers([*headers, *_length(answer.status, length)])


def _length(status: int, length: int) -> list[tuple[bytes, bytes]]:
    """A 204 has no Content-Length (RFC 9110, 8.6), and that of a 304 would be another response's."""
    return [] if status in BODILESS_STATUSES else [(b"content-length", b"%d" % length)]


def _header_value(value: Any) -> bytes:
    """Text that may stand in a header: what a server would refuse to send is left out."""
    text = str(value)[:1000]
    if not (text.isascii() and text.isprintable()):
        text = "".join(character for character in text if " " <= character <= "~")
    return text.strip().encode("ascii")


_load = msgspec.json.Decoder(float_hook=float).decode  # of a client's numbers, too: see bodies
_dump = msgspec.json.Encoder().encode  # 0.1 us a value, the standard library's 2.5

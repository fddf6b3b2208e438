"""Calls that real vendors answered, in a file: a JSON object a line, secrets masked before they are written."""

import base64
import json
import os
from collections.abc import Callable, Iterator, Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Self

from mockserver.engine.call import RecordedCall
from mockserver.server.checkpoint import TimeShare
from mockserver.server.drift.departures import Departure
from mockserver.server.drift.possible import Judgement, PossibleAnswers
from mockserver.server.drift.secrecy import RealMasker
from mockserver.server.serialize import call_shape
from mockserver.spec.source import check_regular, read_text

FORMAT = 1
BEGINNING = f'{{"format": {FORMAT}, '  # of each line
OWNER_ONLY = 0o600


class RecordingError(ValueError):
    """A file that holds no such calls; the text says where."""


@dataclass(frozen=True, slots=True)
class RealCall:
    """One call: its public shape, the contract's answer that came nearest, and where the real one departs from it.

    ``origin`` is where it went, ``answer`` None where the contract has none like it, ``expected`` the answer that the
    contract gives. ``is_certain``: no other was possible. ``call`` is masked, and so is what is shown of it. ``owned``
    are values in it that the user gave as the customer's own, and where in the customer's data they stand.
    """

    origin: str
    vendor: str
    operation: str
    answer: str | None
    expected: str | None
    is_certain: bool
    departures: tuple[Departure, ...]
    confirmed: tuple[str, ...]
    call: Mapping[str, Any]
    owned: Mapping[str, str] = field(default_factory=dict)

    @property
    def date(self) -> str:
        """The day on which it was made."""
        return str(self.call["received_at"])[:10]

    @classmethod
    async def of(  # noqa: PLR0913, PLR0917 -- what is known of one call
        cls,
        call: RecordedCall,
        origin: str,
        may_be: PossibleAnswers,
        judgement: Judgement,
        masker: RealMasker,
        owned: Mapping[str, str],
    ) -> Self:
        """A call as it may be written down; of the values that the customer owns those are named that stand in it."""
        quotes = masker.quotes(call)
        shape = await call_shape(call, masker, TimeShare(), is_strict=True)
        text = "\n".join(_texts(shape))
        return cls(
            origin=origin,
            vendor=call.vendor,
            operation=call.operation,
            answer=None if judgement.answer is None else judgement.answer.id,
            expected=None if may_be.expected is None else may_be.expected.id,
            is_certain=may_be.is_certain,
            departures=tuple(
                Departure(d.part, quotes.text(d.at), quotes.text(d.contract), quotes.text(d.real), d.grade)
                for d in judgement.departures
            ),
            confirmed=judgement.confirmed,
            call=shape,
            owned={value: at for value, at in owned.items() if value in text},
        )

    @property
    def line(self) -> str:
        return json.dumps({"format": FORMAT, **asdict(self)})

    @classmethod
    def read(cls, line: str) -> Self:
        """A call from its line. Raises ValueError, KeyError, TypeError."""
        value = json.loads(line)
        if value.pop("format") != FORMAT:
            raise ValueError("another format")
        found = tuple(Departure(**departure) for departure in value.pop("departures"))
        return cls(departures=found, confirmed=tuple(value.pop("confirmed")), **value)


class RecordingFile:
    """Where real calls are written down; only the user may read it. Raises OSError where it cannot be written.

    Where a server was ended while it wrote, its last line is cut off, and the next one begins a line of its own.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        if path.exists():
            check_regular(path)
        self._write(b"")
        if _ends_within_a_line(path):
            self._write(b"\n")

    def add(self, call: RealCall) -> None:
        """Write one behind those that are there."""
        self._write(call.line.encode("ascii") + b"\n")

    def _write(self, data: bytes) -> None:
        descriptor = os.open(self.path, os.O_WRONLY | os.O_APPEND | os.O_CREAT, OWNER_ONLY)
        try:
            os.write(descriptor, data)
        finally:
            os.close(descriptor)


def _ends_within_a_line(path: Path) -> bool:
    if not path.is_file() or not path.stat().st_size:
        return False
    with path.open("rb") as file:
        file.seek(-1, os.SEEK_END)
        return file.read() != b"\n"


def _nobody(_: str) -> None:
    """Whom nothing is told."""


def _texts(value: Any) -> Iterator[str]:
    """All texts of a call's public shape, bodies among them."""
    if isinstance(value, Mapping):
        for name, item in value.items():
            yield from (str(name), *_texts(item))
        yield base64.b64decode(value.get("body_base64") or "").decode("utf-8", "replace")
    elif isinstance(value, list):
        for item in value:
            yield from _texts(item)
    elif isinstance(value, str):
        yield value


def read_recording(path: Path, note: Callable[[str], None] = _nobody) -> Iterator[RealCall]:
    """The calls of a file, oldest first; ``note`` is told of lines that are cut off. Raises OSError, RecordingError."""
    for number, line in enumerate(read_text(path, "replace").splitlines(), start=1):
        if line.strip():
            try:
                yield RealCall.read(line)
            except (ValueError, KeyError, TypeError, AttributeError, RecursionError) as error:
                if not _is_cut(line, error):
                    raise RecordingError(f"{path}:{number}: is no call of a real vendor as serve records it") from error
                note(f"{path}:{number}: is cut off, and left out: a server was ended while it wrote it")


def _is_cut(line: str, error: Exception) -> bool:
    """Whether a line begins as that of a call, and no JSON comes of it."""
    return isinstance(error, json.JSONDecodeError) and (line.startswith(BEGINNING) or BEGINNING.startswith(line))

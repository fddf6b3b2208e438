"""A comparison made here, in the words of the server's own messages."""

import json
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from mockserver.testing.call import Call
from mockserver.testing.comparison import ABSENT, Difference

WIDTH = 300  # characters of a value that is shown
MOST_SHOWN = 10  # calls, where there are too many


def explain(  # noqa: PLR0913 -- what a verdict consists of, each once
    what: str,
    expected: str,
    fits: int,
    candidates: int,
    *,
    unseen: int,
    exceeding: Sequence[Call],
    nearest: Iterable[tuple[Call, Sequence[Difference]]],
    plain: str,
) -> str:
    """The text of a failed assertion; ``plain`` is the server's about the plain part, where that failed too."""
    lines = [f"{what}: expected {expected}, found {fits} among {candidates} that fit the plain parts."]
    if unseen:
        lines.append(
            f"Cannot be known: {unseen} more calls were evicted or are too many to be compared here. "
            "Say more in plain values or by when=, or reset earlier."
        )
    if exceeding:
        lines.append("Calls that fit, latest first:")
        lines += [f"  {_call(call)}" for call in exceeding[:MOST_SHOWN]]
    else:
        found = list(nearest)
        if found:
            lines.append("Nearest calls:" if len(found) > 1 else "Nearest call:")
        for call, differences in found:
            lines += _near(call, differences)
    return "\n".join([*lines, plain] if plain else lines)


def _near(call: Call, differences: Sequence[Difference]) -> Iterator[str]:
    yield f"  {_call(call)}"
    for difference in differences[:8]:
        yield f"      {difference.pointer}: expected {_text(difference.expected)}, found {_text(difference.found)}"
    if not call.accepted:
        for problem in call.problems:
            yield f"      refused: {problem}: {problem.message}"


def _call(call: Call) -> str:
    request, chosen = call.data["request"], f" (by {call.chosen_by})" if call.chosen_by else ""
    answer = call.answer or ("off-contract" if call.vendor else "no operation has this path")
    when = f"{call.received_at:%H:%M:%S.%f}"[:-3]
    return (
        f"{call.id} {when} {request['method']} {request['path']} -> {call.data['response']['status']} {answer}{chosen}"
    )


def _text(value: Any) -> str:
    """Plain data as JSON, as the server writes it; anything else as Python does."""
    if value is ABSENT:
        return "nothing"
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= WIDTH else f"{text[:WIDTH]}… ({len(text)} characters)"

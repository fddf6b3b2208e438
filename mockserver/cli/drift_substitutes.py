"""What stands in a fixture in place of a real customer's values: those of the account ``default``, or nobody's."""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import product
from typing import Any

from mockserver.engine.account import BUILTIN_ACCOUNTS
from mockserver.server.drift.recording import RealCall
from mockserver.spec.answer_model import Answer
from mockserver.spec.model import OperationSpec, Owned
from mockserver.spec.pointer import Pointer
from mockserver.spec.security_model import Basic, Jwt, Scheme

WRONG = "not-a-credential"  # in place of one that was refused: what it was is masked


@dataclass(frozen=True, slots=True, eq=False)
class Substitute:
    """A value of which only a trial shows which one gets the answer: the most likely first."""

    alternatives: tuple[Any, ...]


def settled(node: Any) -> Iterator[Any]:
    """A node with each of its choices made, in all ways; a choice that stands in several places is made once."""
    choices = list(dict.fromkeys(_choices(node)))
    for picked in product(*(choice.alternatives for choice in choices)):
        yield _with(node, dict(zip(choices, picked, strict=True)))


def nobodys(text: str) -> str:
    """A text of the same form: a letter stays a letter, and of a group the first digit stays."""
    text = re.sub(r"(?<=[0-9A-Za-z])[0-9]", "0", text)
    return re.sub("[A-Z]", "A", re.sub("[a-z]", "a", text))


class Substitutes:
    """The choices for one call, which got this answer; ``data`` is what the account ``default`` has."""

    def __init__(self, call: RealCall, operation: OperationSpec, answer: Answer, data: Mapping[str, Any]) -> None:
        self._problems = [(Pointer.parse(one["at"]), one["kind"]) for one in call.call["problems"]]
        self._rules = [rule for rule in operation.rules if rule.answer is answer]
        self._data = data
        self._customers = call.owned
        longest_first = sorted(call.owned, key=len, reverse=True)
        self._any = re.compile("|".join(rf"(?<!\w){re.escape(value)}(?!\w)" for value in longest_first) or r"(?!)")
        self._made: dict[tuple[str, str], Substitute] = {}

    def kinds(self, at: Pointer) -> set[str]:
        """What is wrong with a value: as the server saw it, else as the answer says."""
        told = {kind for place, kind in self._problems if at.covers(place)}
        rules = (rule for rule in self._rules if rule.at is None or rule.at.covers(at))
        return told or {kind for rule in rules for kind in rule.kinds or ()}

    def is_told(self, at: Pointer) -> bool:
        """Whether something was seen to be wrong with a value."""
        return any(at.covers(place) for place, _ in self._problems)

    def within(self, node: Any) -> Any:
        """Plain data without what is the customer's."""
        if isinstance(node, Mapping):
            return {name: self.within(value) for name, value in node.items()}
        if isinstance(node, list):
            return [self.within(item) for item in node]
        return self._text(node) if isinstance(node, str) else node

    def of_owned(self, owned: Owned, value: Any) -> Any:
        """In place of a value that the customer must own."""
        kinds = self.kinds(owned.at)
        if isinstance(value, Substitute) and "foreign" not in kinds:
            return value  # one that the user gave
        if isinstance(value, Mapping | list):
            return value
        mine, others = (self._of_account(account, owned.claim, "") for account in BUILTIN_ACCOUNTS)
        nobody = [nobodys(value)] if isinstance(value, str) else []
        if self.is_told(owned.at) and not kinds & {"unknown", "foreign"}:
            likely = [*nobody, value]
        elif "unknown" in kinds:
            likely = [*nobody, *others, *mine]
        else:
            likely = [*others, *nobody, *mine] if "foreign" in kinds else [*mine, *others, *nobody]
        return self._choice(str(value), str(owned.at), likely)

    def of_schemes(self, schemes: Sequence[Scheme], value: Any) -> Any:
        """In place of a credential, which is of one of these schemes."""
        at = schemes[0].at
        good = [credential for scheme in schemes for credential in self._credentials(scheme)]
        is_refused = "unauthenticated" in self.kinds(Pointer.parse(at))
        return self._choice(str(value), at, [WRONG, *good] if is_refused else [*good, WRONG])

    def of_name(self, at: Pointer, example: Any, allowed: Iterable[Any], value: Any) -> Any:
        """In place of a value that names something of the customer's, which the server cannot know."""
        if value in allowed or not isinstance(value, str):
            return value
        return self._choice(value, str(at), [*([example] if isinstance(example, str) else []), nobodys(value)])

    def _credentials(self, scheme: Scheme) -> list[Any]:
        accept = scheme.accept
        if isinstance(accept, Basic):
            return [{"credential": scheme.name}]
        values = self._of_account("default", accept.claim, "")
        if isinstance(accept, Jwt):
            values = [{"token": scheme.name, **({"record": n} if n else {})} for n in range(len(values))]
        return [{"join": [f"{scheme.word} ", value]} for value in values] if scheme.word else values

    def _text(self, text: str) -> Any:
        """A text of values and what is between them; a single value is that value."""
        parts, end = [], 0
        for found in self._any.finditer(text):
            parts += [text[end : found.start()], self._of_customer(found[0])]
            end = found.end()
        parts = [part for part in (*parts, text[end:]) if part != ""]
        if any(isinstance(part, Substitute) for part in parts):
            return parts[0] if len(parts) == 1 else {"join": parts}
        return text

    def _of_customer(self, value: str) -> Substitute:
        """In place of a value that the user gave as the customer's own: the one that stands in the same place first."""
        at = self._customers[value]
        claim = "/account" + re.sub(r"/[0-9]+(?=/|$)", "", at)
        return self._choice(value, at, [*self._of_account("default", claim, at), nobodys(value)])

    def _of_account(self, account: str, claim: str, first: str) -> list[Any]:
        """References to the values of a claim. The second account is made as the first one is."""
        found = sorted(_pointers(self._data, Pointer.parse(claim).tokens[1:]), key=lambda pointer: pointer != first)
        return [{account: pointer} for pointer in found]

    def _choice(self, value: str, at: str, alternatives: list[Any]) -> Substitute:
        return self._made.setdefault((value, at), Substitute(tuple(alternatives)))


def _choices(node: Any) -> Iterator[Substitute]:
    if isinstance(node, Substitute):
        yield node
    elif isinstance(node, Mapping | list | tuple):
        for value in node.values() if isinstance(node, Mapping) else node:
            yield from _choices(value)


def _with(node: Any, picked: Mapping[Substitute, Any]) -> Any:
    if isinstance(node, Substitute):
        return picked[node]
    if isinstance(node, Mapping):
        return {name: _with(value, picked) for name, value in node.items()}
    return [_with(value, picked) for value in node] if isinstance(node, list | tuple) else node


def _pointers(value: Any, tokens: tuple[str, ...]) -> Iterator[str]:
    """The pointers of the values that these tokens name, in whichever items of lists."""
    if isinstance(value, list):
        for number, item in enumerate(value):
            yield from (f"/{number}{path}" for path in _pointers(item, tokens))
    elif not tokens:
        yield ""
    elif isinstance(value, Mapping) and tokens[0] in value:
        yield from (f"/{tokens[0]}{path}" for path in _pointers(value[tokens[0]], tokens[1:]))

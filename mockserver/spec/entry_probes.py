"""Members of a list's entries that no entry has: in what is shown of them, in conditions, in their order."""

from collections.abc import Callable, Hashable, Iterator
from typing import Any

from mockserver.spec.account_values import is_made
from mockserver.spec.check import kept_lists
from mockserver.spec.model import Contract
from mockserver.spec.parameters import ITEMS
from mockserver.spec.places import RequestPlaces
from mockserver.spec.pointer import Pointer
from mockserver.spec.value_forms import is_form

Verdict = tuple[Any, Hashable, str | None]  # the container, the key in it, what is wrong there
_Known = tuple[Callable[[str], bool], list[str]]  # whether an entry may have a member, and the names there are
OF_RECIPIENTS = ("to", "text", "number", "accepted", "answer", "entry")
OF_PROBLEMS = ("kind", "at", "reason", "name", "value")


class EntryProbe:
    """What is wrong with the lists in values of one operation."""

    def __init__(self, contract: Contract, places: RequestPlaces) -> None:
        self._account = contract.account
        self._lists = kept_lists(contract)
        self._places = places

    def verdicts(self, value: Any) -> Iterator[Verdict]:
        """A verdict on each member of an entry that a block of ours names."""
        if isinstance(value, dict) and is_form(value):
            of = "/problems" if "problems" in value else value.get("each")
            known = self._known(Pointer.parse(of)) if isinstance(of, str) else None
            if known is not None:
                yield from _of_list(value, str(of), known)
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(item, dict | list) and key != "evidence":
                yield from self.verdicts(item)

    def _known(self, of: Pointer) -> _Known | None:
        """The members of a list's entries; None where any may be."""
        root, *rest = of.tokens
        names: list[str] | None = None
        if root in ("recipients", "problems"):
            names = list(OF_RECIPIENTS if root == "recipients" else OF_PROBLEMS)
        elif root == "kept" and len(rest) == 1 and rest[0] in self._lists:
            names = sorted(self._lists[rest[0]])
        elif root == "account":
            names = self._of_account(of)
        elif root in ("body", "query") and self._places.schemas(of):
            entry = Pointer((*of.tokens, ITEMS))
            names = self._places.names(entry)
            return (lambda name: self._places.schemas(Pointer((*entry.tokens, name))) is not None), names
        return None if not names else (names.__contains__, names)

    def _of_account(self, of: Pointer) -> list[str] | None:
        entries = of.get({"account": self._account})
        if not isinstance(entries, list) or not all(isinstance(one, dict) and not is_made(one) for one in entries):
            return None
        return sorted({name for one in entries for name in one})


def _of_list(node: dict[str, Any], of: str, known: _Known) -> Iterator[Verdict]:
    shown = (
        node["problems"] if "problems" in node else {name: node[name] for name in ("item", "refused") if name in node}
    )
    for container, key, text in _entry_reads(shown):
        yield container, key, _told(Pointer.parse(text).tokens[1], of, known)
    where, order = node.get("where"), node.get("order")
    for name in where if isinstance(where, dict) else ():
        yield where, name, _told(_member(name), of, known)
    for number, written in enumerate(order if isinstance(order, list) else ()):
        if isinstance(written, str):  # else the vocabulary has told it
            yield order, number, _told(_member(written.removeprefix("-")), of, known)


def _member(name: str) -> str:
    """The member of an entry that a name or a pointer begins with."""
    return Pointer.parse(name).tokens[0] if name.startswith("/") else name


def _told(name: str, of: str, known: _Known) -> str | None:
    has, names = known
    return None if has(name) else f"no entry of {of} has a member {name!r}; there are: {', '.join(names)}"


def _entry_reads(value: Any) -> Iterator[tuple[Any, Hashable, str]]:
    """The pointers to members of this list's own entry: a list in it has entries of its own."""
    for key, item in value.items() if isinstance(value, dict) else enumerate(value):
        if isinstance(item, str) and item.startswith("/item/"):
            yield value, key, item
        elif isinstance(item, dict | list) and key != "evidence":
            is_list = isinstance(item, dict) and is_form(item) and bool(item.keys() & {"each", "problems"})
            yield from () if is_list else _entry_reads(item)

"""The names in questions and filters, looked up: accounts, vendors, operations, answers."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.engine.account import BUILTIN_ACCOUNTS, EVERYBODY, AccountData
from mockserver.server.control.requests import ApiError, State, unknown
from mockserver.spec.answer_model import Answer
from mockserver.spec.callback_model import CallbackSpec
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.reach import EVERYTHING, vendor_reach
from mockserver.store.store import UNCLAIMED

UNCLAIMED_NAME = "unclaimed"
SCOPE_MEMBERS = ("vendor", "operation", "answer", "accepted", "direction")
CALL_DIRECTIONS = ("in", "out")


async def known_account(state: State, name: str, pointer: str, others: Iterable[str] = ()) -> AccountData:
    """The account of this name; ``others`` are words that may stand in its place. Raises ApiError (404)."""
    account = await state.store.account(name)
    if account is None:
        ids = [account.id for account in await state.store.accounts()]
        known = [*BUILTIN_ACCOUNTS, *others, *reversed(ids)]  # the newest: the older, the likelier to be left behind
        listed = [word for word in known if word in ids or word in others]
        raise unknown("account", name, listed, pointer, status=404, hint="GET /_mock/accounts lists them")
    return account


async def journal_account(state: State, name: str, pointer: str, *, everybody: bool) -> str | None:
    """An account's name in the journal; None for ``*``, where all may be meant. Raises ApiError (404)."""
    if name == UNCLAIMED_NAME:
        return UNCLAIMED
    if name == EVERYBODY and everybody:
        return None
    await known_account(state, name, pointer, (UNCLAIMED_NAME, EVERYBODY) if everybody else (UNCLAIMED_NAME,))
    return name


def known_vendor(state: State, name: str, pointer: str, *, status: int = 400) -> Contract:
    """The contract of this name. Raises ApiError."""
    for contract in state.contracts:
        if contract.vendor == name:
            return contract
    raise unknown("vendor", name, (contract.vendor for contract in state.contracts), pointer, status=status)


def known_operation(state: State, name: str, pointer: str, *, status: int = 400, others: Iterable[str] = ()) -> str:
    """The id of an operation or callback, or one of the ``others`` that may stand in its place. Raises ApiError."""
    known = dict.fromkeys(operation.id for contract in state.contracts for operation in contract.operations)
    known |= dict.fromkeys(callback.id for contract in state.contracts for callback in contract.callbacks)
    known |= dict.fromkeys(others)
    if name not in known:
        raise unknown("operation", name, known, pointer, status=status)
    return name


@dataclass(frozen=True, slots=True)
class Scope:
    """Whose calls are asked about: what the names mean, put together.

    ``members`` are the operations in scope in each of their spellings, with their contracts. ``answers`` are those that
    the answer's name can mean, all of the scope without one. ``is_narrow`` says whether calls on unknown paths are out.
    ``callbacks`` are those in scope. ``direction`` is that of the calls, where only one of the two can be meant.
    """

    vendor: str | None
    operation: str | None
    answer: str | None
    accepted: bool | None
    members: tuple[tuple[Contract, OperationSpec], ...]
    answers: tuple[Answer, ...]
    callbacks: tuple[CallbackSpec, ...] = ()
    direction: str | None = None

    @property
    def is_outbound(self) -> bool:
        """Whether callbacks are asked about, not requests of clients."""
        return self.direction == "out"

    @property
    def what(self) -> str:
        """The operation or vendor, as messages name it."""
        return self.operation or self.vendor or "any vendor"

    @property
    def is_narrow(self) -> bool:
        return bool(self.vendor or self.operation or self.answer or self.accepted)

    @property
    def means_success(self) -> bool:
        """Whether only accepted calls are asked about."""
        return self.accepted is True or (self.answer is not None and all(answer.accepted for answer in self.answers))

    @property
    def means_refusal(self) -> bool:
        """Whether only refused calls are asked about."""
        return self.accepted is False or (
            self.answer is not None and not any(answer.accepted for answer in self.answers)
        )


def read_scope(state: State, values: Mapping[str, Any], root: str) -> Scope:
    """The scope that a body or a query (``root``) names. Raises ApiError for a name that is unknown or out of scope.

    An answer is known relative to the operation, or the vendor, that is asked about.
    """
    vendor, operation, answer, accepted, direction = (values.get(name) for name in SCOPE_MEMBERS)
    if direction is not None and direction not in CALL_DIRECTIONS:
        raise unknown("direction", direction, CALL_DIRECTIONS, f"/{root}/direction")
    contracts = state.contracts if vendor is None else (known_vendor(state, vendor, f"/{root}/vendor"),)
    every = [(contract, spec) for contract in contracts for spec in contract.operations]
    callbacks = [callback for contract in contracts for callback in contract.callbacks]
    if operation is not None:
        known_operation(state, operation, f"/{root}/operation")
        known = [spec.id for _, spec in every] + [callback.id for callback in callbacks]
        if operation not in known:
            raise unknown(f"operation of {vendor}", operation, known, f"/{root}/operation")
        every = [(contract, spec) for contract, spec in every if spec.id == operation]
        callbacks = [callback for callback in callbacks if callback.id == operation]
        direction = _direction(operation, direction, f"/{root}/direction", is_callback=bool(callbacks))
    if direction == "out":
        every = []
    answers = tuple(answer for _, spec in every for answer in spec.answers.values())
    if answer is not None:
        if direction == "out":
            raise ApiError(400, "a callback has no answer of the contract's: its receiver answers", f"/{root}/answer")
        answers = _meant(answer, answers, operation or vendor, f"/{root}/answer")
        every = [(contract, spec) for contract, spec in every if any(a in answers for a in spec.answers.values())]
    scope = Scope(vendor, operation, answer, accepted, tuple(every), answers, tuple(callbacks), direction)
    _check_accepted(scope, f"/{root}/accepted")
    return scope


def _direction(operation: str, asked: str | None, pointer: str, *, is_callback: bool) -> str:
    """The direction of an operation's calls. Raises ApiError where the other one is asked for."""
    direction = "out" if is_callback else "in"
    if asked not in {None, direction}:
        made = "made to the client" if is_callback else "made by clients"
        raise ApiError(400, f"calls of {operation} are {made}: their direction is {direction}", pointer)
    return direction


def known_reach(state: State, reach: str, pointer: str, *, status: int = 400) -> Scope:
    """The operations of a reach: of one operation, of a vendor's (``vendor.*``), or of all (``*``). Raises ApiError."""
    vendors = {vendor_reach(contract.vendor): contract.vendor for contract in state.contracts}
    known_operation(state, reach, pointer, status=status, others=(*vendors, EVERYTHING))
    if reach == EVERYTHING:
        return read_scope(state, {}, "path")
    return read_scope(state, {"vendor": vendors[reach]} if reach in vendors else {"operation": reach}, "path")


def _meant(word: str, answers: tuple[Answer, ...], what: str | None, pointer: str) -> tuple[Answer, ...]:
    meant = tuple(answer for answer in answers if word in {answer.name, answer.id})
    if not meant:
        known = (answer.id if "/" in word else answer.name for answer in answers)
        raise unknown(f"answer of {what}" if what else "answer", word, known, pointer)
    return meant


def _check_accepted(scope: Scope, pointer: str) -> None:
    """Refuse a question for accepted calls with an answer that means refused, or the other way about."""
    if scope.answer is None or scope.accepted is None:
        return
    if all(answer.accepted is not scope.accepted for answer in scope.answers):
        means, asked = ("refused", "accepted") if scope.accepted else ("accepted", "refused")
        detail = (
            f"no call has the answer {scope.answer} and is {asked}: that answer means {means}; leave out one of them"
        )
        raise ApiError(400, detail, pointer)

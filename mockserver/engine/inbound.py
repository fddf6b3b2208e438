"""A message from a subscriber: whose number it goes to, the record it leaves, what its callbacks read.

A word of a subscriber may also say that no more messages are wanted.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mockserver.engine.account import AccountData
from mockserver.engine.effects import Effect, EffectCompiler, ForgetRecord, KeepRecord, Leave, is_opt_out
from mockserver.engine.facts import Kept
from mockserver.engine.recipient import recipient_of
from mockserver.engine.sources import Sources
from mockserver.engine.values import Context, Make, ValueCompiler
from mockserver.spec.account_values import values_at
from mockserver.spec.callback_model import OPTED_OUT, Inbound
from mockserver.spec.functions import digits
from mockserver.spec.model import Contract, OperationSpec

MARKS = frozenset(".!?,;")


class InboundMessage(msgspec.Struct, frozen=True):
    """What a subscriber's message does: its effects, the context that its callbacks read, and the vendor's reply."""

    effects: tuple[Effect, ...]
    context: Context
    reply: str | None


class InboundReader:
    """Reads messages from subscribers as some contracts describe them."""

    def __init__(self, contracts: Iterable[Contract], compiler: ValueCompiler, sources: Sources) -> None:
        contracts, effects = tuple(contracts), EffectCompiler(compiler)
        self._sources = sources
        self._finds: dict[str, Make] = {
            contract.vendor: compiler.compile(contract.inbound.finds)
            for contract in contracts
            if contract.inbound is not None and contract.inbound.finds is not None
        }
        self._inbound: dict[str, tuple[Inbound, Leave | None]] = {
            contract.vendor: (contract.inbound, effects.compile_keeps(contract.vendor, contract.inbound.keeps))
            for contract in contracts
            if contract.inbound is not None
        }

    def takes(self, vendor: str) -> bool:
        """Whether the vendor's contract says what becomes of such a message."""
        return vendor in self._inbound

    def numbers(self, vendor: str, account: AccountData) -> list[str]:
        """The numbers of an account that a subscriber may send to."""
        inbound, _ = self._inbound[vendor]
        return [str(value) for value, _ in values_at(account.vendors[vendor], str(inbound.to))]

    def read(  # noqa: PLR0913, PLR0917 -- the parts of a message, and what is known of the account
        self, vendor: str, account: AccountData, sender: str, to: str, text: str, kept: Kept, now: float
    ) -> InboundMessage | None:
        """What a message does at a time of the account's clock; None where the account has no such number."""
        inbound, leave = self._inbound[vendor]
        data = account.vendors[vendor]
        numbers = values_at(data, str(inbound.to))
        found = next((one for one in numbers if digits(one[0]) == digits(to)), None)
        if found is None:
            return None
        number, record = found
        message, owned = {"from": sender, "to": number, "text": text}, {inbound.to.tokens[1]: record}
        view = {"inbound": message, "account": data, "owned": owned, "kept": kept}
        context = Context(view, None, self._sources, now)
        if inbound.finds is not None and (belongs_to := self._found(vendor, context)):
            owned[inbound.finds.of.tokens[1]] = belongs_to[-1]
        opted_out = opt_out_of(kept, sender, number)
        if opted_out is not None:
            owned[OPTED_OUT] = opted_out
        effects = () if leave is None else leave(context, b"", sender, None)
        left = {effect.list_name: effect.record for effect in effects if isinstance(effect, KeepRecord)}
        telling = context.seeing(owned={**owned, **left})
        opting = _opting(inbound, message, kept, view)
        is_stop = any(map(is_opt_out, opting))
        reply = inbound.opt_out.reply if inbound.opt_out is not None and is_stop else None
        return InboundMessage((*effects, *opting), telling, reply)

    def _found(self, vendor: str, context: Context) -> list[Any]:
        """The kept records that a message may belong to, oldest first."""
        found = self._finds[vendor](context)
        return found if isinstance(found, list) else []


def _opting(inbound: Inbound, message: Mapping[str, str], kept: Kept, view: Mapping[str, Any]) -> list[Effect]:
    """What a subscriber's word does to the list of those who want no more messages."""
    opt_out = inbound.opt_out
    if opt_out is None:
        return []
    number, sender = digits(message["from"]), digits(message["to"])
    if _is_one_of(opt_out.stop, message["text"]):
        return [KeepRecord(OPTED_OUT, f"{number}/{sender}", {"number": number, "sender": sender}, view=view)]
    record = opt_out_of(kept, number, sender)
    if record is not None and _is_one_of(opt_out.start, message["text"]):
        return [ForgetRecord(OPTED_OUT, record)]
    return []


def _is_one_of(words: Iterable[str], text: str) -> bool:
    """Whether a text is one of some words, whatever its case, the white space around it and a mark behind it."""
    word = text.strip().casefold()
    return bool(word) and (word if word[-1] not in MARKS else word[:-1].rstrip()) in {w.casefold() for w in words}


def opt_out_of(kept: Kept, number: str, sender: str) -> dict[str, Any] | None:
    """The record of a subscriber who wants no more messages from a sender."""
    return kept.get(OPTED_OUT, {}).get(f"{digits(number)}/{digits(sender)}")


class OptOuts:
    """Finds the opt-out that a request would go against, for operations whose answers depend on it."""

    def __init__(self, contracts: Iterable[Contract], compiler: ValueCompiler) -> None:
        self._senders: dict[str, Make] = {
            operation.id: compiler.compile(operation.message.sender)
            for contract in contracts
            for operation in contract.operations
            if operation.heeds_opt_out and operation.message is not None and operation.message.sender is not None
        }

    def find(self, operation: OperationSpec, context: Context, kept: Kept) -> dict[str, Any] | None:
        """The record of the recipient and the sender of a request; None where the recipient has not opted out."""
        if OPTED_OUT not in kept or operation.id not in self._senders:
            return None
        return opt_out_of(kept, recipient_of(operation.recipient, context.view), self._senders[operation.id](context))

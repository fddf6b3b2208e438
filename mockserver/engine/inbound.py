"""A message from a subscriber: whose number it goes to, the record it leaves, what its callbacks read."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mockserver.engine.account import AccountData
from mockserver.engine.effects import Effect, EffectCompiler, ForgetRecord, KeepRecord, Leave
from mockserver.engine.facts import Kept
from mockserver.engine.sources import Sources
from mockserver.engine.values import Context, Make, ValueCompiler
from mockserver.spec.account_values import values_at
from mockserver.spec.functions import digits
from mockserver.spec.model import OPTED_OUT, Contract, Inbound


class InboundMessage(msgspec.Struct, frozen=True):
    """What a subscriber's message does: its effects, and the context that its callbacks read."""

    effects: tuple[Effect, ...]
    context: Context


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
            contract.vendor: (contract.inbound, effects.compile_keeps(contract.inbound.keeps))
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
        effects = () if leave is None else leave(context, {}, sender, None)
        left = {effect.list_name: effect.record for effect in effects if isinstance(effect, KeepRecord)}
        telling = context.seeing(owned={**owned, **left})
        return InboundMessage((*effects, *_opting(inbound, message, kept, view)), telling)

    def _found(self, vendor: str, context: Context) -> list[Any]:
        """The kept records that a message may belong to, oldest first."""
        found = self._finds[vendor](context)
        return found if isinstance(found, list) else []


def _opting(inbound: Inbound, message: Mapping[str, str], kept: Kept, view: Mapping[str, Any]) -> list[Effect]:
    """What a subscriber's word does to the list of those who want no more messages."""
    opt_out, word = inbound.opt_out, message["text"].strip().casefold()
    if opt_out is None:
        return []
    number, sender = digits(message["from"]), digits(message["to"])
    key = f"{number}/{sender}"
    if word in {stop.casefold() for stop in opt_out.stop}:
        return [KeepRecord(OPTED_OUT, key, {"number": number, "sender": sender}, view=view)]
    record = kept.get(OPTED_OUT, {}).get(key)
    if record is not None and word in {start.casefold() for start in opt_out.start}:
        return [ForgetRecord(OPTED_OUT, record)]
    return []

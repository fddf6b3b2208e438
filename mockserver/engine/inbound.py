"""A message from a subscriber: whose number it goes to, the record it leaves, what its callbacks read."""

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec

from mockserver.engine.account import AccountData
from mockserver.engine.effects import Effect, EffectCompiler, ForgetRecord, KeepRecord, Leave
from mockserver.engine.facts import Kept
from mockserver.engine.sources import Sources
from mockserver.engine.values import Context, ValueCompiler
from mockserver.spec.account_values import values_at
from mockserver.spec.callback_model import OPTED_OUT, Inbound
from mockserver.spec.functions import digits
from mockserver.spec.model import Contract


class InboundMessage(msgspec.Struct, frozen=True):
    """What a subscriber's message does: its effects, and the context that its callbacks read."""

    effects: tuple[Effect, ...]
    context: Context


class InboundReader:
    """Reads messages from subscribers as some contracts describe them."""

    def __init__(self, contracts: Iterable[Contract], compiler: ValueCompiler, sources: Sources) -> None:
        effects = EffectCompiler(compiler)
        self._sources = sources
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
        found = (record for value, record in values_at(data, str(inbound.to)) if digits(value) == digits(to))
        record = next(found, None)
        if record is None:
            return None
        view = {
            "inbound": {"from": sender, "to": to, "text": text},
            "account": data,
            "owned": {inbound.to.tokens[1]: record},
            "kept": kept,
        }
        context = Context(view, None, self._sources, now)
        effects = () if leave is None else leave(context, {}, sender, None)
        return InboundMessage((*effects, *_opting(inbound, view["inbound"], kept, view)), context)


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

"""Likely mistakes behind a failed verification: a wrong credential, calls that another account received."""

from collections import Counter
from collections.abc import Iterable, Mapping
from typing import Any

from mockserver.engine.call import RecordedCall, unpack_headers
from mockserver.server.build import BUILTIN_ACCOUNTS
from mockserver.server.checkpoint import Turns
from mockserver.server.control.requests import State
from mockserver.server.verification import Asked
from mockserver.spec.model import Contract
from mockserver.store.journal import Query
from mockserver.store.store import UNCLAIMED

STRAYS_SEARCHED = 1000  # the latest calls of another account
MAX_STRAYS_LISTED = 3  # kinds of calls


def cure(contracts: Iterable[Contract], call: Mapping[str, Any], problem: Mapping[str, Any]) -> str | None:
    """What the right credential is called, where a call's was wrong or missing."""
    if problem["kind"] not in {"unauthenticated", "forbidden"}:
        return None
    for contract in contracts:
        for scheme in contract.schemes if contract.vendor == call["vendor"] else ():
            if scheme.at == problem["at"]:
                place = "header" if scheme.where == "header" else "parameter"
                form = "Bearer <token>, the token being" if scheme.bearer else "the account's"
                return f'the right {place} {scheme.key}: {form} {contract.vendor}.tokens["{scheme.name}"]'
    return None


async def stray_lines(state: State, asked: Asked) -> list[str]:
    """Calls since the account was made that nobody or a built-in account received, with what they carried."""
    strays = await _strays(state, asked) if asked.account != UNCLAIMED else []
    if not strays:
        return []
    kind = asked.expectation.operation or "its vendors"
    return [
        f"Since this account was made, calls of {kind} went elsewhere:",
        *(f"  {number} to {receiver}, carrying {credential}" for (receiver, credential), number in strays),
        "  Were the credentials read before the account was made (at import, say)?",
    ]


async def _strays(state: State, asked: Asked) -> list[tuple[tuple[str, str], int]]:
    """By receiver and credential, the number of such calls; the most frequent first."""
    born, turns = await state.store.born(asked.account), Turns()
    numbers: Counter[tuple[str, str]] = Counter()
    for account in (UNCLAIMED, *BUILTIN_ACCOUNTS):
        if account == asked.account:
            continue
        receiver = "nobody" if account == UNCLAIMED else f"the built-in account {account}"
        latest = (await state.store.calls(Query(account=account, limit=STRAYS_SEARCHED))).calls
        for call in reversed(latest):
            if call.received_at >= born and asked.expectation.concerns(call) and call.vendor:
                numbers[receiver, _credential(state, call)] += 1
            await turns.give()
    return numbers.most_common(MAX_STRAYS_LISTED)


def _credential(state: State, call: RecordedCall) -> str:
    """The credentials of a call, masked, as ``header x-api-key ***1a2b3c4d``; or that it had none."""
    carried = [
        f"{name} {state.masker.header(value)}"
        for name, value in unpack_headers(call.headers)
        if state.masker.hides_header(name)
    ]
    if carried:
        return "header " + ", header ".join(carried)
    return "credentials in its query" if state.masker.hides_any(call) else "no credential"

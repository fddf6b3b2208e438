"""All accounts, and who owns which value."""

import re
from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from mockserver.exchange.account import Account, Owner
from mockserver.exchange.credential import Claim
from mockserver.exchange.handout import credential_for
from mockserver.spec.contract import Contract, Jwt
from mockserver.spec.functions import digits
from mockserver.spec.pointer import Pointer, join
from mockserver.world.making import AccountFault, Maker, test_only_rsa_key

_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED = {"unclaimed", "all"}


class Registry:
    """Accounts by id; ``owners``: by vendor who owns each claimed value."""

    def __init__(self, contracts: tuple[Contract, ...]) -> None:
        self._contracts = {contract.vendor: contract for contract in contracts}
        self._accounts: dict[str, Account] = {}
        self.owners: dict[str, dict[Claim, Owner]] = {vendor: {} for vendor in self._contracts}
        self._maker = Maker()

    @property
    def accounts(self) -> Mapping[str, Account]:
        """All accounts by id, oldest first."""
        return self._accounts

    def add(self, account_id: str, given: Mapping[str, Any], *, lasting: bool = False) -> Account:
        """A new account; what ``given`` (by vendor) leaves out is made up. Raises AccountFault, changing nothing.

        What is made up for a ``lasting`` account is the same in every process.
        """
        if not _ID.fullmatch(account_id) or account_id in _RESERVED:
            raise AccountFault("/id", "must be letters, digits, '.', '_' or '-', at most 64, and no reserved word")
        if account_id in self._accounts:
            raise AccountFault("/id", f"there is an account {account_id!r} already", clash=True)
        for vendor in given:
            if vendor not in self._contracts:
                known = ", ".join(self._contracts)
                raise AccountFault(join("vendors", vendor), f"is not known here; known: {known}")
        maker = Maker(account_id) if lasting else self._maker
        account = Account(account_id, {v: self._data(c, given.get(v), maker) for v, c in self._contracts.items()})
        entries = [(v, *entry) for v, c in self._contracts.items() for entry in claimed(c, account.vendors[v])]
        self._refuse_clashes(entries)
        for vendor, claim, _, record in entries:
            self.owners[vendor][claim] = Owner(account, record)
        self._accounts[account_id] = account
        return account

    def _data(self, contract: Contract, given: Any, maker: Maker) -> Any:
        """A vendor's part of an account, its made-up values such as nobody has."""
        for _ in range(100):
            data = (
                maker.fresh(contract.account)
                if given is None
                else maker.complete(contract.account, given, ("vendors", contract.vendor))
            )
            everything = Counter(claim for claim, _, _ in claimed(contract, data))
            made = everything - Counter(claim for claim, _, _ in claimed(contract, given or {}))
            if not any(claim in self.owners[contract.vendor] or everything[claim] > 1 for claim in made):
                if given is not None:
                    _refuse_unusable(contract, data)
                return data
        raise AccountFault(join("vendors", contract.vendor), "no free values are left", clash=True)

    def _refuse_clashes(self, entries: list[tuple[str, Claim, str, Any]]) -> None:
        seen: set[tuple[str, Claim]] = set()
        for vendor, claim, at, _ in entries:
            if claim in self.owners[vendor]:
                owner = self.owners[vendor][claim].account.id
                raise AccountFault(f"/vendors/{vendor}{at}", f"account {owner!r} has this value already", clash=True)
            if (vendor, claim) in seen:
                raise AccountFault(f"/vendors/{vendor}{at}", "is given twice", clash=True)
            seen.add((vendor, claim))

    def remove(self, account_id: str) -> None:
        """Forget an account and all it owns. Raises KeyError where there is none."""
        account = self._accounts.pop(account_id)
        for vendor, contract in self._contracts.items():
            for claim, _, _ in claimed(contract, account.vendors[vendor]):
                del self.owners[vendor][claim]


def _refuse_unusable(contract: Contract, data: Any) -> None:
    """A fault where no token can be signed with a given key; else every look at the account would fail."""
    for scheme in contract.schemes:
        for value, at, record in _values(data, Pointer.parse(scheme.accept.claim).tokens[1:], (), data):
            if isinstance(scheme.accept, Jwt) and record.get(scheme.accept.key) == test_only_rsa_key():
                continue  # it is good, and to load it takes the start 35 ms
            try:
                credential_for(scheme, data, value, record, 0.0)
            except ValueError as error:
                message = f"no token can be signed with what is here: {error}"
                raise AccountFault(join("vendors", contract.vendor, *at[:-1]), message) from error


def claimed(contract: Contract, data: Any) -> Iterator[tuple[Claim, str, Any]]:
    """Each claimed value in a vendor's data: the claim, its pointer in the data, the record it stands in."""
    for pointer, by_digits in contract.claims.items():
        for value, at, record in _values(data, Pointer.parse(pointer).tokens[1:], (), data):
            yield (pointer, digits(value) if by_digits else str(value)), join(*at), record


def _values(
    data: Any, tokens: tuple[str, ...], at: tuple[str | int, ...], record: Any
) -> Iterator[tuple[Any, tuple[str | int, ...], Any]]:
    """What a pointer names, lists looked through; the record is the outermost list's item."""
    if isinstance(data, list):
        for index, item in enumerate(data):
            inner = item if not any(isinstance(token, int) for token in at) else record
            yield from _values(item, tokens, (*at, index), inner)
    elif not tokens:
        if isinstance(data, str | int) and not isinstance(data, bool):
            yield data, at, record
    elif isinstance(data, Mapping) and tokens[0] in data:
        yield from _values(data[tokens[0]], tokens[1:], (*at, tokens[0]), record)

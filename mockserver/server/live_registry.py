"""Accounts that outlive the contracts they were made by: what a customer has stays where a contract still has it."""

from collections.abc import Container, Iterable, Mapping
from typing import Any

from mockserver.engine.account import AccountData, Owner
from mockserver.engine.credentials import Claim
from mockserver.spec.model import Contract
from mockserver.store.accounts import AccountError, Registry, claimed

Given = Mapping[str, Mapping[str, Any]]  # by vendor and account, the values that a file gives


class LiveRegistry(Registry):
    """A registry whose contracts can be replaced while it is in use."""

    def adopt(self, contracts: Iterable[Contract], given: Given, regiven: Container[str] = ()) -> None:
        """Take other contracts. Raises AccountError, changing nothing.

        Where a contract is another, or the vendor is one of ``regiven``, an account's part is made of the values that
        files give, then of what the account had. Parts of other vendors stay as they are.
        """
        served = {contract.vendor: contract for contract in contracts}
        before, owners = self._contracts, dict(self.owners)
        renewed = [c for v, c in served.items() if before.get(v) is not c or v in regiven]
        self._contracts = served
        parts: dict[str, dict[str, Any]] = {account_id: {} for account_id in self._accounts}
        try:
            for contract in renewed:
                for account_id, part in self._renewed(contract, given.get(contract.vendor, {})).items():
                    parts[account_id][contract.vendor] = part
        except AccountError:
            self._contracts = before
            self.owners.clear()
            self.owners.update(owners)
            raise
        for vendor in before.keys() - served.keys():
            self.owners[vendor] = {}  # who still asks of it finds nobody
        for account_id, account in list(self._accounts.items()):
            kept = {vendor: data for vendor, data in account.vendors.items() if vendor in served}
            self._accounts[account_id] = AccountData(account_id, {**kept, **parts[account_id]})
        for contract in renewed:
            self._own(contract)

    def _renewed(self, contract: Contract, given: Mapping[str, Any]) -> dict[str, Any]:
        """A vendor's part of each account."""
        self.owners[contract.vendor] = {}
        parts = {}
        for account_id, account in self._accounts.items():
            had = _within(contract.account, account.vendors.get(contract.vendor, {}))
            values = {**had, **given.get(account_id, {})}
            maker = self._makers(account_id, None)[contract.vendor]
            try:
                parts[account_id] = self._data(contract, values, maker, None)
                entries = [(contract.vendor, *entry) for entry in claimed(contract, parts[account_id])]
                self._refuse_clashes(entries)
            except AccountError as error:
                error.account = account_id
                raise
            for _, claim, _, record in entries:
                self.owners[contract.vendor][claim] = Owner(account, record)
        return parts

    def _own(self, contract: Contract) -> None:
        """Have the renewed accounts own what they have."""
        found: dict[Claim, Owner] = {}
        for account in self._accounts.values():
            for claim, _, record in claimed(contract, account.vendors[contract.vendor]):
                found[claim] = Owner(account, record)
        self.owners[contract.vendor] = found


def _within(template: Any, values: Any) -> Any:
    """What of some values a template has a place for."""
    if isinstance(template, Mapping) and isinstance(values, Mapping):
        known = {name: _within(template[name], value) for name, value in values.items() if name in template}
        return {name: value for name, value in known.items() if _is_alike(template[name], value)}
    if isinstance(template, list) and isinstance(values, list) and template:
        variants = [template[index if index < len(template) else 0] for index in range(len(values))]
        return [_within(variant, value) for variant, value in zip(variants, values, strict=True)]
    return values


def _is_alike(template: Any, value: Any) -> bool:
    """Whether a value has the form that a template asks for."""
    if isinstance(template, Mapping) and ("new" in template or "copy" in template):
        return isinstance(value, str | int | list) and not isinstance(value, bool)
    return template is None or value is None or type(template) is type(value)

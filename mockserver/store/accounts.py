"""All accounts: who owns which value, and how values are made up that are not given."""

import base64
import copy
import itertools
import json
import random
import re
import string
import uuid
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.resources import files
from typing import Any

from mockserver.engine.account import AccountData, Owner, credential_for
from mockserver.engine.credentials import Claim
from mockserver.spec.functions import digits
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING, Pointer, join
from mockserver.spec.security_model import Jwt

MAX_SHOWN_VALUE = 60  # characters of a value in a message
AREAS = [code for code in range(201, 999) if code not in {500, 555}]  # +1 500 555 is magic
_LETTERS = string.ascii_letters + string.digits


class AccountError(Exception):
    """``pointer`` says where in the account, ``account`` in which; ``clash`` whether another one has the value."""

    account = ""

    def __init__(self, pointer: str, message: str, *, clash: bool = False) -> None:
        super().__init__(message)
        self.pointer = pointer
        self.clash = clash


@cache
def test_only_rsa_key() -> str:
    """The private key, in PEM, that the RSA credentials of all accounts share. For tests only."""
    return files("mockserver.store").joinpath("TEST-ONLY-rsa-key.pem").read_text("ascii")


SHARED_SECRET_ALGORITHMS = frozenset({"HS256", "HS384", "HS512"})
RSA_ALGORITHMS = frozenset({"RS256", "RS384", "RS512"})
LINES = 9_000  # numbers of an area, 555-1000 to 555-9999


@dataclass(frozen=True, slots=True)
class _Copy:
    """Stands where another place's value will stand, until that is made."""

    of: Pointer


def _with_copies(made: Any, account: Any, at: tuple[str | int, ...]) -> Any:
    """What was made, with each copy's value in its place. Raises AccountError where there is nothing to copy."""
    if isinstance(made, _Copy):
        value = made.of.get({"account": account})
        if value is MISSING:
            raise AccountError(join(*at), f"is a copy of {made.of}, which is missing here")
        return copy.deepcopy(value)
    if isinstance(made, dict):
        return {name: _with_copies(value, account, (*at, name)) for name, value in made.items()}
    if isinstance(made, list):
        return [_with_copies(item, account, (*at, index)) for index, item in enumerate(made)]
    return made


class Maker:
    """Makes values up, by chance or from a seed always the same. Its numbers and integers do not repeat for long."""

    def __init__(self, seed: str | None = None) -> None:
        self._chance = random.SystemRandom() if seed is None else random.Random(seed)  # noqa: S311 -- made-up customers
        self._numbers = itertools.count(self._chance.randrange(1_000_000))
        self._integers = itertools.count(self._chance.randrange(1_000_000))
        self._template: Mapping[str, Any] = {}

    def account(self, template: Mapping[str, Any], values: Any, at: tuple[str | int, ...] = ()) -> Any:
        """A vendor's part of an account in the template's shape, with ``values`` if any. Raises AccountError."""
        self._template = template
        made = self.fresh(template) if values is None else self.complete(template, values, at)
        return _with_copies(made, made, at)

    def complete(self, template: Any, values: Any, at: tuple[str | int, ...] = ()) -> Any:
        """``values`` in the template's shape, what it leaves out made up. Raises AccountError."""
        if isinstance(template, Mapping) and "new" in template:
            if isinstance(values, bool) or not isinstance(values, str | int):
                raise AccountError(join(*at), "must be a string or an integer")
            return values
        if isinstance(template, Mapping) and "copy" in template:
            return self.complete(Pointer.parse(template["copy"]).get({"account": self._template}), values, at)
        if isinstance(template, Mapping):
            return self._members(template, values, at, template.keys())
        if isinstance(template, list):
            return self._items(template, values, at)
        if template is not None and values is not None and _kind(template) is not _kind(values):
            raise AccountError(join(*at), f"must be like {template!r}")
        return values

    def _members(self, template: Mapping[str, Any], values: Any, at: tuple[str | int, ...], allowed: Any) -> Any:
        if not isinstance(values, Mapping):
            raise AccountError(join(*at), "must be an object")
        for name in values:
            if name not in allowed:
                raise AccountError(join(*at, name), f"is not known here; known: {', '.join(allowed)}")
        made = {
            name: self.complete(member, values[name], (*at, name)) if name in values else self.fresh(member)
            for name, member in template.items()
        }
        return made | {name: value for name, value in values.items() if name not in template}

    def _items(self, template: list[Any], values: Any, at: tuple[str | int, ...]) -> list[Any]:
        if not isinstance(values, list):
            raise AccountError(join(*at), "must be a list")
        allowed = dict.fromkeys(name for variant in template if isinstance(variant, Mapping) for name in variant)
        made = []
        for index, item in enumerate(values):
            variant = template[index if index < len(template) else 0] if template else {"new": "token"}
            if isinstance(variant, Mapping) and "new" not in variant:
                made.append(self._members(variant, item, (*at, index), allowed))
            else:
                made.append(self.complete(variant, item, (*at, index)))
        return made

    def fresh(self, template: Any) -> Any:
        """A value of its own for every ``{new: …}``, literals as they are."""
        if isinstance(template, Mapping):
            if "new" in template:
                make: Callable[[Mapping[str, Any]], Any] = getattr(self, f"_{template['new']}")
                return make(template)
            if "copy" in template:
                return _Copy(Pointer.parse(template["copy"]))
            return {name: self.fresh(member) for name, member in template.items()}
        if isinstance(template, list):
            return [self.fresh(item) for item in template]
        return template

    def _uuid(self, template: Mapping[str, Any]) -> str:
        return f"{template.get('prefix', '')}{uuid.UUID(int=self._chance.getrandbits(128), version=4)}"

    def _uuid5(self, template: Mapping[str, Any]) -> str:
        return f"{template.get('prefix', '')}{uuid.UUID(int=self._chance.getrandbits(128), version=5)}"

    def _token(self, template: Mapping[str, Any]) -> str:
        letters = (self._chance.choice(_LETTERS) for _ in range(template.get("length", 40)))
        return f"{template.get('prefix', '')}{''.join(letters)}"

    def _hex(self, template: Mapping[str, Any]) -> str:
        digits = template.get("length", 32)
        return f"{template.get('prefix', '')}{self._chance.getrandbits(4 * digits):0{digits}x}"

    def _base64(self, template: Mapping[str, Any]) -> str:
        return base64.b64encode(self._chance.randbytes(template.get("bytes", 32))).decode("ascii")

    def _integer(self, template: Mapping[str, Any]) -> int:
        lowest = 10 ** (template.get("digits", 7) - 1)
        return int(lowest + next(self._integers) % (9 * lowest))

    def _email(self, _template: Mapping[str, Any]) -> str:
        return f"customer-{self._chance.getrandbits(32):08x}@example.test"

    def _number(self, template: Mapping[str, Any]) -> str | int:
        line, area = divmod(next(self._numbers), len(AREAS))
        digits = f"1{AREAS[area]}555{1000 + line % LINES}"
        form = template.get("form", "e164")
        return int(digits) if form == "integer" else digits if form == "digits" else f"+{digits}"

    def _rsa(self, _template: Mapping[str, Any]) -> str:
        return test_only_rsa_key()


def _kind(value: Any) -> type:
    if isinstance(value, bool):
        return bool
    return float if isinstance(value, int | float) else type(value)


_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_RESERVED = {"unclaimed", "all"}


class Registry:
    """Accounts by id; ``owners``: by vendor who owns each claimed value."""

    def __init__(self, contracts: tuple[Contract, ...]) -> None:
        self._contracts = {contract.vendor: contract for contract in contracts}
        self._accounts: dict[str, AccountData] = {}
        self._account_of_seed: dict[int, str] = {}
        self._seed_of_account: dict[str, int] = {}
        self.owners: dict[str, dict[Claim, Owner]] = {vendor: {} for vendor in self._contracts}
        self._maker = Maker()

    @property
    def accounts(self) -> Mapping[str, AccountData]:
        """All accounts by id, oldest first."""
        return self._accounts

    def add(
        self, account_id: str, values: Mapping[str, Any], *, lasting: bool = False, seed: int | None = None
    ) -> AccountData:
        """A new account; what ``values`` (by vendor) leaves out is made up. Raises AccountError, changing nothing.

        What is made up for a ``lasting`` account is the same in every process, and so is what is made up from a
        ``seed``; two accounts with the same seed cannot be there at a time.
        """
        if not _ID.fullmatch(account_id) or account_id in _RESERVED:
            raise AccountError("/id", "must be letters, digits, '.', '_' or '-', at most 64, and no reserved word")
        if account_id in self._accounts:
            raise AccountError("/id", f"there is an account {account_id!r} already", clash=True)
        for vendor in values:
            if vendor not in self._contracts:
                known = ", ".join(self._contracts)
                raise AccountError(join("vendors", vendor), f"is not known here; known: {known}")
        if seed in self._account_of_seed:
            message = f"account {self._account_of_seed[seed]!r} has this seed; delete it first, or take another seed"
            raise AccountError("/seed", message, clash=True)
        makers = self._makers(account_id if lasting else None, seed)
        data = {v: self._data(c, values.get(v), makers[v], seed) for v, c in self._contracts.items()}
        account = AccountData(account_id, data)
        entries = [(v, *entry) for v, c in self._contracts.items() for entry in claimed(c, account.vendors[v])]
        self._refuse_clashes(entries)
        for vendor, claim, _, record in entries:
            self.owners[vendor][claim] = Owner(account, record)
        self._accounts[account_id] = account
        if seed is not None:
            self._account_of_seed[seed], self._seed_of_account[account_id] = account_id, seed
        return account

    def _makers(self, lasting_id: str | None, seed: int | None) -> dict[str, Maker]:
        """By vendor who makes values up. Values from a seed do not depend on what other contracts there are."""
        if seed is not None:
            return {vendor: Maker(f"{seed}/{vendor}") for vendor in self._contracts}
        return dict.fromkeys(self._contracts, self._maker if lasting_id is None else Maker(lasting_id))

    def _data(self, contract: Contract, values: Any, maker: Maker, seed: int | None) -> Any:
        """A vendor's part of an account; what is made up, nobody else has."""
        owners = self.owners[contract.vendor]
        for _ in range(100):
            data = maker.account(contract.account, values, ("vendors", contract.vendor))
            everything = Counter(claim for claim, _, _ in claimed(contract, data))
            made = everything - Counter(claim for claim, _, _ in claimed(contract, values or {}))
            taken = next((owners[claim].account.id for claim in made if claim in owners), None)
            if taken is not None and seed is not None:  # other values would not be those of the seed
                raise AccountError(
                    "/seed", f"account {taken!r} has a value of this seed; take another seed", clash=True
                )
            if taken is None and not any(everything[claim] > 1 and claim[0] not in contract.shared for claim in made):
                if values is not None:
                    _refuse_unusable(contract, data)
                return data
        raise _no_free_values(contract, data, owners)

    def _refuse_clashes(self, entries: list[tuple[str, Claim, str, Any]]) -> None:
        seen: set[tuple[str, Claim]] = set()
        for vendor, claim, at, _ in entries:
            if claim in self.owners[vendor]:
                owner = self.owners[vendor][claim].account.id
                raise AccountError(f"/vendors/{vendor}{at}", f"account {owner!r} has this value already", clash=True)
            if (vendor, claim) in seen and claim[0] not in self._contracts[vendor].shared:
                raise AccountError(f"/vendors/{vendor}{at}", "is given twice", clash=True)
            seen.add((vendor, claim))

    def remove(self, account_id: str) -> None:
        """Forget an account and all it owns. Raises KeyError where there is none."""
        account = self._accounts.pop(account_id)
        seed = self._seed_of_account.pop(account_id, None)
        if seed is not None:
            del self._account_of_seed[seed]
        for vendor, contract in self._contracts.items():
            for claim, _, _ in claimed(contract, account.vendors[vendor]):
                self.owners[vendor].pop(claim, None)  # a shared value comes again


def _no_free_values(contract: Contract, data: Any, owners: Mapping[Claim, Owner]) -> AccountError:
    """That another account cannot be told from those there are, at the value that its contract gives to all."""
    for claim, at, _ in claimed(contract, data):
        place = Pointer.parse(at)
        if claim in owners and not _differs(contract.account, place.tokens):
            shown = json.dumps(place.get(data), ensure_ascii=False)[:MAX_SHOWN_VALUE]
            told = f"every account would have {shown} here, by which the vendor knows a customer: write {{new: token}}"
            return AccountError(join("vendors", contract.vendor) + at, told, clash=True)
    return AccountError(join("vendors", contract.vendor), "no free values are left", clash=True)


def _differs(template: Any, at: tuple[str, ...]) -> bool:
    """Whether a template makes another value at a place for each account."""
    for token in at:
        if isinstance(template, Mapping) and token in template and "new" not in template:
            template = template[token]
        elif isinstance(template, list) and template:
            template = template[int(token) if int(token) < len(template) else 0]
    return isinstance(template, Mapping) and ("copy" in template or template.get("new", "rsa") != "rsa")


def _refuse_unusable(contract: Contract, data: Any) -> None:
    """Refuse a given key that can sign no token: every look at the account would fail. Raises AccountError."""
    for scheme in contract.schemes:
        for value, at, record in _values(data, Pointer.parse(scheme.accept.claim).tokens[1:], (), data):
            if isinstance(scheme.accept, Jwt) and _signs(scheme.accept, record):
                continue
            try:
                credential_for(scheme, data, value, record, 0.0)
                if isinstance(scheme.accept, Jwt):
                    _check_key(scheme.accept, record)
            except ValueError as error:
                message = f"no token can be signed with what is here: {error}"
                raise AccountError(join("vendors", contract.vendor, *at[:-1]), message) from error


def _signs(accept: Jwt, record: Mapping[str, Any]) -> bool:
    """Whether a key is known to sign without a try, which each start would pay for: ours, or any shared secret."""
    key, algorithm = record.get(accept.key), _algorithm(accept, record)
    if algorithm.startswith("HS"):
        return algorithm in SHARED_SECRET_ALGORITHMS and isinstance(key, str) and key != ""
    return algorithm in RSA_ALGORITHMS and key == test_only_rsa_key()


def _algorithm(accept: Jwt, record: Mapping[str, Any]) -> str:
    return str(record.get(accept.algorithm)) if accept.algorithm else accept.algorithms[0]


def _check_key(accept: Jwt, record: Mapping[str, Any]) -> None:
    """Check an RSA key that is not ours, whose check would take each start 35 ms. Raises ValueError."""
    key, algorithm = record[accept.key], record[accept.algorithm] if accept.algorithm else accept.algorithms[0]
    if algorithm.startswith("RS") and key != test_only_rsa_key():
        from mockserver.engine.signing import check_rsa_key  # noqa: PLC0415 -- a server is ready before it has met a token

        check_rsa_key(key)


def claimed(contract: Contract, data: Any) -> Iterator[tuple[Claim, str, Any]]:
    """Each claimed value in a vendor's data: the claim, its pointer in the data, and the record that it stands in."""
    for pointer, by_digits in contract.claims.items():
        for value, at, record in _values(data, Pointer.parse(pointer).tokens[1:], (), data):
            yield (pointer, digits(value) if by_digits else str(value)), join(*at), record


def _values(
    data: Any, tokens: tuple[str, ...], at: tuple[str | int, ...], record: Any
) -> Iterator[tuple[Any, tuple[str | int, ...], Any]]:
    """The values that a pointer names in each item of a list; the record is the item of the outermost list."""
    if isinstance(data, list):
        for index, item in enumerate(data):
            inner = item if not any(isinstance(token, int) for token in at) else record
            yield from _values(item, tokens, (*at, index), inner)
    elif not tokens:
        if isinstance(data, str | int) and not isinstance(data, bool):
            yield data, at, record
    elif isinstance(data, Mapping) and tokens[0] in data:
        yield from _values(data[tokens[0]], tokens[1:], (*at, tokens[0]), record)

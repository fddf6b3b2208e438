"""A customer of the vendors: what it has, the credentials that it is given, and a request that it can send."""

import base64
import hashlib
import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, urlencode

import msgspec

from mockserver.spec.account_values import values_at
from mockserver.spec.errors import ContractError
from mockserver.spec.forms import FORM, sent_text
from mockserver.spec.model import ArrayStyle, Contract, OperationSpec
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.security_model import Basic, Jwt, Scheme
from mockserver.spec.source import Source

if TYPE_CHECKING:
    from mockserver.engine.signing import Signer

BUILTIN_ACCOUNTS = ("default", "second")
EVERYBODY = "*"  # in place of an account's id, where a question is of all of them


@dataclass(frozen=True, slots=True, eq=False)
class AccountData:
    """``vendors`` holds each vendor's data in the shape of its contract's ``x-mock.account``."""

    id: str
    vendors: Mapping[str, Mapping[str, Any]]


class Owner(msgspec.Struct, frozen=True, eq=False):
    """The account that owns a value, and the record that the value stands in."""

    account: AccountData
    record: Any


SAFE_IN_PATHS = "/%{}!$&'()*+,;=:@-._~"  # a contract may have other characters, which are sent percent-encoded
TOKEN_LIFETIME = 3600  # seconds, where the contract states none


def other_accounts(fixture: Source) -> list[ContractError]:
    """An error for each account in a vendor's fixtures that no server has."""
    told = f"only {' and '.join(BUILTIN_ACCOUNTS)} are built in; others come from `--accounts FILE`"
    others = [name for name in fixture.value if name not in BUILTIN_ACCOUNTS]
    places = [(name, fixture.place(fixture.value, name)) for name in others]
    return [ContractError(fixture.file, at.line, at.column, f"/{name}", told) for name, at in places]


def credential_members(contract: Contract) -> frozenset[str]:
    """The members of an account's data that are credentials: security schemes or files read them."""
    pointers = [scheme.accept.claim for scheme in contract.schemes]
    pointers += [pointer for members in contract.files.values() for pointer in members.values()]
    return frozenset(Pointer.parse(pointer).tokens[1] for pointer in pointers)


def tokens(contract: Contract, data: Mapping[str, Any], now: float, signer: "Signer | None" = None) -> dict[str, str]:
    """A credential for each scheme and record, tokens freshly signed: ``Jwt``, ``Jwt_2`` and so on."""
    credentials = {}
    for scheme in contract.schemes:
        for number, (value, record) in enumerate(values_at(data, scheme.accept.claim), start=1):
            name = scheme.name if number == 1 else f"{scheme.name}_{number}"
            credentials[name] = credential_for(scheme, data, value, record, now, signer=signer)
    return credentials


def credential_for(  # noqa: PLR0913 -- whose credential it is, and when it is made
    scheme: Scheme,
    data: Mapping[str, Any],
    value: Any,
    record: Mapping[str, Any],
    now: float,
    *,
    lifetime: int | None = None,
    signer: "Signer | None" = None,
) -> str:
    """What to send for a scheme: the value itself, or a token signed for the record that the value stands in.

    ``lifetime`` is how many seconds a token is good for; without it an hour, if the scheme allows that.

    Raises ValueError where the record's key cannot sign.
    """
    if isinstance(scheme.accept, Basic):
        pair = f"{value}:{record[scheme.accept.password]}"
        return f"{scheme.word} {base64.b64encode(pair.encode()).decode('ascii')}"
    if not isinstance(scheme.accept, Jwt):
        return f"{scheme.word} {value}" if scheme.word and not scheme.bearer else str(value)
    header, claims = token_parts(scheme.accept, data, value, record, now)
    if lifetime is not None and "exp" in claims:
        claims["exp"] = int(now) + lifetime
    from mockserver.engine.signing import Signer  # noqa: PLC0415 -- a server is ready before it has met a token

    return (signer or Signer()).sign(header, claims, record[scheme.accept.key])


def token_parts(
    accept: Jwt, data: Mapping[str, Any], value: Any, record: Mapping[str, Any], now: float
) -> tuple[dict[str, Any], dict[str, Any]]:
    """Header and claims of a good token."""
    header: dict[str, Any] = {"alg": record[accept.algorithm] if accept.algorithm else accept.algorithms[0]}
    claims: dict[str, Any] = {}
    for name, allowed in accept.claims:
        first = allowed[0]
        claims[name] = Pointer.parse(first).get({"account": data}) if first.startswith("/") else first
    if "iat" in accept.require:
        claims["iat"] = int(now)
    if "exp" in accept.require:
        claims["exp"] = int(now) + min(TOKEN_LIFETIME, accept.max_age or TOKEN_LIFETIME)
    if "nbf" in accept.require:
        claims["nbf"] = int(now)
    for name in accept.require:
        if name not in claims and name != accept.find:
            claims[name] = _claim(name, value, now)
    (claims if accept.find_in == "claim" else header)[accept.find] = value
    return header, claims


def _claim(name: str, value: Any, now: float) -> str:
    """A claim that must be there, whatever it says: an id in the form of a UUID, another for each token."""
    text = hashlib.blake2b(f"{name} {value} {now}".encode("utf-8", "replace"), digest_size=16).hexdigest()
    return f"{text[:8]}-{text[8:12]}-{text[12:16]}-{text[16:20]}-{text[20:]}"


@dataclass(frozen=True, slots=True)
class Sample:
    """A request that is ready to be sent; ``path`` includes the query string."""

    method: str
    path: str
    headers: dict[str, str]
    body: str


def sample(
    operation: OperationSpec,
    data: Mapping[str, Any],
    now: float,
    *,
    recipient: str = "",
    alternative: int = 0,
) -> Sample:
    """A request to this operation that the vendor accepts from the owner of ``data``; it may name the recipient.

    ``alternative`` says by which of the operation's security alternatives it proves who sends it. Raises LookupError
    where the owner has nothing to prove it by, and ValueError where the key of it cannot sign.
    """
    parts: dict[str, Any] = {"path": {}, "query": {}, "header": {}}
    for parameter in operation.parameters:
        if parameter.example is not MISSING:
            parts[parameter.where][parameter.name] = parameter.example
    media = operation.body.shown if operation.body is not None else None
    if media is not None:
        parts["body"] = json.loads(json.dumps(media.example))
        parts["header"]["content-type"] = "application/json" if media.essence == "*/*" else media.essence
    for owned in operation.owned:
        first = next((value for value, _ in values_at(data, owned.claim)), None)
        alike = [o for o in operation.owned if o.claim == owned.claim]
        shown = [one for one in alike if one.at.get(parts) is not MISSING]
        if first is not None and (owned in shown or (owned.within is None and not shown)):
            _put(parts, owned.at, first)
    if recipient and operation.recipient is not None:
        _put(parts, operation.recipient.at, recipient)
    for scheme in operation.security[alternative].schemes if operation.security else ():
        value, record = next(iter(values_at(data, scheme.accept.claim)), (MISSING, {}))
        if value is MISSING:
            raise LookupError(f"the customer has nothing for {scheme.name}")
        ready = credential_for(scheme, data, value, record, now)
        _put(parts, Pointer((scheme.where, scheme.key)), f"Bearer {ready}" if scheme.bearer else ready)
    return _as_sent(operation, parts)


def _put(parts: dict[str, Any], at: Pointer, value: Any) -> None:
    """Put a value at its place, unless that is in a body that is not sent, or has no members."""
    holder: Any = parts if at.tokens[0] in parts else {}
    for token in at.tokens[:-1]:
        holder = holder.setdefault(token, {})
        if not isinstance(holder, dict):
            return
    holder[at.tokens[-1]] = value


def _as_sent(operation: OperationSpec, parts: dict[str, Any]) -> Sample:
    path, arrays = quote(operation.path, safe=SAFE_IN_PATHS), operation.arrays
    for name, value in parts["path"].items():
        text = sent_text(_written(value, arrays.get("path", {}).get(name)))
        path = path.replace("{" + quote(name, safe=SAFE_IN_PATHS) + "}", quote(text, safe=""))
    pairs = ((name, _written(value, arrays.get("query", {}).get(name))) for name, value in parts["query"].items())
    query = urlencode(list(pairs), doseq=True)
    body = "" if "body" not in parts else _body(parts["body"], parts["header"].get("content-type", ""))
    headers = {
        name: sent_text(_written(value, arrays.get("header", {}).get(name))) for name, value in parts["header"].items()
    }
    return Sample(operation.method, f"{path}?{query}" if query else path, headers, body)


def _body(value: Any, content_type: str) -> str:
    if content_type == FORM and isinstance(value, dict):
        fields = {
            name: list(map(sent_text, one)) if isinstance(one, list) else sent_text(one) for name, one in value.items()
        }
        return urlencode(fields, doseq=True)
    is_text = isinstance(value, str) and "json" not in content_type
    return str(value) if is_text else json.dumps(value, ensure_ascii=False)


def _written(value: Any, array: ArrayStyle | None) -> Any:
    """A value as text, or the texts of an array whose items are sent one by one."""
    if array is None or not isinstance(value, list):
        return sent_text(value)
    items = [sent_text(item) for item in value]
    return array.delimiter.join(items) if array.delimiter else items

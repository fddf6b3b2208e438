"""Whether a customer's own credentials can be made of what its account has: users, passwords, keys, algorithms."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from mockserver.spec.account_values import holders_at, is_made
from mockserver.spec.model import Contract
from mockserver.spec.pointer import MISSING, Pointer
from mockserver.spec.reader import Reader
from mockserver.spec.security_model import Basic, Jwt, Scheme

ALGORITHMS = ("HS256", "HS384", "HS512", "RS256", "RS384", "RS512")
_PEM = "-----BEGIN"


@dataclass(frozen=True, slots=True)
class _Mistake:
    """What is wrong at a member of ``accept``."""

    path: tuple[str, ...]
    message: str


def check_credentials(reader: Reader, contract: Contract) -> None:
    """Add an error for each security scheme that can accept no credential of any account."""
    if any(error.pointer.startswith("/x-mock/account") for error in reader.errors):
        return  # what the account has is not known
    nodes = reader.mapping(reader.mapping(reader.document, "components"), "securitySchemes")
    for scheme in contract.schemes:
        node = reader.mapping(nodes, scheme.name)
        for mistake in _mistakes(contract.account, scheme):
            reader.error_below(node, ["x-mock", "accept", *mistake.path], mistake.message)


def _mistakes(account: Mapping[str, Any], scheme: Scheme) -> Iterator[_Mistake]:
    accept = scheme.accept
    path: tuple[str, ...] = ("basic", "user") if isinstance(accept, Basic) else ("equals",)
    path = ("jwt", "find", "equals") if isinstance(accept, Jwt) else path
    holders = list(holders_at(account, accept.claim))
    wrong = next((message for value, _ in holders if (message := _no_credential(value))), None)
    if not holders or wrong is not None:
        if wrong is not None:
            yield _Mistake(path, f"{accept.claim} is no credential: {wrong}")
        return  # that a pointer points at nothing is told with the others
    records = [record for _, record in holders]
    if isinstance(accept, Basic):
        yield from _password_mistakes(account, accept, records)
    elif isinstance(accept, Jwt):
        yield from _key_mistakes(account, accept, records)


def _no_credential(template: Any) -> str | None:
    """Why a value of an account can be no credential; None if it can."""
    if is_made(template) or (isinstance(template, int) and not isinstance(template, bool)):
        return None
    if isinstance(template, str):
        return None if template else "it is empty"
    kinds = {dict: "a mapping", list: "a list", bool: "true or false", float: "a fraction"}
    return f"it is {kinds.get(type(template), 'null')}"


def _password_mistakes(
    account: Mapping[str, Any], accept: Basic, records: list[Mapping[str, Any]]
) -> Iterator[_Mistake]:
    path, user = ("basic", "password"), Pointer.parse(accept.claim).tokens
    password = Pointer.parse(accept.password_at).tokens
    if password[:-1] != user[:-1]:
        told = f"user and password are members of one record: {accept.password_at} is none beside {accept.claim}"
        yield _Mistake(path, told)
        return
    values = [record.get(password[-1], MISSING) for record in records]
    if any(value is MISSING for value in values):
        yield _Mistake(path, _not_in_record(account, accept.claim, password[-1]))
    elif any(not is_made(value) and (value is None or isinstance(value, dict | list)) for value in values):
        yield _Mistake(path, f"{accept.password_at} is no password: it must be text")


def _key_mistakes(account: Mapping[str, Any], accept: Jwt, records: list[Mapping[str, Any]]) -> Iterator[_Mistake]:
    for record in records:
        missing = [name for name in (accept.key, accept.algorithm) if name is not None and name not in record]
        if missing:
            word = "key" if missing[0] == accept.key else "algorithm"
            yield _Mistake(("jwt", word), _not_in_record(account, accept.claim, missing[0]))
            return
        algorithm = record[accept.algorithm] if accept.algorithm is not None else accept.algorithms[0]
        algorithm = _copied(account, algorithm)
        if algorithm not in ALGORITHMS:
            known = ", ".join(ALGORITHMS)
            yield _Mistake(
                ("jwt", "algorithm"), f"the member {accept.algorithm!r} holds no algorithm; there are: {known}"
            )
            return
        told = _no_key(_copied(account, record[accept.key]), algorithm)
        if told is not None:
            yield _Mistake(("jwt", "key"), f"the member {accept.key!r} signs nothing with {algorithm}: {told}")
            return


def _no_key(template: Any, algorithm: str) -> str | None:
    """Why what an account makes of a template signs nothing; None if it does."""
    new = template.get("new") if isinstance(template, dict) else None
    is_number = new == "integer" or (new == "number" and template.get("form") == "integer")
    if is_number or (new is None and not (isinstance(template, str) and template)):
        return "a key is text, and not empty"
    is_pem = new == "rsa" if new is not None else str(template).lstrip().startswith(_PEM)
    if algorithm.startswith("RS") and not is_pem:
        return "it needs an RSA key in PEM, as {new: rsa} makes one"
    return None


def _not_in_record(account: Mapping[str, Any], claim: str, name: str) -> str:
    above = Pointer(Pointer.parse(claim).tokens[:-1])
    no_list = len(above.tokens) > 1 and isinstance(above.get({"account": account}), dict)
    why = f": {above} is no list of records, so its record is the whole account" if no_list else ""
    return f"the record of {claim} has no member {name!r}{why}"


def _copied(account: Mapping[str, Any], template: Any) -> Any:
    """A template, or that which it copies."""
    if isinstance(template, dict) and "copy" in template:
        return Pointer.parse(template["copy"]).get({"account": account})
    return template

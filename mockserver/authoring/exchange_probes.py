"""What is wrong with an exchange's request, response and values, though all its members are known."""

from collections.abc import Hashable, Iterator, Mapping
from difflib import get_close_matches
from pathlib import Path
from typing import Any

from mockserver.engine.account import BUILTIN_ACCOUNTS, AccountData, other_accounts
from mockserver.engine.fixture_case import TOKEN_MEMBERS, Replay
from mockserver.spec.errors import ContractError
from mockserver.spec.model import Contract
from mockserver.spec.pointer import is_pointer
from mockserver.spec.shared import METHODS
from mockserver.spec.source import read_yaml

CaseMistake = tuple[Any, Hashable, str]  # the container, the key in it, what is wrong there
Accounts = Mapping[str, AccountData]
ACCOUNTS_FILE = "accounts.yaml"
_BODIES = ("json", "form", "multipart", "text")
_SHOWN = ("json", "text")
_FORMS_OF_FIXTURES = (*BUILTIN_ACCOUNTS, "credential", "token", "join", "before", "now")
_LIKE_REFERENCE = 0.7


def mistakes_in_case(case: Mapping[str, Any], contract: Contract, accounts: Accounts | None) -> Iterator[CaseMistake]:
    """What is wrong with an exchange. What its values name is looked up where there are ``accounts``."""
    before = case.get("before", [])
    if isinstance(before, list):
        requests = [node for node in before if isinstance(node, dict)]
        if len(requests) < len(before):
            yield case, "before", "a list of requests: each has 'method' and 'path'"
    else:
        requests = []
        yield case, "before", "must be a list of requests"
    requests += [case["request"]] if isinstance(case.get("request"), dict) else []
    for request in requests:
        yield from _of_request(request)
    response = case.get("response")
    if isinstance(response, dict):
        yield from _of_response(response)
    replay = None if accounts is None else Replay(contract, accounts, lambda: 0.0)
    for node in requests:
        yield from _of_values(node, replay, is_response=False)
    yield from _of_values(response, replay, is_response=True)


def _of_request(request: dict[str, Any]) -> Iterator[CaseMistake]:
    method, path = request.get("method", "GET"), request.get("path", "/")
    if not isinstance(method, str) or method.lower() not in METHODS or not method.isupper():
        yield request, "method", f"{method!r} is no method; there are: {', '.join(METHODS).upper()}"
    if not isinstance(path, str) or not path.startswith("/"):
        yield request, "path", "a path begins with '/': it is the one on the server, with that of the vendor's address"
    yield from _one_of(request, _BODIES, "a request has one body")


def _of_response(response: dict[str, Any]) -> Iterator[CaseMistake]:
    status = response.get("status")
    if "status" not in response:
        yield response, None, "'status' is missing"
    elif not isinstance(status, int) or isinstance(status, bool) or not 100 <= status <= 599:
        yield response, "status", f"a status is a number of three digits, not {status!r}"
    yield from _one_of(response, _SHOWN, "a response has one body")


def _one_of(node: dict[str, Any], names: tuple[str, ...], told: str) -> Iterator[CaseMistake]:
    given = [name for name in names if name in node]
    for name in given[1:]:
        yield node, name, f"{told}: here is {given[0]!r} already"


def _of_values(value: Any, replay: Replay | None, *, is_response: bool) -> Iterator[CaseMistake]:
    """The forms in a value that stand for nothing, or are nearly one."""
    if isinstance(value, list):
        for item in value:
            yield from _of_values(item, replay, is_response=is_response)
    if not isinstance(value, dict):
        return
    if value.keys() == {"any"}:
        yield from _of_any(value) if is_response else ()
        return
    yield from _nearly(value)
    inner = list(value.values())
    found = [one for item in inner for one in _of_values(item, replay, is_response=is_response)]
    yield from found
    if value.keys() == {"now"} and (not isinstance(value["now"], int | float) or isinstance(value["now"], bool)):
        yield value, "now", "a number of seconds from now"
    elif replay is not None and not found and value.keys() & set(_FORMS_OF_FIXTURES) and not _reads_before(value):
        try:
            replay.value(value)
        except (ValueError, LookupError, TypeError, AttributeError) as error:
            key = next(name for name in value if name in _FORMS_OF_FIXTURES)
            yield value, key, str(error) if isinstance(error, ValueError) else f"stands for nothing: {error}"


def _of_any(value: dict[str, Any]) -> Iterator[CaseMistake]:
    from jsonschema import Draft202012Validator  # noqa: PLC0415 -- takes 45 ms
    from jsonschema.exceptions import SchemaError  # noqa: PLC0415 -- as above

    try:
        Draft202012Validator.check_schema(value["any"])
    except SchemaError as error:
        yield value, "any", f"not a JSON Schema: {error.message}"


def _nearly(value: dict[str, Any]) -> Iterator[CaseMistake]:
    """A misspelt form, which would be sent as it is written."""
    for key, item in value.items():
        is_alone = len(value) == 1 or value.keys() - {key} <= TOKEN_MEMBERS
        if key in _FORMS_OF_FIXTURES or not is_alone:
            continue
        for near in get_close_matches(key.lower(), _FORMS_OF_FIXTURES, n=1, cutoff=_LIKE_REFERENCE):
            fits = {"join": isinstance(item, list), "now": isinstance(item, int | float)}
            fits |= dict.fromkeys((*BUILTIN_ACCOUNTS, "before"), is_pointer(item))
            if fits.get(near, isinstance(item, str) and not is_pointer(item) and near in ("token", "credential")):
                yield value, key, f"unknown form {key!r}: it would be sent as it is; did you mean {near!r}?"


def _reads_before(value: Any) -> bool:
    """Whether a value is one of an answer that came before, which is not known yet."""
    if isinstance(value, dict):
        return value.keys() == {"before"} or any(map(_reads_before, value.values()))
    return isinstance(value, list) and any(map(_reads_before, value))


def mistakes_in_folders(
    folder: Path, contracts: Mapping[str, Contract], others: frozenset[str] | None
) -> Iterator[ContractError]:
    """Folders of fixtures that belong to no vendor or to no operation, and accounts that nothing takes.

    ``others`` are vendors whose contracts are not looked at now; None where any may be.
    """
    for file in sorted(folder.glob("*/*/*.yaml")):
        vendor, operation = file.parts[-3:-1]
        contract = contracts.get(vendor)
        if contract is not None:
            names = {name for one in contract.operations for name in (one.name, one.spelling)}
            if operation not in names:
                yield _at(file, _unknown("operation", operation, names))
        elif others is not None and vendor not in others:
            yield _at(file, _unknown("contract", vendor, contracts))
    for vendor in contracts:
        file = folder / vendor / ACCOUNTS_FILE
        source = read_yaml(str(file), file.read_text("utf-8")) if file.is_file() else None
        if source is not None and isinstance(source.value, dict):
            yield from other_accounts(source)


def _unknown(what: str, name: str, known: Any) -> str:
    near = get_close_matches(name, list(known), n=1)
    told = f"did you mean {near[0]!r}?" if near else f"there are: {', '.join(sorted(known)) or 'none'}"
    return f"the folder says that this is of {name!r}, and there is no such {what}; {told}"


def _at(file: Path, message: str) -> ContractError:
    return ContractError(str(file), 1, 1, "", message)

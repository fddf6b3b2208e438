"""What a file sets before the first call: values, pins, limits and the clock of accounts (``--state``)."""

import json
from collections.abc import Container, Iterable, Iterator, Mapping
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any, NamedTuple
from urllib.parse import quote, unquote

from mockserver.server.application import Application
from mockserver.server.build import error_at
from mockserver.server.routing import CONTROL
from mockserver.server.wire.asgi import WIRE
from mockserver.spec.pointer import join
from mockserver.spec.source import Source, read_text, read_yaml, why_unread

STATE_MEMBERS = ("vendors", "pins", "limits", "clock")


class StateFileError(ValueError):
    """A file that cannot be used; the text says where in it, and why."""


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A request to the control API, and the pointer of what it is made from."""

    method: str
    path: str  # below /_mock
    body: Mapping[str, Any]
    at: str = ""


class StateFile:
    """A file in YAML or JSON: ``{accounts: {ID: {vendors: {…}, pins: [{operation, …}], limits: {…}, clock: {…}}}}``.

    ``vendors`` are values of the account, such as where callbacks go; one that is not there yet is made with them.
    Raises StateFileError where it cannot be read.
    """

    def __init__(self, file: Path) -> None:
        try:
            self._source: Source = read_yaml(str(file), read_text(file))
        except (OSError, UnicodeDecodeError) as error:
            raise StateFileError(f"{file} cannot be read: {why_unread(error)}") from error
        if self._source.errors:
            raise StateFileError(str(self._source.errors[0]))

    def requests(self, own_account: str | None = None) -> list[ControlRequest]:
        """What has to be asked of the control API; at the top may stand what is for ``own_account``.

        Raises StateFileError.
        """
        whole = self._mapping(self._source.value, "")
        known = ("accounts", *(STATE_MEMBERS if own_account is not None else ()))
        self._check_members(whole, known, "")
        accounts = self._mapping(whole.get("accounts", {}), "/accounts")
        found = [request for name in accounts for request in self._of(name, accounts[name], join("accounts", name))]
        if own_account is not None:
            own = {name: value for name, value in whole.items() if name != "accounts"}
            found += self._of(own_account, own, "")
        return found

    def values(self) -> dict[str, Mapping[str, Any]]:
        """By account the values that it is to have, by vendor. Raises StateFileError."""
        accounts = self._mapping(self._mapping(self._source.value, "").get("accounts", {}), "/accounts")
        states = {name: self._mapping(state, join("accounts", name)) for name, state in accounts.items()}
        return {
            name: self._mapping(state["vendors"], join("accounts", name, "vendors"))
            for name, state in states.items()
            if "vendors" in state
        }

    def pinned(self, own_account: str | None = None) -> list[str]:
        """The accounts for which it has pins. Raises StateFileError."""
        whole = self._mapping(self._source.value, "")
        accounts = self._mapping(whole.get("accounts", {}), "/accounts")
        states = {**accounts, **({} if own_account is None else {own_account: whole})}
        return [name for name, state in states.items() if isinstance(state, Mapping) and "pins" in state]

    @property
    def own_values(self) -> Mapping[str, Any]:
        """The values at the top, which are those of a run's own account. Raises StateFileError."""
        return self._mapping(self._mapping(self._source.value, "").get("vendors", {}), "/vendors")

    def error(self, at: str, message: str) -> StateFileError:
        """An error at the place that a pointer names."""
        return StateFileError(str(error_at(self._source, at, message)))

    def _of(self, account: str, value: Any, at: str) -> Iterator[ControlRequest]:
        state = self._mapping(value, at)
        self._check_members(state, STATE_MEMBERS, at)
        path = f"accounts/{quote(account, safe='')}"
        if "clock" in state:
            yield ControlRequest("POST", f"{path}/clock", self._mapping(state["clock"], f"{at}/clock"), f"{at}/clock")
        if "limits" in state:
            yield ControlRequest(
                "PUT", f"{path}/limits", self._mapping(state["limits"], f"{at}/limits"), f"{at}/limits"
            )
        pins = state.get("pins", [])
        if not isinstance(pins, list):
            raise self.error(f"{at}/pins", "must be a list")
        for number, item in enumerate(pins):
            place = f"{at}/pins/{number}"
            pin = dict(self._mapping(item, place))
            operation = pin.pop("operation", None)
            if not isinstance(operation, str):
                raise self.error(place, "name the operation that it is for, or vendor.* for all of a vendor")
            yield ControlRequest("PUT", f"pins/{quote(operation, safe='*')}", {"account": account, **pin}, place)

    def _mapping(self, value: Any, at: str) -> Mapping[str, Any]:
        if not isinstance(value, Mapping):
            raise self.error(at, "must be a mapping")
        return value

    def _check_members(self, value: Mapping[str, Any], known: Iterable[str], at: str) -> None:
        for name in value:
            if name not in known:
                raise self.error(at + join(name), f"is not known here; known: {', '.join(known)}")


async def apply_state(app: Application, file: StateFile, own_account: str | None = None) -> None:
    """Have an application that does not serve yet do what a file asks. Raises StateFileError."""
    for name, vendors in file.values().items():
        account, at = await app.store.account(name), join("accounts", name)
        if account is None:
            await demand(app, file, ControlRequest("POST", "accounts", {"id": name, "vendors": vendors}, at))
        else:
            for contract in app.contracts:
                given = vendors.get(contract.vendor, {})
                place = f"{at}/vendors/{contract.vendor}"
                _lay_over(account.vendors[contract.vendor], given, _Laid(file, contract.claims, place), "/account")
    for name in file.pinned(own_account):
        await app.store.remove_pins(name)  # a store that survives has those of the last start
    for request in file.requests(own_account):
        await demand(app, file, request)


async def demand(app: Application, file: StateFile, request: ControlRequest, host: str = "localhost") -> dict[str, Any]:
    """What the control API answers. Raises StateFileError, at the place in the file, where it refuses."""
    status, answer = await ask(app, request, host)
    if status >= HTTPStatus.BAD_REQUEST:
        pointer = str(answer.get("pointer") or "").removeprefix("/body")
        raise file.error(request.at + (pointer if pointer.startswith("/") else ""), str(answer["detail"]))
    return answer


class _Laid(NamedTuple):
    """What is laid over an account's values: its file, where it stands there, and what must stay."""

    file: StateFile
    claims: Container[str]
    at: str

    def below(self, *tokens: str | int) -> "_Laid":
        return self._replace(at=self.at + join(*tokens))


def _lay_over(values: Any, given: Any, laid: _Laid, pointer: str) -> None:
    """Put given values in the place of an account's own; those that identify it stay. Raises StateFileError."""
    if isinstance(values, list) and isinstance(given, list) and len(given) <= len(values):
        for number, item in enumerate(given):
            _lay_over(values[number], item, laid.below(number), pointer)
        return
    if not isinstance(values, dict) or not isinstance(given, Mapping):
        raise laid.file.error(laid.at, "must be like the account's own values")
    for name, value in given.items():
        if name not in values:
            raise laid.file.error(laid.at + join(name), f"is not known here; known: {', '.join(values)}")
        if isinstance(values[name], dict | list):
            _lay_over(values[name], value, laid.below(name), pointer + join(name))
        elif pointer + join(name) in laid.claims and value != values[name]:
            message = "identifies this account, and stays; an account of another id may have it"
            raise laid.file.error(laid.at + join(name), message)
        elif isinstance(value, Mapping | list):
            raise laid.file.error(laid.at + join(name), "must be a plain value")
        else:
            values[name] = value


async def ask(app: Application, request: ControlRequest, host: str = "localhost") -> tuple[int, dict[str, Any]]:
    """Ask an application's control API within this process: status and answer."""
    token = app.settings.admin_token
    headers = [(b"host", host.encode("ascii")), (b"content-type", b"application/json")]
    headers += [(b"authorization", f"Bearer {token}".encode())] if token else []
    path = f"{CONTROL}/{request.path}"
    scope = {
        "type": "http",
        "asgi": {"version": "3.0"},
        "http_version": "1.1",
        "method": request.method,
        "scheme": "http",
        "path": unquote(path),
        "raw_path": path.encode("ascii"),
        "query_string": b"",
        "root_path": "",
        "headers": headers,
        "client": None,
        "server": None,
        "extensions": {WIRE: None},  # the server that is to be started can break connections
    }
    said: list[Any] = []

    async def receive() -> Any:
        return {"type": "http.request", "body": json.dumps(request.body).encode("utf-8"), "more_body": False}

    async def send(message: Any) -> None:
        said.append(message)

    await app(scope, receive, send)
    body = b"".join(message.get("body", b"") for message in said[1:])
    return said[0]["status"], json.loads(body) if body else {}

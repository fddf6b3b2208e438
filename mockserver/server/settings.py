"""How a server is set up. A setting has one name: in Python, as an option of ``serve``, and in the environment."""

import ipaddress
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any, Literal

from mockserver.spec.addresses import has_password, host_of_origin, split_http, usable_token
from mockserver.store.kinds import MEMORY, StoreError, kind_of_store

LogForm = Literal["text", "json", "off"]
LOG_FORMS: tuple[LogForm, ...] = ("text", "json", "off")
MAX_PACE = 3600.0  # seconds


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes are bytes, times seconds. ``contracts`` and ``fixtures`` are folders beside the built-in ones.

    ``callback_hosts`` are those that callbacks may go to beside this machine; ``course_pace`` is how many seconds a
    second of a message's course takes for accounts whose clock nobody has set.

    ``log`` is ``text``, ``json`` or ``off``; ``mockserver serve`` writes text where nothing else is asked for.
    ``drain`` is how long a server that is told to end answers calls still, and says that it is stopping.
    ``let_through`` are hosts that a client may reach through the server, ``tls_files`` is a folder for the files by
    which clients trust it. ``allow_origin`` are origins of web pages that may use the control API. ``store`` is
    ``memory``, a file, or the address of a Redis or Valkey server. A value that cannot be used raises SettingsError;
    white space around the token does not count.
    """

    contracts: tuple[Path, ...] = ()
    fixtures: tuple[Path, ...] = ()
    builtin: bool = True
    accounts: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8080
    public_url: str | None = None
    admin_token: str | None = None
    explain: bool = True
    log: LogForm = "off"
    max_accounts: int = 10_000
    max_connections: int = 2048
    max_journal_calls: int = 10_000
    max_journal_bytes: int = 64 * 1024 * 1024
    max_body: int = 1024 * 1024
    max_head: int = 64 * 1024
    idle_timeout: int = 75
    request_timeout: int = 30
    drain: int = 0
    allow_origin: tuple[str, ...] = ()
    let_through: tuple[str, ...] = ()
    tls_files: Path | None = None
    callback_hosts: tuple[str, ...] = ()
    course_pace: float = 0.05
    store: str = MEMORY

    def __post_init__(self) -> None:
        if self.admin_token is not None:
            object.__setattr__(self, "admin_token", _token(self.admin_token))
        for field in fields(self):
            _check(field.name, getattr(self, field.name))

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.host)


def is_loopback(host: str) -> bool:
    """Whether a host name or address means this machine."""
    if host == "localhost" or host.endswith(".localhost"):
        return True
    try:
        return ipaddress.ip_address(host.removeprefix("[").removesuffix("]")).is_loopback
    except ValueError:  # a name: 127.example.com is anybody's
        return False


class SettingsError(ValueError):
    """A setting cannot be used; the text names it and says what it must be."""


PREFIX = "MOCKSERVER_"
_LET_THROUGH = re.compile(r"[A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\]")
_OPTIONS = {"callback_hosts": "--callback-to"}  # which are not named as the setting is
_VARIABLES = {"host": "SERVE_HOST", "port": "SERVE_PORT"}  # which are not named as the setting is
ANOTHER_PRODUCTS = {PREFIX + "HOST": "host", PREFIX + "PORT": "port"}
"""Variables of another product's client, which are not read, and the settings that a user may have meant."""

RENAMED = {
    "serve_host": "host",
    "serve_port": "port",
    "most_accounts": "max_accounts",
    "most_connections": "max_connections",
    "journal_calls": "max_journal_calls",
    "journal_bytes": "max_journal_bytes",
    "body_limit": "max_body",
    "header_limit": "max_head",
}
"""Settings by the names that they had before."""

_NUMBERS = {setting.name for setting in fields(Settings) if setting.type is int}
_SWITCHES = {setting.name for setting in fields(Settings) if setting.type is bool}


def variable(setting: str) -> str:
    """The environment variable of a setting."""
    return PREFIX + _VARIABLES.get(setting, setting.upper())


def option(setting: str) -> str:
    """The command line's option for a setting."""
    return _OPTIONS.get(setting, f"--{setting.replace('_', '-')}")


def _check(setting: str, value: object) -> None:
    """Raise SettingsError for a value that the setting cannot have."""
    least, most = _bounds(setting)
    if setting in _NUMBERS and (isinstance(value, bool) or not isinstance(value, int) or not least <= value <= most):
        raise SettingsError(f"{setting} must be a whole number from {least} to {most}, not {value!r}")
    if setting in _SWITCHES and not isinstance(value, bool):
        raise SettingsError(f"{setting} must be True or False, not {value!r}")
    if setting == "log" and value not in LOG_FORMS:
        raise SettingsError(f"{setting} must be one of {', '.join(LOG_FORMS)}, not {value!r}")
    if setting == "course_pace" and not _is_pace(value):
        raise SettingsError(f"{setting} must be a number of seconds from 0 to {MAX_PACE:g}, not {value!r}")
    if setting == "store":
        _check_store(value)
    _check_address(setting, value)


def _check_address(setting: str, value: object) -> None:
    """Raise SettingsError for an address, an origin or a host that the setting cannot have."""
    if setting == "public_url" and value is not None:
        if not str(value).isascii() and not has_password(str(value)):  # it stands in headers
            message = "must be ASCII, its host as xn--… and its path percent-encoded"
            raise SettingsError(f"{setting} {message}, not {value!r}")
        _check_url(setting, value)
    for origin in value if setting == "allow_origin" and isinstance(value, tuple) else ():
        if not isinstance(origin, str) or not host_of_origin(origin):
            raise SettingsError(f"{setting} must be like http://localhost:3000, not {origin!r}")
    if setting == "let_through":
        _check_hosts(setting, value)
    if setting == "callback_hosts":
        _check_callback_hosts(value)


def _check_url(setting: str, url: object) -> None:
    if not isinstance(url, str) or split_http(url) is None:
        shown = "one with a user or a password" if has_password(str(url)) else repr(url)
        kind = "an http address" if str(url).isascii() else "an http address in ASCII"
        raise SettingsError(f"{setting} must be {kind}, not {shown}")


def _token(text: str) -> str:
    try:
        return usable_token(text)
    except ValueError as error:
        raise SettingsError(f"admin_token {error}") from error


def _check_hosts(setting: str, value: object) -> None:
    if not isinstance(value, tuple):
        raise SettingsError(f"{setting} must be a tuple of hosts, not {value!r}")
    for host in value:
        if not isinstance(host, str) or not _LET_THROUGH.fullmatch(host):
            raise SettingsError(f"{setting} must be hosts' names without scheme and port, not {host!r}")


def _check_callback_hosts(value: object) -> None:
    """Raise SettingsError for what is not a tuple of names or addresses of hosts: a URL, say."""
    if not isinstance(value, tuple):
        raise SettingsError(f"callback_hosts must be a tuple of host names, not {value!r}")
    for host in value:
        if not isinstance(host, str) or not host or set(host) & set("/@ ?#") or (":" in host and "::" not in host):
            raise SettingsError(f"callback_hosts must be host names without scheme and port, not {host!r}")


def _check_store(value: object) -> None:
    """Raise SettingsError for what names no store; a password that stands in it is not repeated."""
    try:
        kind_of_store(value if isinstance(value, str) else "")
    except StoreError as error:
        shown = "what was given" if has_password(str(value)) else repr(value)
        raise SettingsError(f"store {error}, not {shown}") from error


def _is_pace(value: object) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value <= MAX_PACE


def _bounds(number: str) -> tuple[int, int]:
    return {"port": (0, 65535), "drain": (0, 3600)}.get(number, (1, 10**16))


def from_environment(environment: Mapping[str, str] | None = None, *, log: LogForm = "off") -> Settings:
    """Settings with what the environment says, or of the log this, if it does not. Raises SettingsError."""
    source = os.environ if environment is None else environment
    for former, setting in RENAMED.items():
        name = PREFIX + former.upper()
        if source.get(name) and name != variable(setting):
            raise SettingsError(f"{name} is now {variable(setting)}")
    values: dict[str, Any] = {"log": log}
    for field in fields(Settings):
        name = variable(field.name)
        if source.get(name):
            values[field.name] = _read(name, field.name, source[name])
    try:
        return Settings(**values)
    except SettingsError as error:  # of a value that is a text in either place
        setting, _, rest = str(error).partition(" ")
        raise SettingsError(f"{variable(setting)} {rest}") from error


def _read(name: str, field: str, text: str) -> Any:
    if field in _LISTS:
        return _LISTS[field](text)
    if field == "course_pace":
        return _pace(name, text)
    if field in {"accounts", "tls_files"}:
        return Path(text)
    if field in _SWITCHES:
        if text.lower() not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
            raise SettingsError(f"{name} must be true or false, not {text!r}")
        return text.lower() in {"1", "true", "yes", "on"}
    if field in _NUMBERS:
        least, most = _bounds(field)
        if not (text.isascii() and text.isdigit() and len(text) < 18 and least <= int(text) <= most):
            raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {text!r}")
        return int(text)
    if field == "log" and text not in LOG_FORMS:
        raise SettingsError(f"{name} must be one of {', '.join(LOG_FORMS)}, not {text!r}")
    return text


def _hosts(text: str) -> tuple[str, ...]:
    return tuple(host.strip().lower() for host in text.split(",") if host.strip())


def _folders(text: str) -> tuple[Path, ...]:
    return tuple(Path(part) for part in text.split(os.pathsep) if part)


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.replace(",", " ").split())


_LISTS: Mapping[str, Callable[[str], tuple[Any, ...]]] = {  # how the settings that are lists are written
    "contracts": _folders,
    "fixtures": _folders,
    "callback_hosts": _hosts,
    "allow_origin": _words,
    "let_through": _words,
}


def _pace(name: str, text: str) -> float:
    try:
        return float(text)
    except ValueError:
        raise SettingsError(f"{name} must be a number of seconds from 0 to {MAX_PACE:g}, not {text!r}") from None

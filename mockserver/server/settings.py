"""How a server is set up. Every setting can come from the environment as MOCKSERVER_<NAME>."""

import ipaddress
import os
from collections.abc import Mapping
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any


@dataclass(frozen=True, slots=True)
class Settings:
    """Sizes are bytes, times seconds. ``contracts`` and ``fixtures`` are folders beside the built-in ones."""

    contracts: tuple[Path, ...] = ()
    fixtures: tuple[Path, ...] = ()
    builtin: bool = True
    accounts: Path | None = None
    serve_host: str = "127.0.0.1"
    serve_port: int = 8080
    public_url: str | None = None
    admin_token: str | None = None
    explain: bool = True
    body_limit: int = 1024 * 1024
    journal_calls: int = 10_000
    journal_bytes: int = 64 * 1024 * 1024
    most_accounts: int = 10_000
    most_connections: int = 2048
    header_limit: int = 64 * 1024
    idle_timeout: int = 75
    request_timeout: int = 30

    @property
    def is_loopback(self) -> bool:
        """Whether only this machine can reach the server."""
        return is_loopback(self.serve_host)


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


# MOCKSERVER_HOST and MOCKSERVER_PORT belong to another product's client: ours are …_SERVE_HOST and …_SERVE_PORT.
PREFIX = "MOCKSERVER_"
_NUMBERS = {setting.name for setting in fields(Settings) if setting.type is int}


def from_environment(environment: Mapping[str, str] | None = None) -> Settings:
    """Settings with what the environment says. Raises SettingsError."""
    source = os.environ if environment is None else environment
    values: dict[str, Any] = {}
    for setting in fields(Settings):
        name = PREFIX + setting.name.upper()
        if source.get(name):
            values[setting.name] = _read(name, setting.name, source[name])
    return Settings(**values)


def _read(name: str, field: str, text: str) -> Any:
    if field in {"contracts", "fixtures"}:
        return tuple(Path(part) for part in text.split(os.pathsep) if part)
    if field == "accounts":
        return Path(text)
    if field in {"builtin", "explain"}:
        if text.lower() not in {"1", "true", "yes", "on", "0", "false", "no", "off"}:
            raise SettingsError(f"{name} must be true or false, not {text!r}")
        return text.lower() in {"1", "true", "yes", "on"}
    if field in _NUMBERS:
        least, most = (0, 65535) if field == "serve_port" else (1, 10**16)
        if not (text.isascii() and text.isdigit() and len(text) < 18 and least <= int(text) <= most):
            raise SettingsError(f"{name} must be a whole number from {least} to {most}, not {text!r}")
        return int(text)
    return text

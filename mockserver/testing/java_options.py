"""Options of Java, as the variables have them that every program of Java reads."""

import shlex
from collections.abc import Iterable, Mapping
from pathlib import Path

OF_ALL = "JAVA_TOOL_OPTIONS"
STRONGER = ("JDK_JAVA_OPTIONS", "_JAVA_OPTIONS")
"""What these say counts for more, where they are set."""

PASSWORD = "changeit"  # noqa: S105 -- Java's own default; such a store holds nothing secret

DIRECT = tuple(f"-D{name}=" for name in ("http.proxyHost", "https.proxyHost", "socksProxyHost"))
"""No proxy is asked."""


def trusting(store: Path) -> tuple[str, ...]:
    """What has Java trust the certificates in a file, and no others."""
    trust = {"": store, "Type": "PKCS12", "Password": PASSWORD}
    return tuple(f"-Djavax.net.ssl.trustStore{name}={value}" for name, value in trust.items())


def proxied(host: str, port: int) -> tuple[str, ...]:
    """What has Java ask a proxy for every host but this machine."""
    places = [f"-D{scheme}.proxy{name}" for scheme in ("http", "https") for name in (f"Host={host}", f"Port={port}")]
    return *places, "-Dhttp.nonProxyHosts=localhost|127.*|[::1]"


def java_variables(environment: Mapping[str, str], options: Iterable[str]) -> dict[str, str]:
    """The variables with these options behind those that are there; the last counts."""
    names = [OF_ALL, *filter(environment.get, STRONGER)]
    return {name: " ".join(filter(None, [environment.get(name), joined(options)])) for name in names}


def joined(options: Iterable[str]) -> str:
    return " ".join(map(_word, options))


def _word(option: str) -> str:
    """In quotes where it needs them: Java has those of a shell, without backslashes."""
    if not any(letter.isspace() or letter in "'\"" for letter in option):
        return option
    return shlex.quote(option) if '"' in option else f'"{option}"'

"""The environment in which other programs, in any language, reach the vendors' hosts on a server and trust it there."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mockserver.testing.client_files import LOCAL, client_files
from mockserver.testing.java_options import DIRECT, java_variables, proxied, trusting

HOOKS = Path(__file__).parent / "hooks"
LOCAL_HOSTS = ("", "localhost", "0.0.0.0", "::", "::1")  # noqa: S104 -- compared, not listened on
REACH = "MOCKSERVER_REACH"

PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
"""In both cases: curl reads only ``http_proxy`` for http, Ruby's Net::HTTP only that for https too."""

TOOL_PROXIES = ("GLOBAL_AGENT_HTTP_PROXY", "npm_config_proxy", "npm_config_https_proxy")
EXCEPTIONS = ("NO_PROXY", "no_proxy")
"""Without them, Node's own proxy support sends a client's requests to the proxy through the proxy."""

WAY_VARIABLES = (*PROXIES, *TOOL_PROXIES, *EXCEPTIONS, "NODE_USE_ENV_PROXY", REACH)
"""What leads a client elsewhere than to the host that it means."""


@dataclass(frozen=True, slots=True)
class ClientTarget:
    """Where the vendors' hosts are to be reached: a server's host and port, and the folder with its trust files.

    Hosts that are asked for and are neither the vendors' nor ``passed`` are noted in the folder; None: nobody looks.
    """

    hosts: tuple[str, ...]
    host: str
    port: int
    folder: Path
    passed: tuple[str, ...] | None = None

    @property
    def others(self) -> Path:
        """A line for each host that is asked for elsewhere than at the server; it may be missing."""
        return self.folder / "others"

    @property
    def proxy(self) -> str:
        return f"http://{self.host}:{self.port}"

    @property
    def ca(self) -> Path:
        return self.folder / "ca.pem"

    @property
    def bundle(self) -> Path:
        return self.folder / "bundle.pem"

    @property
    def java_store(self) -> Path:
        """It may be missing: not every server can make one."""
        return self.folder / "trust.p12"


def trust_variables(target: ClientTarget, environment: Mapping[str, str]) -> dict[str, str]:
    """What makes clients trust the server beside what they trusted so far. Writes files. Raises OSError."""
    from mockserver.server.trust_files import ADDING, REPLACING  # noqa: PLC0415 -- few tests need a part of the server

    variables = dict.fromkeys(REPLACING, str(target.bundle))
    variables |= {name: str(_joined(target, name, environment.get(name))) for name in ADDING}
    if target.java_store.exists():
        variables |= java_variables(environment, trusting(target.java_store))
    return variables


def proxy_variables(target: ClientTarget, environment: Mapping[str, str]) -> dict[str, str]:
    """What makes clients ask the server for every host but this machine. Writes files. Raises OSError."""
    return {
        **dict.fromkeys((*PROXIES, *TOOL_PROXIES), target.proxy),
        **dict.fromkeys(EXCEPTIONS, LOCAL),
        "NODE_USE_ENV_PROXY": "1",  # as an option of Node it would end versions that do not know it
        **java_variables(environment, proxied(target.host, target.port)),
        **client_files(target.folder, target.bundle, environment, target.proxy),
    }


def hook_variables(target: ClientTarget, environment: Mapping[str, str]) -> dict[str, str]:
    """What makes Node and Python reach the server even where a client heeds no proxy."""
    reach: dict[str, Any] = {"hosts": target.hosts, "host": target.host, "port": target.port, "ca": str(target.ca)}
    if target.passed is not None:
        reach |= {"others": str(target.others), "passed": [*LOCAL_HOSTS, *target.passed]}
    hook = str(HOOKS / "node_hook.cjs")
    path = environment.get("PYTHONPATH")
    return {
        REACH: json.dumps(reach),
        "NODE_OPTIONS": _after(environment.get("NODE_OPTIONS"), f"--require={_node_word(hook)}"),
        "PYTHONPATH": f"{HOOKS}{os.pathsep}{path}" if path else str(HOOKS),
    }


def direct_variables(hosts: tuple[str, ...], environment: Mapping[str, str]) -> dict[str, str]:
    """What has clients ask these hosts themselves, though a proxy is set; none where no proxy would be asked."""
    if not any(environment.get(name) for name in PROXIES):
        return {}
    before = next(filter(None, map(environment.get, reversed(EXCEPTIONS))), None)  # most clients prefer lower case
    if before is not None and before.strip() == "*":  # which counts only where it stands alone
        return {}
    return {name: ",".join(filter(None, [environment.get(name) or before, *hosts])) for name in EXCEPTIONS}


def child_variables(target: ClientTarget, environment: Mapping[str, str]) -> dict[str, str]:
    """All of them, for a program that starts in this environment. Writes files. Raises OSError."""
    trusted = trust_variables(target, environment)
    led = proxy_variables(target, {**environment, **trusted})
    return {**trusted, **led, **hook_variables(target, environment)}


def isolated_environment(target: ClientTarget, environment: Mapping[str, str]) -> dict[str, str]:
    """The environment for a program that finds the vendors' hosts by itself. Writes files. Raises OSError."""
    direct = {name: value for name, value in environment.items() if name not in WAY_VARIABLES}
    trusted = {**direct, **trust_variables(target, direct)}
    files = client_files(target.folder, target.bundle, direct, None)
    return {**trusted, **java_variables(trusted, DIRECT), **files}


def _after(before: str | None, *words: str) -> str:
    """Options behind those that are there; the last counts."""
    return " ".join(filter(None, [before, *words]))


def _node_word(path: str) -> str:
    """A path as NODE_OPTIONS has it."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"' if " " in path else path


def _joined(target: ClientTarget, name: str, before: str | None) -> Path:
    """A file with the server's CA, and the certificates that a variable has named so far."""
    from mockserver.server.trust_files import certificates_in  # noqa: PLC0415 -- few tests need a part of the server

    named = certificates_in(Path(before)) if before else []
    if not named:
        return target.ca
    both = target.folder / f"{name.lower()}.pem"
    both.write_text("\n".join([target.ca.read_text("ascii").rstrip("\n"), *named, ""]), "utf-8")
    return both

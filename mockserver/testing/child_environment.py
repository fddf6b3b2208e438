"""The environment in which other programs, in any language, reach the vendors' hosts on a server and trust it there."""

import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HOOKS = Path(__file__).parent / "hooks"
LOCAL = "localhost,127.0.0.1,::1"
LOCAL_HOSTS = ("", "localhost", "0.0.0.0", "::", "::1")  # noqa: S104 -- compared, not listened on
REACH = "MOCKSERVER_REACH"
JAVA_PASSWORD = "changeit"  # noqa: S105 -- Java's own default; such a store holds nothing secret

PROXIES = ("HTTP_PROXY", "http_proxy", "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "all_proxy")
"""In both cases: curl reads only ``http_proxy`` for http, Ruby's Net::HTTP only that for https too."""

TOOL_PROXIES = ("GLOBAL_AGENT_HTTP_PROXY", "npm_config_proxy", "npm_config_https_proxy")
EXCEPTIONS = ("NO_PROXY", "no_proxy")
"""Without them, Node's own proxy support sends a client's requests to the proxy through the proxy."""

WAY_VARIABLES = (*PROXIES, *TOOL_PROXIES, *EXCEPTIONS, "NODE_USE_ENV_PROXY", REACH)
"""What leads a client elsewhere than to the host that it means."""

REPLACING = (
    "SSL_CERT_FILE",  # OpenSSL, and so Python's ssl, httpx, Go, Ruby; rustls
    "REQUESTS_CA_BUNDLE",
    "CURL_CA_BUNDLE",
    "HTTPLIB2_CA_CERTS",
    "GIT_SSL_CAINFO",
    "AWS_CA_BUNDLE",
    "CARGO_HTTP_CAINFO",
    "PERL_LWP_SSL_CA_FILE",
)
"""Each names all that its clients trust: so the file has the system's certificates, too."""

ADDING = ("NODE_EXTRA_CA_CERTS", "DENO_CERT")
"""Each names what its clients trust beside their own."""


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
    variables = dict.fromkeys(REPLACING, str(target.bundle))
    variables |= {name: str(_joined(target, name, environment.get(name))) for name in ADDING}
    variables["WGETRC"] = str(_wget_file(target, environment))
    settings = target.folder / "php" / "mockserver.ini"
    settings.parent.mkdir(exist_ok=True)
    settings.write_text(f'curl.cainfo="{target.bundle}"\nopenssl.cafile="{target.bundle}"\n', "utf-8")
    before = environment.get("PHP_INI_SCAN_DIR", "")  # an empty entry is the one that PHP was built with
    variables["PHP_INI_SCAN_DIR"] = f"{before}{os.pathsep}{settings.parent}"
    if target.java_store.exists():
        options = {"": target.java_store, "Type": "PKCS12", "Password": JAVA_PASSWORD}
        words = [f"-Djavax.net.ssl.trustStore{name}={value}" for name, value in options.items()]
        variables["JAVA_TOOL_OPTIONS"] = _after(environment.get("JAVA_TOOL_OPTIONS"), *words)
    return variables


def proxy_variables(target: ClientTarget, environment: Mapping[str, str]) -> dict[str, str]:
    """What makes clients ask the server for every host but this machine; ``environment`` has the trust already."""
    proxy = f"http://{target.host}:{target.port}"
    java = [f"-D{scheme}.proxyHost={target.host} -D{scheme}.proxyPort={target.port}" for scheme in ("http", "https")]
    return {
        **dict.fromkeys((*PROXIES, *TOOL_PROXIES), proxy),
        **dict.fromkeys(EXCEPTIONS, LOCAL),
        "NODE_USE_ENV_PROXY": "1",  # as an option of Node it would end versions that do not know it
        "JAVA_TOOL_OPTIONS": _after(
            environment.get("JAVA_TOOL_OPTIONS"), *java, "-Dhttp.nonProxyHosts=localhost|127.*|[::1]"
        ),
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
    trusting = trust_variables(target, environment)
    proxied = proxy_variables(target, {**environment, **trusting})
    return {**trusting, **proxied, **hook_variables(target, environment)}


def _after(before: str | None, *words: str) -> str:
    """Options behind those that are there; the last counts."""
    return " ".join(filter(None, [before, *words]))


def _node_word(path: str) -> str:
    """A path as NODE_OPTIONS has it."""
    return '"' + path.replace("\\", "\\\\").replace('"', '\\"') + '"' if " " in path else path


def _joined(target: ClientTarget, name: str, before: str | None) -> Path:
    """A file with the certificates that a variable has named so far, and the server's CA."""
    if not before or not Path(before).is_file():
        return target.ca
    both = target.folder / f"{name.lower()}.pem"
    both.write_bytes(Path(before).read_bytes() + b"\n" + target.ca.read_bytes())
    return both


def _wget_file(target: ClientTarget, environment: Mapping[str, str]) -> Path:
    """Settings for wget, behind those that it would have read."""
    file = target.folder / "wgetrc"
    home = environment.get("HOME")
    before = Path(environment.get("WGETRC") or (f"{home}/.wgetrc" if home else "."))
    text = before.read_text("utf-8", "surrogateescape") if before.is_file() else ""
    file.write_text(f"{text}\nca_certificate = {target.bundle}\n", "utf-8", "surrogateescape")
    return file

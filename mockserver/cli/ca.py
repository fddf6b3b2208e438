"""``mockserver ca``: the files by which clients come to trust the server, and what to set in each language."""

import os
import shlex
from pathlib import Path
from urllib.parse import urlsplit

import click

from mockserver.cli.common import CommandError, contract_options, ending_with_findings, server_url
from mockserver.server.build import contracts_of
from mockserver.server.certificates import Certificates, vendor_hosts
from mockserver.server.settings import Settings
from mockserver.server.system_time import system_time
from mockserver.server.trust_files import BUNDLE, CA, JAVA_STORE, write_trust_files
from mockserver.testing.java_options import joined, proxied, trusting

HINTS = """\
# All clients: the server is their proxy, but for local addresses. (Ruby reads http_proxy alone, curl no HTTP_PROXY.)
export HTTP_PROXY={proxy} HTTPS_PROXY={proxy} http_proxy={proxy} https_proxy={proxy}
export NO_PROXY=localhost,127.0.0.1,::1 no_proxy=localhost,127.0.0.1,::1

# Python, requests
export REQUESTS_CA_BUNDLE={bundle}

# Python, httpx, urllib and others; aiohttp too, with ClientSession(trust_env=True)
export SSL_CERT_FILE={bundle}

# Node 22.21 or newer; an older one wants the proxy in the client's own options
export NODE_USE_ENV_PROXY=1 NODE_EXTRA_CA_CERTS={ca}

# Java: these are the only certificates that it trusts then
export JAVA_TOOL_OPTIONS={java_options}

# curl
export CURL_CA_BUNDLE={bundle}

# wget, in its own file
printf '%s\\n' use_proxy=on http_proxy={proxy} https_proxy={proxy} ca_certificate={bundle} > {wgetrc}
export WGETRC={wgetrc}

# Go
export SSL_CERT_FILE={bundle}

# PHP: curl and Guzzle; streams want the proxy in their context
php -d curl.cainfo={bundle} -d openssl.cafile={bundle} your-program.php

# Ruby
export SSL_CERT_FILE={bundle}

# .NET on Linux. It asks the system's own store on Windows (certutil -user -addstore Root {ca})
# and on macOS (security add-trusted-cert -p ssl {ca}); neither was tried
export SSL_CERT_FILE={bundle}

# Docker: a client in a container, the server on this machine (serve --host 0.0.0.0)
docker run --add-host host.docker.internal:host-gateway -v {folder}:/tls:ro \\
  -e HTTPS_PROXY={inside} -e https_proxy={inside} -e SSL_CERT_FILE=/tls/{bundle_name} \\
  -e REQUESTS_CA_BUNDLE=/tls/{bundle_name} -e NODE_USE_ENV_PROXY=1 -e NODE_EXTRA_CA_CERTS=/tls/{ca_name} your-image

# Docker Compose: no proxy, the vendors' names lead to the server
mockserver hosts --compose
"""


@click.command()
@click.argument("folder", required=False, metavar="[DIR]", type=click.Path(path_type=Path))
@click.option("--hint", is_flag=True, help="Print what to set in each language.")
@click.option("--url", metavar="BASE", help="Where the server is. [MOCKSERVER_PUBLIC_URL, or http://127.0.0.1:8080]")
@contract_options
@ending_with_findings
def ca(folder: Path | None, url: str | None, settings: Settings, *, hint: bool) -> None:
    """Write the CA of this user's servers to DIR, in the forms that clients read.

    Without DIR they stay beside what servers keep for themselves.
    """
    said: list[str] = []
    certificates = Certificates(vendor_hosts(contracts_of(settings)), system_time, said.append)
    identity = certificates.identity()
    if said:
        raise CommandError(f"{said[0]}; XDG_STATE_HOME names another folder, serve --tls-files writes them itself")
    written = write_trust_files((folder or certificates.file.with_suffix("")).absolute(), identity)
    if not any(path.name == JAVA_STORE for path in written):
        click.echo(f"mockserver: without {JAVA_STORE}, which takes cryptography 45 or newer", err=True)
    if hint:
        click.echo(hints(written[0].parent, server_url(url, settings)), nl=False)
        return
    for path in written:
        click.echo(path)


def hints(folder: Path, proxy: str) -> str:
    """Lines for a shell, with what they are for; ``folder`` has the files, ``proxy`` is the server's address."""
    quoted = shlex.quote
    host, port = urlsplit(proxy).hostname or "", urlsplit(proxy).port or 80
    return HINTS.format(
        proxy=quoted(proxy),
        bundle=quoted(str(folder / BUNDLE)),
        ca=quoted(str(folder / (BUNDLE if os.environ.get("NODE_EXTRA_CA_CERTS") else CA))),  # it replaces what is named
        wgetrc=quoted(str(folder / "wgetrc")),
        folder=quoted(str(folder)),
        java_options=quoted(joined([*proxied(host, port), *trusting(folder / JAVA_STORE)])),
        inside=f"http://host.docker.internal:{port}",
        bundle_name=BUNDLE,
        ca_name=CA,
    )

"""``mockserver hosts``: names that lead clients to the server instead of the vendors."""

from collections.abc import Iterable
from ipaddress import ip_address

import click

from mockserver.cli.common import CommandError, contract_options, ending_with_findings
from mockserver.server.build import contracts_of
from mockserver.server.certificates import vendor_hosts
from mockserver.server.settings import Settings
from mockserver.server.trust_files import BUNDLE, CA

COMPOSE = """\
# The app's requests to the vendors' hosts reach the mock, over TLS and unchanged, and nothing else leaves the network.
services:
  vendors:
    image: mockserver
    environment:
      MOCKSERVER_SERVE_PORT: "443"
      MOCKSERVER_TLS_FILES: /tls
      MOCKSERVER_ADMIN_TOKEN: local-only-token
    sysctls: {net.ipv4.ip_unprivileged_port_start: "0"}
    volumes: ["tls:/tls"]
    networks:
      default:
        aliases:
%(aliases)s
  app:
    image: your-app
    environment:
      SSL_CERT_FILE: /tls/%(bundle)s
      REQUESTS_CA_BUNDLE: /tls/%(bundle)s
      CURL_CA_BUNDLE: /tls/%(bundle)s
      NODE_EXTRA_CA_CERTS: /tls/%(ca)s
    volumes: ["tls:/tls:ro"]
    depends_on:
      vendors: {condition: service_healthy}
networks:
  default: {internal: true}
volumes:
  tls: {}
"""


@click.command()
@click.option("--address", default="127.0.0.1", show_default=True, help="Where the names lead.")
@click.option("--compose", is_flag=True, help="Print a file for Docker Compose instead.")
@contract_options
@ending_with_findings
def hosts(address: str, settings: Settings, *, compose: bool) -> None:
    """Print lines for /etc/hosts, by which the vendors' names lead to this machine.

    The server has to listen on the vendors' port then: serve --port 443.
    """
    try:
        ip_address(address)
    except ValueError as error:
        raise CommandError(f"--address is an IP address, as /etc/hosts has them, not {address!r}") from error
    names = vendor_hosts(contracts_of(settings))
    if compose:
        click.echo(compose_file(names), nl=False)
        return
    for name in names:
        click.echo(f"{address} {name}")


def compose_file(names: Iterable[str]) -> str:
    """The server under all these names, and an app beside it."""
    aliases = "\n".join(f"          - {name}" for name in names)
    return COMPOSE % {"aliases": aliases, "bundle": BUNDLE, "ca": CA}

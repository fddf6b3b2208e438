"""The image's health check asks the port that the server listens on."""

import pytest

from mockserver.cli.healthcheck import served_port


@pytest.mark.parametrize(
    ("command", "environment", "port"),
    [
        ("mockserver serve", {}, "8080"),
        ("mockserver serve", {"MOCKSERVER_SERVE_PORT": "9000"}, "9000"),
        ("mockserver serve --port 9001 --log off", {"MOCKSERVER_SERVE_PORT": "9000"}, "9001"),
        ("/sbin/docker-init -- mockserver serve --port=9002", {}, "9002"),
        ("mockserver serve --port 1 --port 2", {}, "2"),
    ],
)
def test_port(command: str, environment: dict[str, str], port: str) -> None:
    """The last option, else the variable, else the default, as `serve` has it."""
    assert served_port(command.split(), environment) == port

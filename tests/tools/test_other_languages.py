"""What the README shows in other languages than Python."""

import os
import subprocess

from tests.evidence import ROOT
from tests.live import Live


def test_node(server: Live) -> None:
    """Node's fetch makes an account, calls a vendor and verifies the call."""
    command = ["node", str(ROOT / "tests/examples/example.mjs")]
    environment = {**os.environ, "MOCK_URL": server.url}
    done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    assert done.stdout == "sent once\n"

"""What the guide says of calls to a real vendor, as it is written there."""

from pathlib import Path

import pytest
import requests

from tests.cli.running import invoke, serving
from tests.live import PATIENCE
from tests.server.drift.upstream import GUIDES_HOST, commands_of, instances, write_real_yaml


def test_the_guides_server(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A client's call reaches the vendor and comes back, and what was recorded is read."""
    serve, read = commands_of("real")
    monkeypatch.chdir(tmp_path)
    with instances(tmp_path) as pair:
        write_real_yaml(pair, tmp_path)
        (tmp_path / "real-calls.jsonl").unlink()  # the other instance's
        upstream = f"http://127.0.0.1:{pair.port}"
        with serving(*[word.replace(GUIDES_HOST, upstream) for word in serve[1:]], "--port", "0") as server:
            polyai = pair.customer.vendors["polyai"]
            headers = {"X-PolyAi-Auth-Token": polyai["api_key"], "X-TOKEN-ID": polyai["connectors"][0]["id"]}
            body = {"user_number": "+12025550123"}
            answer = requests.post(f"{server.url}/v1/outbound-sms", json=body, headers=headers, timeout=PATIENCE)
            assert (answer.status_code, answer.headers["x-mock-real"]) == (202, upstream)
        assert f"1 call to {upstream}: 0 departures" in invoke(*read).stdout

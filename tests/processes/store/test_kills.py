"""No moment of a ``kill -9`` loses a call that was answered."""

import http.client
import json
import signal
import subprocess
import sys
import threading
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from tests.cli.running import COMMAND, lines_until_ready, run, serving, surroundings
from tests.evidence import ROOT
from tests.live import PATIENCE

KILLS = 50
SERVERS_KILLED = 3
CLIENTS = 4
BODY = json.dumps({"from": "not ours", "to": "+12025550199", "text": "Hi"})


def test_fifty_kills(tmp_path: Path) -> None:
    """Each call that was answered is in the file with its answer and a number of its own; what it used up is used."""
    command = [sys.executable, "-m", "tests.processes.store.kills", str(tmp_path / "calls.db"), str(KILLS)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, timeout=PATIENCE, check=True)
    found = json.loads(done.stdout)
    assert found.pop("answered") > KILLS
    assert found.pop("kills_at_work") >= KILLS // 2
    assert found == {"kills": KILLS, "missing": 0, "numbers_twice": 0, "uses_off": 0, "integrity": "ok"}


def test_a_killed_server(tmp_path: Path) -> None:
    """Over HTTP: what a client has seen answered is listed by the next server on the file."""
    answered: set[str] = set()
    for _ in range(SERVERS_KILLED):
        process = subprocess.Popen(
            [*COMMAND, "serve", "--port", "0", "--log", "off", "--store", str(tmp_path / "calls.db")],
            env=surroundings(),
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            url = lines_until_ready(process)[0].rpartition(" ")[2]
            clients = [threading.Thread(target=call_until_killed, args=(url, answered)) for _ in range(CLIENTS)]
            for client in clients:
                client.start()
            until = len(answered) + 200
            while len(answered) < until and any(client.is_alive() for client in clients):
                clients[0].join(0.01)
        finally:
            process.send_signal(signal.SIGKILL)
            process.communicate(timeout=PATIENCE)
        for client in clients:
            client.join(PATIENCE)
    with serving("--port", "0", "--store", tmp_path / "calls.db") as server:
        listed = set(all_ids(server.url))
    assert len(answered) >= SERVERS_KILLED * 200
    assert answered <= listed


def call_until_killed(url: str, answered: set[str]) -> None:
    """Call a path that no contract has, and note the id of each call that was answered."""
    connection = http.client.HTTPConnection(urlsplit(url).netloc, timeout=PATIENCE)
    try:
        while True:
            connection.request("POST", "/nowhere", BODY)
            response = connection.getresponse()
            response.read()
            answered.add(response.headers["x-mock-call"])
    except (OSError, http.client.HTTPException):
        connection.close()


def all_ids(url: str) -> list[str]:
    """The ids of all calls of a server, page by page."""
    ids, cursor = [], ""
    while True:
        page: dict[str, Any] = got(f"{url}/_mock/calls?limit=1000{cursor}")
        ids += [call["id"] for call in page["calls"]]
        if page["next"] is None:
            return ids
        cursor = f"&cursor={page['next']}"


def got(url: str) -> Any:
    parts = urlsplit(url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=PATIENCE)
    connection.request("GET", f"{parts.path}?{parts.query}")
    answer = json.loads(connection.getresponse().read())
    connection.close()
    return answer


def test_a_file_that_cannot_be_used(tmp_path: Path) -> None:
    """One line, and exit code 2: a file of another kind, and one that another server has."""
    other = tmp_path / "notes.txt"
    other.write_text("notes " * 100)
    refused = run("serve", "--port", "0", "--store", other)
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr == f"mockserver: store: {other} is no SQLite database; choose another file\n"
    with serving("--port", "0", "--store", tmp_path / "calls.db"):
        refused = run("serve", "--port", "0", MOCKSERVER_STORE=str(tmp_path / "calls.db"))
    assert (refused.returncode, refused.stdout) == (2, "")
    assert refused.stderr.endswith("calls.db is in use by another process; one file is one server's\n")
    assert refused.stderr.count("\n") == 1

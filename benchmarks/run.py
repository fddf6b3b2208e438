"""Requests per second and latency of mockserver, checking and recording on, beside bare uvicorn and Starlette."""

import argparse
import json
import os
import re
import shutil
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.request import urlopen

HERE = Path(__file__).parent
SERVER_CORE, LOAD_CORE = "0", "1"
SCENARIOS = ("polyai", "voximplant", "opentact", "mixed")


@contextmanager
def server(command: list[str], port: int, path: str) -> Iterator[str]:
    """A pinned server process; yields its address once it answers."""
    process = subprocess.Popen(
        ["taskset", "-c", SERVER_CORE, *command], stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT
    )
    try:
        address = f"http://127.0.0.1:{port}"
        for _ in range(400):
            try:
                urlopen(address + path, timeout=1).close()
                break
            except URLError as error:
                if not isinstance(error.reason, OSError) or "refused" not in str(error.reason):
                    break
                time.sleep(0.05)
        yield address
    finally:
        process.terminate()
        process.wait(20)


def free_port() -> int:
    with socket.socket() as found:
        found.bind(("127.0.0.1", 0))
        return int(found.getsockname()[1])


def wrk(address: str, script: Path, seconds: float) -> dict[str, float]:
    """One run of wrk with 16 connections."""
    command = [
        "taskset",
        "-c",
        LOAD_CORE,
        "wrk",
        "-t1",
        "-c16",
        f"-d{seconds:g}s",
        "--latency",
        "-s",
        str(script),
        address,
    ]
    text = subprocess.run(command, capture_output=True, text=True, check=True).stdout
    if "Non-2xx" in text:
        raise SystemExit(f"answers other than success from {address} with {script.name}:\n{text}")
    rate = float(re.search(r"Requests/sec:\s+([\d.]+)", text)[1])
    number, unit = re.search(r"99%\s+([\d.]+)(us|ms|s)", text).groups()
    return {"rate": rate, "p99_ms": float(number) * {"us": 0.001, "ms": 1, "s": 1000}[unit]}


def scripts(folder: Path) -> dict[str, Path]:
    """A Lua script for each scenario, of the calls that ``mockserver curl`` would make."""
    from mockserver.cli.common import known_accounts
    from mockserver.exchange.sample import sample
    from mockserver.server.settings import Settings

    contracts, accounts = known_accounts(Settings())
    requests = {}
    for contract in contracts:
        operation = next(o for o in contract.operations if o.spelling == "send_sms")
        requests[contract.vendor] = sample(
            contract, operation, accounts["default"].vendors[contract.vendor], time.time()
        )
    written = {}
    for name in SCENARIOS:
        chosen = list(requests.values()) if name == "mixed" else [requests[name]]
        calls = [
            f"wrk.format({lua(one.method)}, {lua(one.path)}, {{{headers(one.headers)}}}, {lua(one.body)})"
            for one in chosen
        ]
        script = folder / f"{name}.lua"
        script.write_text(
            f"function init(args) requests = {{{', '.join(calls)}}}; turn = 0 end\n"
            "function request() turn = turn % #requests + 1; return requests[turn] end\n"
        )
        written[name] = script
    return written


def lua(text: str) -> str:
    """A text as Lua writes it; JSON's form is Lua's too, its Unicode escapes aside."""
    return json.dumps(text, ensure_ascii=False)


def headers(pairs: dict[str, str]) -> str:
    """Headers as members of a Lua table."""
    return ", ".join(f"[{lua(name)}] = {lua(value)}" for name, value in pairs.items())


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=4, help="of each run")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", type=Path, help="write all figures there")
    options = parser.parse_args()
    for tool in ("wrk", "taskset"):
        if shutil.which(tool) is None:
            raise SystemExit(f"{tool} is missing: apt-get install wrk util-linux")
    uvicorn = [sys.executable, "-m", "uvicorn", "--app-dir", str(HERE), "--log-level", "warning", "--no-access-log"]
    uvicorn += ["--no-server-header", "--ws", "none"]
    figures: dict[str, list[dict[str, float]]] = {}
    with tempfile.TemporaryDirectory() as folder, ExitStack() as stack:
        scenario = scripts(Path(folder))
        bare_port, starlette_port, our_port = free_port(), free_port(), free_port()
        bare = stack.enter_context(server([*uvicorn, "peers:bare", "--port", str(bare_port)], bare_port, "/"))
        one_route = stack.enter_context(
            server([*uvicorn, "peers:starlette", "--port", str(starlette_port)], starlette_port, "/")
        )
        ours = stack.enter_context(
            server([sys.executable, "-m", "mockserver", "serve", "--port", str(our_port)], our_port, "/_mock/health")
        )
        for _ in range(options.rounds):
            for name, script in scenario.items():
                figures.setdefault(f"bare {name}", []).append(wrk(bare, script, options.seconds))
                if name == "polyai":
                    figures.setdefault("starlette polyai", []).append(wrk(one_route, script, options.seconds))
                figures.setdefault(f"mockserver {name}", []).append(wrk(ours, script, options.seconds))
    print(table(figures))
    if options.json:
        options.json.write_text(
            json.dumps({"python": sys.version, "cores": os.cpu_count(), "figures": figures}, indent=2)
        )


def table(figures: dict[str, list[dict[str, float]]]) -> str:
    """Medians, and each ratio to the bare application with the same load."""
    rows = ["| target | requests/s | of bare | p99 ms |", "| --- | --- | --- | --- |"]
    for name, runs in figures.items():
        rate = statistics.median(run["rate"] for run in runs)
        base = statistics.median(run["rate"] for run in figures[f"bare {name.split()[1]}"])
        p99 = statistics.median(run["p99_ms"] for run in runs)
        rows.append(f"| {name} | {rate:,.0f} | {rate / base:.2f} | {p99:.2f} |")
    return "\n".join(rows)


if __name__ == "__main__":
    main()

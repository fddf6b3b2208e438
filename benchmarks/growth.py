"""How cost grows: with the operations of a contract, the accounts, and the calls that were recorded."""

import json
import tempfile
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.figures import Asked, Grown, Growth, Run, typical
from benchmarks.load import load
from benchmarks.scenarios import COMPARED, Sample, invalid_sends, send, sends
from benchmarks.servers import Server, ServerError, our_program, running
from benchmarks.stubs import contract_document
from mockserver.server.settings import Settings

OPERATIONS = (1, 50, 200)
ACCOUNTS = (1, 100, 10_000)
RECORDED = (0, 10_000, 100_000, 1_000_000)
SECONDS, RUNS = 2, 3
CALLS = 10_000  # of one run where calls are counted
UNBOUNDED = {"MOCKSERVER_MAX_JOURNAL_CALLS": str(10**7), "MOCKSERVER_MAX_JOURNAL_BYTES": str(10**11)}
LONGEST = 600  # seconds that recording calls may take


def growth() -> Growth:
    """All growths, each from the smallest size on. Raises ServerError, LoadError."""
    return {
        "operations": [_operations(size) for size in OPERATIONS],
        "accounts": [_accounts(size) for size in ACCOUNTS],
        "recorded": [_recorded(size) for size in RECORDED],
    }


def _operations(size: int) -> Grown:
    """One contract of so many operations, all of them called in turn."""
    with tempfile.TemporaryDirectory() as folder:
        paths = write_contract(Path(folder), size)
        settings = Settings(builtin=False, contracts=(Path(folder),))
        (first,) = sends(settings).values()
        program = our_program({"MOCKSERVER_CONTRACTS": folder, "MOCKSERVER_BUILTIN": "false"})
        with running(program, first) as server:
            requests = [replace(first, path=path) for path in paths]
            return _measured(server, size, server.startup, lambda: load(server, requests, SECONDS))


def write_contract(folder: Path, size: int) -> list[str]:
    """Write a contract of the measured operation under so many paths; returns them."""
    document = contract_document()
    path, method, operation = next(
        (path, method, operation)
        for path, item in document["paths"].items()
        for method, operation in item.items()
        if isinstance(operation, dict) and operation.get("operationId") == "send_sms"
    )
    del document["paths"][path]  # the other operations stay: the answers that they share are read by nobody else
    grown = {
        f"{path}-{number}": {method: operation | {"operationId": f"send_sms_{number}" if number else "send_sms"}}
        for number in range(size)
    }
    document["paths"] |= grown
    (folder / "many.yaml").write_text(json.dumps(document), "utf-8")
    return list(grown)


def _accounts(size: int) -> Grown:
    """So many accounts made over the control API, all of them calling in turn."""
    good = send()
    with running(our_program(), good) as server:
        begun = time.perf_counter()
        requests = [_of_account(good, server.ask("POST", "/_mock/accounts", {})) for _ in range(size)]
        took = time.perf_counter() - begun
        return _measured(server, size, took, lambda: load(server, requests, SECONDS))


def _of_account(good: Sample, account: dict[str, Any]) -> Sample:
    vendor = account["vendors"][COMPARED]
    own = {
        "x-polyai-auth-token": vendor["credentials"]["api_key"],
        "x-token-id": vendor["owned"]["connectors"][0]["id"],
    }
    return replace(good, headers=good.headers | own)


def _recorded(size: int) -> Grown:
    """A journal of so many calls that forgets nothing; it is asked questions before the load."""
    good = send()
    with running(our_program(UNBOUNDED), good) as server:
        for alone_of_its_kind in (invalid_sends()["wrong key"], sends(account="second")["opentact"]):
            server.status(alone_of_its_kind)
        took = load(server, [good], LONGEST, size)["seconds"] if size else 0.0
        asked = {what: _asked(server, question) for what, question in _questions(server).items()} if size else {}
        return _measured(server, size, took, lambda: load(server, [good], LONGEST, CALLS)) | {"asked": asked}


def _measured(server: Server, size: int, seconds: float, run: Callable[[], Run]) -> Grown:
    before = server.memory()
    found = typical([run() for _ in range(RUNS)])
    return {
        "size": size,
        "seconds": seconds,
        "asked": {},
        "memory_before": before,
        "run": found,
        "memory_after": server.memory(),
    }


def _questions(server: Server) -> dict[str, Callable[[], None]]:
    """First pages, the sought call being the oldest; and a verification with a pattern that every call fits."""
    pattern = {"body": {"user_number": json.loads(send().body)["user_number"]}}
    verification = {"account": "default", "operation": f"{COMPARED}.send_sms", "where": pattern}

    def page(query: str) -> Callable[[], None]:
        return lambda: _require(server.ask("GET", f"/_mock/calls?{query}")["calls"], query)

    def verify() -> None:
        _require(server.ask("POST", "/_mock/calls/verify", verification)["verified"], "verification")

    return {
        "newest page": page(""),
        "page by account": page("account=second"),
        "page by vendor": page("vendor=opentact"),
        "page by operation": page("operation=opentact.send_sms"),
        "page by answer": page("answer=unauthorized"),
        "verify a body pattern": verify,
    }


def _require(found: object, what: str) -> None:
    """A question that finds nothing measures nothing."""
    if not found:
        raise ServerError(f"the journal has lost the call that {what} asks for")


def _asked(server: Server, question: Callable[[], None]) -> Asked:
    """Ask twice: alone for the time, and watched by another client for its longest wait."""
    begun = time.perf_counter()
    question()
    took = time.perf_counter() - begun
    waits: list[float] = []
    ended = threading.Event()

    def watch() -> None:
        while not ended.is_set():
            asked = time.perf_counter()
            server.ask("GET", "/_mock/health")
            waits.append(time.perf_counter() - asked)

    watcher = threading.Thread(target=watch)
    watcher.start()
    try:
        time.sleep(0.05)  # so that the watcher waits already
        waits.clear()
        question()
    finally:
        ended.set()
        watcher.join()
    return {"answer_ms": took * 1000, "stall_ms": max(waits) * 1000}

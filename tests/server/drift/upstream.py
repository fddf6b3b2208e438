"""Two instances: one passes calls on to the other, which plays the real vendors, perhaps by altered contracts."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from mockserver.engine.account import AccountData
from mockserver.engine.fixture_case import FixtureError, Replay, Sent
from mockserver.engine.recipient import is_magic, recipient_of
from mockserver.server.application import Application, create_app
from mockserver.server.drift.forwarding import forward_real
from mockserver.server.drift.recording import RealCall, RecordingFile, read_recording
from mockserver.server.drift.upstream import Origin, Upstream
from mockserver.server.settings import Settings
from mockserver.server.wire.asgi import receive_body
from mockserver.spec.load import contract_files, load_contracts
from mockserver.store.accounts import Registry
from tests.evidence import ROOT, Reply, case_files, load_case
from tests.guides import blocks
from tests.live import served
from tests.server.programs import sender

VENDORS = ("avaamo", "koreai", "opentact", "polyai", "voximplant")
DEPOT = "depot"  # a vendor of these tests' own, whose contract has all kinds of values
HERE = Path(__file__).parent
DEPOT_CONTRACT = HERE / "contracts" / "depot.yaml"
OURS = Settings(contracts=(HERE / "contracts",), fixtures=(HERE / "fixtures",))
REAL_SEED = 41


@dataclass
class Stage:
    """Whatever application is on it answers; it may change between requests."""

    app: Any = None
    seen: list[Any] = field(default_factory=list)

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        if scope["type"] == "lifespan":
            await receive()
            await send({"type": "lifespan.startup.complete"})
            await receive()
            await send({"type": "lifespan.shutdown.complete"})
            return
        self.seen.append(scope)
        scope["extensions"] = {}
        await self.app(scope, receive, send)


class Vendor:
    """Answers every request alike, and keeps what came."""

    def __init__(self, status: int, headers: list[tuple[bytes, bytes]], body: bytes) -> None:
        self.answer = (status, headers, body)
        self.scope: Any = None
        self.body = b""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        self.scope = scope
        self.body, _, _ = await receive_body(receive, 10**6)
        status, headers, body = self.answer
        await send({"type": "http.response.start", "status": status, "headers": headers})
        await send({"type": "http.response.body", "body": body})


@dataclass
class Pair:
    """The instance that passes calls on, and the one that plays the vendors."""

    front: Application
    url: str
    port: int
    stage: Stage
    customer: AccountData
    accounts: Path
    recording: Path

    def send(self, sent: Sent) -> Reply:
        return sender(self.url)(sent)

    def parcel(self, body: Any, **headers: str) -> Sent:
        """A call to the vendor of these tests."""
        key = self.customer.vendors[DEPOT]["api_key"]
        sent = {
            "Content-Type": "application/json",
            "X-Key": key,
            **{n.replace("_", "-"): v for n, v in headers.items()},
        }
        return Sent(
            "POST", "/parcels", [(name, value) for name, value in sent.items() if value], json.dumps(body).encode()
        )

    def request(self, vendor: str, case: str) -> Sent:
        """The request of a fixture, from the real customer."""
        return self.replay(vendor).request(load_case(ROOT / "fixtures" / vendor / f"{case}.yaml"))

    def replay(self, vendor: str) -> Replay:
        contract = next(contract for contract in self.front.contracts if contract.vendor == vendor)
        return Replay(contract, {"default": self.customer}, self.front.state.mock.sources.now)

    def real_calls(self) -> list[RealCall]:
        """What was recorded since this was asked last."""
        calls = list(read_recording(self.recording))
        self.recording.write_text("", "utf-8")
        return calls


def real_customer(folder: Path) -> tuple[AccountData, Path]:
    """A customer whose values the user gives in a file, and that file."""
    contracts = load_contracts(contract_files([ROOT / "contracts", HERE / "contracts"]))
    customer = Registry(contracts).add("real", {}, seed=REAL_SEED)
    file = folder / "accounts.json"
    file.write_text(json.dumps({"id": "real", "vendors": customer.vendors}), "utf-8")
    return customer, file


@contextmanager
def instances(folder: Path) -> Iterator[Pair]:
    """Both, on sockets of their own; calls to all vendors are passed on."""
    customer, accounts = real_customer(folder)
    settings = replace(OURS, accounts=accounts)
    stage = Stage(create_app(settings))
    front = create_app(settings)
    recording = folder / "real-calls.jsonl"
    with served(stage) as port:
        upstream = Upstream(Origin("http", "127.0.0.1", port))
        forward_real(front, dict.fromkeys((*VENDORS, DEPOT), upstream), RecordingFile(recording))
        with served(front) as front_port:
            yield Pair(front, f"http://127.0.0.1:{front_port}", port, stage, customer, accounts, recording)


def altered(changes: dict[str, str], accounts: Path, folder: Path) -> Application:
    """An instance whose contract of the depot differs in these texts."""
    text = DEPOT_CONTRACT.read_text("utf-8")
    for old, new in changes.items():
        assert old in text, old
        text = text.replace(old, new)
    contracts = folder / "contracts"
    contracts.mkdir()
    (contracts / DEPOT_CONTRACT.name).write_text(text, "utf-8")
    own = json.loads(accounts.read_text("utf-8"))
    own["vendors"] = {DEPOT: own["vendors"][DEPOT]}
    mine = folder / "accounts.json"
    mine.write_text(json.dumps(own), "utf-8")
    return create_app(replace(OURS, builtin=False, contracts=(contracts,), accounts=mine))


def real_cases(pair: Pair, vendor: str) -> Iterator[tuple[str, Sent]]:
    """The fixtures of a vendor that mean something to a real one: no preference, no magic number, one customer."""
    operations = {o.id: o for c in pair.front.contracts for o in c.operations}
    for file in case_files():
        case = load_case(file)
        headers = case["request"].get("headers", {})
        if file.parts[-3] != vendor or "Prefer" in headers:
            continue
        if str(headers.get("Authorization")).startswith("Basic "):  # of the built-in customer, so it is not passed on
            continue
        operation = operations[case["answer"].partition("/")[0]]
        try:
            sent = pair.replay(vendor).request(case)
        except FixtureError:
            continue
        if "500555" not in str(case["request"]) and not is_magic(recipient_of(operation.recipient, {})):
            yield file.stem, sent


GUIDE = ROOT / "mockserver" / "cli" / "README.md"
GUIDES_HOST = "https://api.us-1.platform.polyai.app"


def commands_of(mark: str) -> list[list[str]]:
    """The commands of the guide's block with this mark."""
    (text,) = [text for name, _, text in blocks(GUIDE.read_text("utf-8")) if name == mark]
    return [line.split(" ")[1:] for line in text.splitlines()]


def write_real_yaml(pair: Pair, folder: Path) -> None:
    """The real customer's values in the file that the guide's commands name, under the id of the guide."""
    vendors = {vendor: data for vendor, data in pair.customer.vendors.items() if vendor != DEPOT}
    (folder / "real.yaml").write_text(json.dumps({"id": "me", "vendors": vendors}), "utf-8")

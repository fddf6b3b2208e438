"""The whole server as one Starlette application."""

import asyncio
import json
import sys
from collections.abc import AsyncIterator, Container, Coroutine, Iterable, Mapping
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

from starlette.applications import Starlette
from starlette.types import Receive, Scope, Send

from mockserver.engine.call import Label, RecordedCall, pack_headers
from mockserver.engine.callback import CallbackMaker
from mockserver.engine.credentials import CredentialReader
from mockserver.engine.inbound import InboundReader
from mockserver.engine.message import MessageReader
from mockserver.engine.request import RequestParser
from mockserver.engine.response import Renderer
from mockserver.engine.sources import Sources
from mockserver.engine.values import ValueCompiler
from mockserver.server.build import certificates_of, contracts_of, store_of
from mockserver.server.certificates import Certificates, vendor_hosts
from mockserver.server.control.app import control_routes
from mockserver.server.control.requests import Changes, State, Watched
from mockserver.server.courier import Courier
from mockserver.server.endpoint import Exchanges
from mockserver.server.front_page import pages
from mockserver.server.live_registry import Given, LiveRegistry
from mockserver.server.log import CallLog, log_to
from mockserver.server.masking import Masker
from mockserver.server.routing import VendorRouter, vendor_routes
from mockserver.server.settings import Settings, SettingsError, from_environment
from mockserver.server.sockets import Unreachable
from mockserver.server.watch import FileWatch, ReadDraft
from mockserver.server.wire.incident import Incident
from mockserver.spec.load import NO_DRAFTS
from mockserver.spec.model import Contract
from mockserver.spec.source import Source
from mockserver.store.kinds import StoreUnavailableError
from mockserver.store.store import UNCLAIMED, Store

CALLBACK_GRACE = 1.0  # seconds that callbacks under way have when the server stops


class Application(Starlette):
    """A Starlette whose routes are the control API under ``/_mock`` and every documented path.

    ``state.mock`` holds all that the server works on; ``state.log`` writes to standard error while it serves, where the
    settings ask for a log. A vendor's path is answered without Starlette's own middleware, which has nothing to do
    there, unless middleware or exception handlers were added.
    """

    router: VendorRouter

    def __init__(self, mock: State) -> None:
        super().__init__()
        log = log_to(sys.stderr, mock)
        mock.courier.log = None if log is None else lambda call: log.add(call, None)
        mock.store.condition.tell = self.notice
        exchanges = Exchanges(mock, log)
        routes = [*control_routes(mock), *vendor_routes(mock.contracts, exchanges.answer)]
        self.router = VendorRouter(routes, exchanges.unknown_path, pages(lambda: self._mock), _lifespan)
        self.state.mock = mock
        self.state.log = log
        self.state.routes = routes
        self.state.watch = None
        self.state.loops = 0  # that serve it: the last to end closes the store

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        answering = self.direct(scope, receive, send) if scope["type"] == "http" else None
        await (super().__call__(scope, receive, send) if answering is None else answering)

    def direct(self, scope: Scope, receive: Receive, send: Send) -> Coroutine[Any, Any, None] | None:
        """What answers a vendor's request, and awaits bare futures only; None where the application is to be asked."""
        if self.user_middleware or self.exception_handlers:
            return None
        found = self.router.find(scope)  # 1 route
        if found is None:
            return None
        route, parameters = found
        return route.answer(route.endpoint, parameters, scope, receive, send)

    def swap(self, contracts: tuple[Contract, ...], given: Given, regiven: Container[str] = ()) -> None:
        """Serve other contracts from the next request on; ``given`` is what fixtures give the built-in accounts.

        ``regiven`` are vendors to whose accounts they give something else now.

        Requests under way end with the contracts that they began with. Accounts, calls and pins stay.
        Raises AccountError, changing nothing.
        """
        self.state.registry.adopt(contracts, given, regiven)
        mock = replace(self._mock, **_by_contracts(contracts, self._mock.sources))
        mock.courier.use(_callback_maker(contracts))
        log: CallLog | None = self.state.log
        if log is not None:
            log.use(mock)
        exchanges = Exchanges(mock, log)
        routes = [*control_routes(mock), *vendor_routes(contracts, exchanges.answer)]
        self.router.replace(self.state.routes, routes, exchanges.unknown_path)
        self.state.mock, self.state.routes = mock, routes

    def watch(self, drafts: Iterable[Path], read_draft: ReadDraft) -> None:
        """While it serves, take contracts and fixtures that change on disk. Raises ContractErrors."""
        mock = self._mock
        self.state.watch = FileWatch(mock.settings, mock.contracts, drafts, read_draft, mock.watched)

    @property
    def watched(self) -> Watched:
        """What is known of files that are watched."""
        return self._mock.watched

    def notice(self, text: str) -> None:
        """Log what is no call."""
        if self.state.log is not None:
            self.state.log.note(text)

    async def record(self, incident: Incident) -> None:
        """Keep what is no call, and that a user may look for: as a call that nobody claims.

        It is ``CONNECT`` with host and port, or ``TLS`` with the host; its note says what went wrong.
        """
        call = _call_of(incident, self._mock.sources.now())
        with suppress(StoreUnavailableError):  # nobody asked for this record, and the store says elsewhere why
            await self.store.commit(call)
        await self.store.complete(call, "aborted" if incident.refusal is None else "sent", 0.0)

    def begin_end(self) -> None:
        """Say that the server ends: whoever looks whether it is ready sends it no more calls."""
        self._mock.ending.set()

    def end_waits(self) -> None:
        """Have whoever waits for calls answer with what is known: the server ends."""
        self.store.end_waits()

    @property
    def settings(self) -> Settings:
        """How the server is set up."""
        return self._mock.settings

    @property
    def contracts(self) -> tuple[Contract, ...]:
        """The contracts that are served."""
        return self._mock.contracts

    @property
    def certificates(self) -> Certificates:
        """Those of the vendors' hosts."""
        return self._mock.certificates

    @property
    def store(self) -> Store:
        """Accounts, calls, pins, limits and clocks."""
        return self._mock.store

    @property
    def _mock(self) -> State:
        mock: State = self.state.mock
        return mock


def _call_of(incident: Incident, received_at: float) -> RecordedCall:
    """What happened on a connection before there was a request, as the journal has it."""
    head, _, body = (b"" if incident.refusal is None else incident.refusal.rest).partition(b"\r\n\r\n")
    return RecordedCall(
        account=UNCLAIMED,
        label=Label(status=incident.status, notes=json.dumps([incident.note])),
        recipient="",
        problems="",
        method=incident.method,
        path=incident.target,
        path_params="",
        query=b"",
        headers=pack_headers([(b"user-agent", incident.agent.encode("latin-1"))] if incident.agent else []),
        body=b"",
        response_headers=head,
        response_body=body,
        received_at=received_at,
    )


def create_app(
    settings: Settings | None = None, sources: Sources | None = None, drafts: Mapping[Path, Source] = NO_DRAFTS
) -> Application:
    """Build everything: contracts read, checked and compiled, accounts made.

    Without settings, as where uvicorn calls it, the environment's count, and a log is written unless that says
    otherwise, as `mockserver serve` does. ``drafts`` are unfinished contracts, served too.

    Raises ContractErrors and SettingsError.
    """
    settings = from_environment(log="text") if settings is None else settings
    return application_of(settings, contracts_of(settings, drafts), sources or Sources.real())


def application_of(settings: Settings, contracts: tuple[Contract, ...], sources: Sources) -> Application:
    """Build everything for contracts that are read already. Raises ContractErrors and SettingsError."""
    _check_let_through(settings, contracts)
    registry = LiveRegistry(contracts)
    store = store_of(settings, contracts, sources, registry)
    sources = store.sources
    app = Application(
        State(
            **_by_contracts(contracts, sources),
            settings=settings,
            store=store,
            sources=sources,
            unreachable=Unreachable(),
            certificates=certificates_of(settings, contracts),
            courier=Courier(store, _callback_maker(contracts), sources, settings.callback_hosts),
            changes=Changes(),
            watched=Watched(),
        )
    )
    app.state.registry = registry
    return app


def _by_contracts(contracts: tuple[Contract, ...], sources: Sources) -> dict[str, Any]:
    """The members of a State that are made of the contracts."""
    return {
        "contracts": contracts,
        "masker": Masker(contracts),
        "messages": MessageReader(contracts, RequestParser(CredentialReader()), sources),
        "inbound": InboundReader(contracts, ValueCompiler(), sources),
    }


def _callback_maker(contracts: tuple[Contract, ...]) -> CallbackMaker:
    compiler = ValueCompiler()
    return CallbackMaker(contracts, Renderer(contracts, compiler), compiler)


def _check_let_through(settings: Settings, contracts: tuple[Contract, ...]) -> None:
    served = vendor_hosts(contracts)
    for host in settings.let_through:
        if host.lower() in served:
            raise SettingsError(f"let_through cannot have {host}: it is a vendor's host, which is served here")


@asynccontextmanager
async def _lifespan(app: Application) -> AsyncIterator[None]:
    log: CallLog | None = app.state.log
    if log is not None:
        await log.open()
    app.state.loops += 1
    await app.store.open()
    watch: FileWatch | None = app.state.watch
    watching = asyncio.create_task(watch.run(app.swap, app.notice)) if watch is not None else None
    yield
    if watching is not None:
        watching.cancel()
    app.state.loops -= 1
    await app.state.mock.courier.stop(CALLBACK_GRACE)
    if not app.state.loops:
        await app.store.close()
    if log is not None:
        await log.close()
    app.state.mock.unreachable.close()

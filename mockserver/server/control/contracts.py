"""The server itself over HTTP: its health, the description of its control API, its contracts, their coverage."""

import asyncio
import base64
from collections.abc import Mapping
from functools import cache
from importlib.resources import files
from types import MappingProxyType
from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response

from mockserver import __version__
from mockserver.coverage.tally import coverage_shape
from mockserver.engine.callback import signature_places
from mockserver.engine.recipient import MAGIC
from mockserver.server.certificates import Certificates
from mockserver.server.control.listing import parameters
from mockserver.server.control.names import known_account, known_vendor
from mockserver.server.control.requests import State, origin, state_of
from mockserver.spec.callback_model import CallbackSpec
from mockserver.spec.model import Contract, OperationSpec
from mockserver.spec.root_schema import schema_text
from mockserver.spec.source import read_yaml
from mockserver.store.kinds import StoreUnavailableError, kind_of_store


async def health(request: Request) -> Response:
    """``GET /_mock/health``: whether calls are welcome; it answers once all contracts are compiled."""
    state = state_of(request)
    versions = {contract.vendor: contract.version for contract in state.contracts}
    status = await _readiness(state)
    shape: dict[str, Any] = {
        "status": status,
        "version": __version__,
        "store": kind_of_store(state.settings.store),
        "vendors": list(versions),
        "contracts": versions,
    }
    if state.watched.is_on:
        shape["watch"] = {"swaps": state.watched.swaps, "error": state.watched.error or None}
    return JSONResponse(shape, 200 if status == "ready" else 503)


async def _readiness(state: State) -> str:
    """``ready``, ``stopping`` as the server ends, or ``unavailable`` where the store cannot keep calls now."""
    if state.ending.is_set() or not state.store.is_waited_on:
        return "stopping"
    try:
        await state.store.check()
    except StoreUnavailableError:
        return "unavailable"
    return "ready"


async def openapi(request: Request) -> Response:
    """``GET /_mock/openapi.json``: the description of the control API."""
    return JSONResponse({**description(), "servers": [{"url": origin(request)}]})


@cache
def description() -> Mapping[str, Any]:
    """The control API's OpenAPI document: read where somebody asks for it, since it is as long as three contracts."""
    file = files("mockserver.server.control").joinpath("openapi.yaml")
    return MappingProxyType(read_yaml("openapi.yaml", file.read_text("utf-8")).value)


async def contract_schema(_request: Request) -> Response:
    """``GET /_mock/contract-schema.json``: the JSON Schema of contracts, for editors."""
    return Response(schema_text(), media_type="application/schema+json")


async def list_contracts(request: Request) -> Response:
    """``GET /_mock/contracts``: each vendor's operations and answers, with evidence and magic recipients."""
    return JSONResponse({"contracts": [_summary(c, origin(request)) for c in state_of(request).contracts]})


async def show_contract(request: Request) -> Response:
    """``GET /_mock/contracts/{vendor}``: the OpenAPI document, with this server as its only one.

    What the document says once for all operations stands at each of them.
    """
    contract = known_vendor(state_of(request), request.path_params["vendor"], "/path/vendor", status=404)
    url = origin(request) + contract.base_path
    return JSONResponse({**contract.document, "servers": [{"url": url}]})


async def show_coverage(request: Request) -> Response:
    """``GET /_mock/coverage``: which documented answers an account, or all together, have met."""
    state = state_of(request)
    account = parameters(request, ("account",)).get("account")
    if account is not None:
        await known_account(state, account, "/query/account")
    return JSONResponse(coverage_shape(state.contracts, await state.store.coverage(account)))


async def show_trust(request: Request) -> Response:
    """``GET /_mock/trust``: the vendors' hosts, and the CA by which a client trusts this server under their names."""
    certificates = state_of(request).certificates
    return JSONResponse(await asyncio.to_thread(_trust, certificates))  # they may have to be made


def _trust(certificates: Certificates) -> dict[str, Any]:
    identity = certificates.identity()
    store = identity.trust_store()
    encoded = None if store is None else base64.b64encode(store).decode("ascii")
    return {"hosts": list(certificates.hosts), "ca": identity.ca, "java_store": encoded}


def _summary(contract: Contract, at: str) -> dict[str, Any]:
    return {
        "vendor": contract.vendor,
        "title": contract.title,
        "version": contract.version,
        "url": at + contract.base_path,
        "pages": [{"url": page.url, "read": page.read} for page in contract.pages],
        "known": [
            {"method": method, "path": path, "documented": where}
            for path, methods in contract.known.items()
            for method, where in methods.items()
        ],
        "operations": [_operation(operation) for operation in contract.operations],
        "callbacks": [_callback(callback) for callback in contract.callbacks],
        "takes_messages": contract.inbound is not None,
    }


def _callback(callback: CallbackSpec) -> dict[str, Any]:
    evidence = callback.request.evidence
    return {
        "id": callback.id,
        "method": callback.method,
        "on": list(callback.on),
        "signed": bool(signature_places(callback)),
        "retries": list(callback.retries),
        "evidence": evidence.grade,
        "evidence_parts": evidence.grades,
        "evidence_reasons": evidence.reasons,
    }


def _operation(operation: OperationSpec) -> dict[str, Any]:
    limit = operation.rate_limit
    return {
        "id": operation.id,
        "spelling": operation.spelling,
        "method": operation.method,
        "path": operation.path,
        "evidence": operation.evidence.grade,
        "evidence_reason": operation.evidence.why or None,
        "sends": operation.message is not None,
        "courses": list(operation.courses),
        "rate_limit": None if limit is None else {"requests": limit.requests, "seconds": limit.seconds},
        "answers": [
            {
                "id": answer.id,
                "status": answer.status,
                "accepted": answer.accepted,
                "evidence": answer.evidence.grade,
                "evidence_parts": answer.evidence.grades,
                "evidence_reasons": answer.evidence.reasons,
                "magic": f"+{MAGIC}{answer.magic}" if answer.magic and operation.magic else None,
            }
            for answer in operation.answers.values()
        ],
    }

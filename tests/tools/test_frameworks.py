"""Callbacks are delivered to applications of real frameworks in the test's own process, as the testing guide says."""

from pathlib import Path

import pytest

from tests.evidence import ROOT
from tests.tools.installing import execute, virtual_environment

APPLICATIONS = {
    "fastapi": """
from fastapi import FastAPI, Request

app, states = FastAPI(), []

@app.post("/opentact", status_code=202)
async def told(request: Request):
    states.append((await request.json())["delivered"])
    return {"framework": "fastapi"}
""",
    "flask": """
from flask import Flask, request

app, states = Flask(__name__), []

@app.post("/opentact")
def told():
    states.append(request.get_json()["delivered"])
    return {"framework": "flask"}, 202
""",
    **{
        f"django-{kind}": f"""
import json
import django
from django.conf import settings
from django.http import JsonResponse
from django.urls import path
from django.core.{kind} import get_{kind}_application

states = []

def told(request):
    states.append(json.loads(request.body)["delivered"])
    return JsonResponse({{"framework": "django-{kind}"}}, status=202)

urlpatterns = [path("opentact", told)]
settings.configure(ROOT_URLCONF=__name__, ALLOWED_HOSTS=["example.com"])
app = get_{kind}_application()
"""
        for kind in ("wsgi", "asgi")
    },
}
TEST = """
from mockserver.testing import MockVendors
import requests
from application import app, states

def test_receipts(mock_vendors: MockVendors):
    vendor = mock_vendors.opentact
    body = {"from": vendor.owned["leases"][0]["tn"], "to": "+13115552367", "text": "Hello"}
    headers = {"Authorization": f"Bearer {vendor.credentials['keys'][0]['api_key']}"}
    mock_vendors.freeze()
    requests.post(f"{vendor.url}/sms/o", json=body, headers=headers, timeout=5).raise_for_status()
    mock_vendors.advance(60)
    replies = mock_vendors.callbacks.deliver_to(app)
    assert [(reply.status, reply.json) for reply in replies] == [(202, {"framework": FRAMEWORK})] * 2
    assert states == [False, True]
"""


@pytest.mark.parametrize("framework", APPLICATIONS)
def test_deliver_to(framework: str, tools: Path, tmp_path: Path) -> None:
    """It routes, reads and answers each receipt of a message, in order."""
    python = virtual_environment(tools / "frameworks", ROOT, "pytest", "requests", "fastapi", "flask", "django")
    (tmp_path / "application.py").write_text(APPLICATIONS[framework], "utf-8")
    (tmp_path / "test_shop.py").write_text(f"FRAMEWORK = {framework!r}\n{TEST}", "utf-8")
    execute(python, "-m", "pytest", "-q", cwd=tmp_path)

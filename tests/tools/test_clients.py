"""Clients that cannot be told where to send: they reach the vendors by the URLs that are written in them."""

import json
import os
from pathlib import Path

import pytest

from tests.tools.clients import RECORD, WAYS, clients, has_reached, record, tried

RENEW = "MOCKSERVER_RENEW_CLIENTS"  # set, the record is written anew


def test_clients(tools: Path, tmp_path: Path) -> None:
    """Each client and official SDK, unchanged, reaches all five vendors in the ways that the guide's table says."""
    found = clients(tools)
    said = {way: tried(found, way, tmp_path) for way in WAYS}
    results = {client.title: {way: has_reached(client, said[way][client.title]) for way in WAYS} for client in found}
    if RENEW in os.environ:
        RECORD.write_text(record(results), "utf-8")
    assert results == json.loads(RECORD.read_text("utf-8")), said
    assert [title for title, ways in results.items() if not any(ways.values())] == []


@pytest.mark.parametrize("name", ["Python: Voximplant's SDK", "Node: Voximplant's SDK"])
def test_official_sdks_need_no_isolation(name: str) -> None:
    """What the first promise of the README names."""
    assert json.loads(RECORD.read_text("utf-8"))[name]["variables"] is True

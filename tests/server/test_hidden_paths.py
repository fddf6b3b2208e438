"""The server's own routes hide the paths that `check` tells of."""

from dataclasses import replace
from typing import Any

import pytest

from mockserver.server.routing import vendor_routes
from tests.spec.test_path_probes import PATHS
from tests.spec.writing import contract


@pytest.mark.parametrize("paths", PATHS, ids=" ".join)
def test_where_requests_come(paths: tuple[str, ...]) -> None:
    """The server asks paths in that order: one with values that stand in no other path comes to all but the hidden."""
    small = contract()
    operations = tuple(replace(small.operations[0], path=path) for path in paths)
    routes = vendor_routes([replace(small, operations=operations, known={}, servers=("http://acme.test",))], nobody)
    root = [route for route in routes if route.host is None and route.vendor is None]
    came = {
        path: next(r for r in root if r.pattern.fullmatch(path.replace("{", "~").replace("}", "~"))) for path in paths
    }
    assert [path for path in paths if came[path].path != path] == PATHS[paths]


async def nobody(*_: Any) -> None:
    """Answers nothing: no request comes."""

"""Two instances for the tests of a module."""

from collections.abc import Iterator

import pytest

from tests.server.drift.upstream import Pair, instances


@pytest.fixture(scope="module")
def pair(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    with instances(tmp_path_factory.mktemp("drift")) as both:
        yield both

"""Commands are tested without the settings of whoever runs the tests."""

from tests.cli.conftest import _no_settings, taken  # noqa: F401 -- fixtures

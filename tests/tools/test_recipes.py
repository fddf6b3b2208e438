"""The recipes of the guides that need packages which the other tests do not have."""

from pathlib import Path

import pytest

from tests.evidence import ROOT
from tests.live import Live
from tests.processes.test_readme import SERVER, TESTING, block
from tests.tools.installing import execute, virtual_environment


def test_django(tools: Path, tmp_path: Path) -> None:
    """A SimpleTestCase gets the account, and its settings are the account's."""
    python = virtual_environment(tools / "django", ROOT, "pytest", "django")
    (tmp_path / "test_django.py").write_text(block("recipe: test_django.py", TESTING), "utf-8")
    (tmp_path / "conftest.py").write_text("from django.conf import settings\nsettings.configure()\n", "utf-8")
    execute(python, "-m", "pytest", "-q", "--mockserver-refused=fail", cwd=tmp_path)


def test_vitest(tools: Path, server: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """The types are made from the server's description, the test compiles with them, and it passes."""
    folder = tools / "vitest"
    folder.mkdir(exist_ok=True)
    if not (folder / "node_modules/vitest").exists():
        execute(
            "npm",
            "install",
            "--silent",
            "vitest@3",
            "openapi-typescript@7",
            "typescript@5",
            "@types/node@20",
            cwd=folder,
        )
    (folder / "reminders.test.ts").write_text(block("recipe: reminders.test.ts", SERVER), "utf-8")
    execute("npx", "openapi-typescript", f"{server.url}/_mock/openapi.json", "-o", "mock.d.ts", cwd=folder)
    compiler = ["--noEmit", "--strict", "--skipLibCheck", "--module", "esnext", "--moduleResolution", "bundler"]
    execute("npx", "tsc", *compiler, "--target", "es2022", "reminders.test.ts", cwd=folder)
    monkeypatch.setenv("MOCK_URL", server.url)
    execute("npx", "vitest", "run", cwd=folder)

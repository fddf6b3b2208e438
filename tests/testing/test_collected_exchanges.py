"""An author's exchanges as tests: what a file shows is replayed, and a wrong one fails with what is different."""

from pathlib import Path

import pytest

from tests.cli.running import invoke
from tests.testing.inner import here, write

pytest_plugins = ["pytester"]


@pytest.fixture
def begun(pytester: pytest.Pytester) -> Path:
    """A folder with a new contract and its fixtures, outside of which tests are run."""
    folder = (pytester.path.parent / f"{pytester.path.name}-acme").resolve()
    assert invoke("contract", "new", "acme", "--to", folder).exit_code == 0
    return folder


def options(begun: Path) -> tuple[str, ...]:
    return "--mockserver-contracts", str(begun), "--mockserver-fixtures", str(begun / "fixtures")


def test_each_file_is_a_test(pytester: pytest.Pytester, begun: Path) -> None:
    """They run beside the others, whose server has the accounts of the fixtures; a single test runs alone."""
    other = "def test_it(): pass\n"
    write(pytester, "def test_it(mock_vendors):\n    assert mock_vendors.acme.url\n", test_two=other)
    (begun / "fixtures" / "acme" / "send_sms" / "notes.txt").write_text("", "utf-8")
    here(pytester, "test_two.py", *options(begun)).assert_outcomes(passed=5)
    here(pytester, "test_two.py::test_it", *options(begun)).assert_outcomes(passed=1)
    here(pytester, *options(begun), "-k", "send_sms/sent").assert_outcomes(passed=1, deselected=5)
    name = begun / "fixtures" / "acme" / "send_sms" / "sent.yaml::acme.send_sms/sent"
    here(pytester, str(name), *options(begun)).assert_outcomes(passed=1)
    here(pytester, str(begun), *options(begun)).assert_outcomes(passed=4)


def test_what_is_different(pytester: pytest.Pytester, begun: Path) -> None:
    """The difference is the failure, without a traceback; a broken file, or a vendor that nobody has, is told."""
    folder = begun / "fixtures" / "acme" / "send_sms"
    sent = folder / "sent.yaml"
    text = sent.read_text("utf-8")
    sent.write_text(text.replace("status: 202", "status: 200"), "utf-8")
    (folder / "broken.yaml").write_text("[", "utf-8")
    nobody = begun / "fixtures" / "nobody" / "send_sms"
    nobody.mkdir(parents=True)
    (nobody / "sent.yaml").write_text(text, "utf-8")
    result = here(pytester, *options(begun))
    result.assert_outcomes(passed=3, failed=3)
    result.stdout.fnmatch_lines_random(
        [
            "/status: expected 200, found 202",
            "*broken.yaml:2:1: *not YAML*",
            "there is no contract of nobody: --mockserver-contracts names folders of them; known: *acme",
        ]
    )
    result.stdout.no_fnmatch_line("*collecting.py*")


def test_a_broken_contract(pytester: pytest.Pytester, begun: Path) -> None:
    """Each exchange fails with the errors of the contract."""
    (begun / "acme.yaml").write_text("openapi: 3.1.0\n", "utf-8")
    result = here(pytester, *options(begun), "-k", "send_sms/sent")
    result.assert_outcomes(failed=1, deselected=3)
    result.stdout.fnmatch_lines(["*acme.yaml:1:*"])


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--mockserver-fixtures", "none"), "*--mockserver-fixtures: there is no folder *none"),
        (("--mockserver-fixtures", "x", "--mockserver-url", "http://127.0.0.1:1"), "*is for a server of pytest's own*"),
    ],
)
def test_usage(pytester: pytest.Pytester, args: tuple[str, ...], told: str) -> None:
    """A folder that is not there, and a server that has its own fixtures, are refused."""
    result = here(pytester, *args)
    assert result.ret == pytest.ExitCode.USAGE_ERROR
    result.stderr.fnmatch_lines([told])

"""The files that ``run --report`` writes: an HTTP Archive, calls as the control API shows them, or JUnit's XML."""

import json
from collections.abc import Container, Sequence
from pathlib import Path

from mockserver.cli.common import CommandError
from mockserver.cli.gates import GateResult
from mockserver.server.har import har
from mockserver.spec.source import check_regular
from mockserver.testing.call import Call

REPORT_KINDS = (".har", ".json", ".xml")


def check_report(file: Path) -> None:
    """Raise CommandError if a file's name does not say what is to be written, or it cannot be written there."""
    if file.suffix not in REPORT_KINDS:
        raise CommandError(
            f"--report writes by the file's name: {', '.join(f'*{kind}' for kind in REPORT_KINDS)}, not {file}"
        )
    was_there = file.exists()
    try:
        if was_there:
            check_regular(file)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.open("ab").close()
        if not was_there:
            file.unlink()
    except OSError as error:
        raise CommandError(f"--report {file} cannot be written: {error.strerror}") from error


def write_report(
    file: Path, calls: Sequence[Call], verdicts: Sequence[GateResult], vendor_hosts: Container[str]
) -> None:
    """Write one. Raises OSError."""
    shapes = [call.data for call in calls]
    if file.suffix == ".xml":
        text = _junit(verdicts)
    else:
        content = har(shapes, vendor_hosts) if file.suffix == ".har" else {"calls": shapes}
        text = json.dumps(content, indent=1, ensure_ascii=False)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text + "\n", "utf-8", "backslashreplace")


def _junit(verdicts: Sequence[GateResult]) -> str:
    failed = sum(verdict.failure is not None for verdict in verdicts)
    cases = "".join(_case(verdict) for verdict in verdicts)
    suite = f'<testsuite name="mockserver run" tests="{len(verdicts)}" failures="{failed}" errors="0" skipped="0">'
    return f'<?xml version="1.0" encoding="UTF-8"?>\n{suite}\n{cases}</testsuite>'


def _case(verdict: GateResult) -> str:
    head = f'  <testcase classname="mockserver.run" name={_attribute(verdict.gate)}'
    if verdict.failure is None:
        return f"{head}/>\n"
    return f"{head}>\n    <failure message={_attribute(verdict.failure)}/>\n  </testcase>\n"


def _attribute(text: str) -> str:
    """A text as XML may have it: without control characters, which no spelling allows."""
    from xml.sax.saxutils import quoteattr  # noqa: PLC0415 -- it loads a parser, and few runs write XML

    return quoteattr("".join(c if c >= " " and c.isprintable() else "�" for c in text))

"""The plugin's part of the end of a test run."""

import json
from pathlib import Path
from typing import Any

import pytest

from mockserver.testing.coverage import CoverageFault, Document
from mockserver.testing.findings import Findings
from mockserver.testing.rendering import render
from mockserver.testing.score import Selection, failures, score


def finish(option: Any, findings: Findings) -> bool:
    """Write the coverage file and hold coverage against the gate; returns whether both went well."""
    document = findings.coverage
    findings.complaints += _written(option, document)
    try:
        findings.counted = score(document or _NONE, Selection(vendors=tuple(option.mockserver_cov_vendor or ())))
        findings.complaints += failures(document or _NONE, findings.counted, (), option.mockserver_cov_fail_under)
    except CoverageFault as fault:
        findings.complaints.append(f"--mockserver-cov-vendor: {fault}")
    return not findings.complaints


def show(reporter: pytest.TerminalReporter, option: Any, findings: Findings) -> None:
    """What was found, in as many lines as it takes and none where there is nothing."""
    refused, assumed, lost = findings.refused_lines(), findings.assumed_line(), findings.lost_line()
    covered = option.mockserver_cov or bool(findings.complaints)
    if refused:
        reporter.section("mockserver: refused by a vendor's rule, and no test asserted on it", yellow=True)
        for line in refused:
            reporter.line(line)
    if covered:
        _show_coverage(reporter, findings)
    if assumed:
        reporter.line(f"mockserver: {assumed}", yellow=True)
    if lost and (covered or refused or assumed):
        reporter.line(f"mockserver: {lost}", red=True)


_NONE: Document = {"contracts": {}, "operations": {}}


def _written(option: Any, document: Document | None) -> list[str]:
    """Complaints about writing the coverage file, where one is wanted and there is something to write."""
    if document is None or not option.mockserver_cov_json:
        return []
    file = Path(option.mockserver_cov_json)
    try:
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_text(json.dumps(document, indent=1) + "\n", "utf-8")
    except OSError as error:
        return [f"--mockserver-cov-json cannot be written: {error}"]
    return []


def _show_coverage(reporter: pytest.TerminalReporter, findings: Findings) -> None:
    reporter.section("mockserver coverage", red=bool(findings.complaints))
    if findings.coverage is not None and findings.counted is not None:
        reporter.line(render("text", findings.coverage, findings.counted, findings.complaints))
        return
    if findings.coverage is None:
        reporter.line("no test used mock_vendors or mock_server")
    for line in findings.complaints:
        reporter.line(f"FAILED: {line}", red=True)
